"""Who called what: every AWS API call to the emulator as one JSON line in the state directory.

MiniStack's CloudTrail names the access key only, for some services. The bench counts the calls of each Lambda per step
by its role, so that is what a line says: time, account, Region, principal, service, action, HTTP status, milliseconds.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from infra.local.ministack.patch_points import Seam

_APP: Final = "ministack.app"
_PARAMETERS: Final = ("method", "path", "headers", "body", "query_params", "request_id")
log = logging.getLogger("local.access_log")

DISPATCH: Final = Seam(_APP, "_dispatch_service_request", _PARAMETERS)
DATA_PLANE: Final = Seam(
    _APP, "_handle_special_data_plane_request", (*_PARAMETERS, "raw_path", "raw_query_string", "client_ip")
)
ROUTING: Final = Seam(_APP, "_routing_params", ("method", "path", "headers", "body", "query_params"))
EVENT: Final = Seam(_APP, "_ct_event_name", ("service", "method", "path", "headers", "query_params"))
SERVICE: Final = Seam("ministack.core.router", "detect_service", ("method", "path", "headers", "query_params"))
REGION: Final = Seam("ministack.core.router", "extract_region", ("headers", "query_params"))
KEY: Final = Seam("ministack.core.router", "extract_access_key_id", ("headers", "query_params"))
ACTION: Final = Seam(
    "ministack.core.iam_actions",
    "extract_iam_action",
    ("service", "method", "path", "headers", "body", "query_params"),
)
IDENTITY: Final = Seam("ministack.core.iam_evaluator", "resolve_caller_identity", ("access_key_id",))
ACCOUNT: Final = Seam("ministack.core.responses", "get_account_id", ())
SEAMS: Final = (DISPATCH, DATA_PLANE, ROUTING, EVENT, SERVICE, REGION, KEY, ACTION, IDENTITY, ACCOUNT)


def apply(path: Path) -> None:
    """Write a line to `path` for each call, before its answer is sent."""
    out = path.open("a", buffering=1)
    path.chmod(0o600)

    def wrap(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def logged(
            method: str, url: str, headers: Any, body: bytes, query: Any, request_id: str, **rest: Any
        ) -> Any:
            began = time.time()
            caller = _caller(headers, query)
            answer = await original(method, url, headers, body, query, request_id, **rest)
            if answer is not None:
                line = _described(method, url, headers, body, query) | caller
                line |= {"status": answer[0], "ms": round((time.time() - began) * 1000, 1)}
                out.write(json.dumps({"time": round(began, 4)} | line) + "\n")
            return answer

        return logged

    DISPATCH.wrap(wrap)
    DATA_PLANE.wrap(wrap)


def _caller(headers: Any, query: Any) -> dict[str, object]:
    identity = IDENTITY.found()(KEY.found()(headers, query)) or {}
    return {
        "account": ACCOUNT.found()(),
        "region": REGION.found()(headers, query),
        "principal": identity.get("userArn") or "anonymous",
    }


def _described(method: str, url: str, headers: Any, body: bytes, query: Any) -> dict[str, object]:
    params = ROUTING.found()(method, url, headers, body, query)
    service = SERVICE.found()(method, url, headers, params)
    action = ACTION.found()(service, method, url, headers, body, params)
    return {
        "service": service,
        "action": action or f"{service}:{EVENT.found()(service, method, url, headers, params)}",
        "request": f"{method} {url}",
    }
