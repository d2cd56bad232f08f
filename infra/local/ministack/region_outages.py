"""Makes a Region unreachable, or two Regions unreachable from each other, while tests ask for it.

Difference from AWS: a Region can fail, and so can the network between two Regions. MiniStack is one process, in which
every Region always answers.

The patch answers calls to a Region that is down with an empty 503. A Lambda function, whose Region follows from its
access key, gets the same answer from a Region that it is cut off from. In a Region that is down, no Lambda function
runs, no mapping polls and no timer starts; devices are disconnected and cannot connect. Calls to IAM, which is global,
succeed. Messages that the emulator itself passes to a queue of such a Region arrive, as they would on AWS after the
outage.

Unnecessary when: MiniStack can take Regions down, and separate them.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from infra.local.ministack.access_log import DATA_PLANE, DISPATCH, KEY, REGION
from infra.local.ministack.concurrency import ACQUIRE
from infra.local.ministack.concurrency import KEY as FUNCTION_KEY
from infra.local.ministack.lambda_credentials import region_of_key
from infra.local.ministack.listeners import Listeners
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.streams import MAPPINGS
from infra.local.region_faults import CurrentFaults

SIGNED: Final = PatchPoint("ministack.core.router", "extract_signed_region", ("headers", "query_params"))
EXECUTE: Final = PatchPoint(
    "ministack.services.apigateway",
    "handle_execute",
    ("api_id", "stage", "path", "method", "headers", "body", "query_params", "raw_query_string"),
)
API: Final = PatchPoint("ministack.services.apigateway", "find_api_scope", ("api_id",))
TIMER: Final = PatchPoint("ministack.services.eventbridge", "_invoke_target", ("target", "event", "rule", "view"))
OWN_REGION: Final = PatchPoint("ministack.core.responses", "get_region", ())
PATCH_POINTS: Final = (
    *(DATA_PLANE, DISPATCH, KEY, REGION, ACQUIRE, FUNCTION_KEY, MAPPINGS),
    *(SIGNED, EXECUTE, API, TIMER, OWN_REGION),
)
REFUSAL: Final[tuple[int, dict[str, str], bytes]] = (503, {}, b"")
"""The response is empty, so SDKs use only its status."""
_CHECK_SECONDS: Final = 0.2
_GLOBAL: Final = ("/iam/",)
log = logging.getLogger("local.region_outages")


def apply(current: CurrentFaults) -> None:
    """Refuse calls, and stop what the emulator itself starts in a Region."""
    for patch_point in (DISPATCH, DATA_PLANE):
        patch_point.wrap(lambda original: _refusing(original, current))
    EXECUTE.wrap(lambda original: _refusing_api(original, current))
    MAPPINGS.wrap(lambda original: _polling(original, current))
    ACQUIRE.wrap(lambda original: _acquiring(original, current))
    TIMER.wrap(lambda original: _timing(original, current))


def _refusing(original: Callable[..., Awaitable[Any]], current: CurrentFaults) -> Callable[..., Awaitable[Any]]:
    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any, *rest: Any, **more: Any) -> Any:
        faults = current()
        if (faults.down or faults.cuts) and SIGNED.resolve()(headers, query) and not _is_global(headers):
            caller = region_of_key(KEY.resolve()(headers, query))
            if faults.separates(caller, REGION.resolve()(headers, query)):
                return REFUSAL
        return await original(method, path, headers, body, query, *rest, **more)

    return handle


def _is_global(headers: Any) -> bool:
    return any(scope in headers.get("authorization", "") for scope in _GLOBAL)


def _refusing_api(original: Callable[..., Awaitable[Any]], current: CurrentFaults) -> Callable[..., Awaitable[Any]]:
    async def execute(api_id: str, *rest: Any, **more: Any) -> Any:
        scope = API.resolve()(api_id)
        if scope is not None and current().is_down(scope[1]):
            return REFUSAL
        return await original(api_id, *rest, **more)

    return execute


def _polling(original: Callable[[], Iterator[Any]], current: CurrentFaults) -> Callable[[], Iterator[Any]]:
    def mappings() -> Iterator[Any]:
        faults = current()
        return (each for each in original() if not faults.is_down(each[1])) if faults.down else original()

    return mappings


def _acquiring(original: Callable[[Any, Any], Any], current: CurrentFaults) -> Callable[[Any, Any], Any]:
    def acquire(func: Any, config: Any) -> Any:
        region = FUNCTION_KEY.resolve()(config).split(":", 2)[1]
        return (None, "account") if current().is_down(region) else original(func, config)

    return acquire


def _timing(original: Callable[..., Any], current: CurrentFaults) -> Callable[..., Any]:
    def invoke(target: Any, event: Any, rule: Any, view: Any = None) -> Any:
        return None if current().is_down(OWN_REGION.resolve()()) else original(target, event, rule, view)

    return invoke


async def disconnect_devices(current: CurrentFaults, listeners: Listeners) -> None:
    """Close the connections of devices in Regions that are down, until cancelled."""
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        for (_account, region, client), session in list(listeners.iot._connected_clients.items()):
            if current().is_down(region):
                log.info("closing %s: %s is down", client, region)
                session._forced_disconnect_reason = "CONNECTION_LOST"
                await _close(session)


async def _close(session: Any) -> None:
    close = functools.partial(session._send, {"type": "websocket.close", "code": 1006})
    try:
        await close()
    except (OSError, RuntimeError) as error:  # the connection has just closed
        log.info("a connection was already closed: %s", error)
