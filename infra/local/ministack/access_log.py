"""Writes every AWS API call to the emulator as one JSON line to `access.jsonl` in the state directory.

Difference from AWS: CloudTrail records the caller's ARN (CloudTrail user guide, "CloudTrail userIdentity element").
MiniStack's CloudTrail covers only some services and records the access key, not the role.

The patch logs time, account, Region, principal, service, action, HTTP status and milliseconds. Benchmarks and
end-to-end tests count the calls of each Lambda function by its role.

Unnecessary when: MiniStack's CloudTrail records calls to all services with the caller's ARN.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from infra.local.ministack.counters import Counters, is_failure
from infra.local.ministack.patch_points import PatchPoint

_APP: Final = "ministack.app"
_PARAMETERS: Final = ("method", "path", "headers", "body", "query_params", "request_id")
log = logging.getLogger("local.access_log")

DISPATCH: Final = PatchPoint(_APP, "_dispatch_service_request", _PARAMETERS)
DATA_PLANE: Final = PatchPoint(
    _APP, "_handle_special_data_plane_request", (*_PARAMETERS, "raw_path", "raw_query_string", "client_ip")
)
ROUTING: Final = PatchPoint(_APP, "_routing_params", ("method", "path", "headers", "body", "query_params"))
EVENT: Final = PatchPoint(_APP, "_ct_event_name", ("service", "method", "path", "headers", "query_params"))
SERVICE: Final = PatchPoint("ministack.core.router", "detect_service", ("method", "path", "headers", "query_params"))
REGION: Final = PatchPoint("ministack.core.router", "extract_region", ("headers", "query_params"))
KEY: Final = PatchPoint("ministack.core.router", "extract_access_key_id", ("headers", "query_params"))
ACTION: Final = PatchPoint(
    "ministack.core.iam_actions",
    "extract_iam_action",
    ("service", "method", "path", "headers", "body", "query_params"),
)
IDENTITY: Final = PatchPoint("ministack.core.iam_evaluator", "resolve_caller_identity", ("access_key_id",))
ACCOUNT: Final = PatchPoint("ministack.core.responses", "get_account_id", ())
PATCH_POINTS: Final = (DISPATCH, DATA_PLANE, ROUTING, EVENT, SERVICE, REGION, KEY, ACTION, IDENTITY, ACCOUNT)


def apply(path: Path, counters: Counters) -> None:
    """Append a line to `path` for each call, before its response is sent, and count it."""
    out = path.open("a", buffering=1)
    path.chmod(0o600)

    def wrap(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def logged(
            method: str, url: str, headers: Any, body: bytes, query: Any, request_id: str, **rest: Any
        ) -> Any:
            began = time.time()
            caller = _caller_fields(headers, query)
            response = await original(method, url, headers, body, query, request_id, **rest)
            if response is not None:
                line = _request_fields(method, url, headers, body, query) | caller
                line |= {"status": response[0], "ms": round((time.time() - began) * 1000, 1)}
                throttled = "Throttling" in str(response[1].get("x-amzn-ErrorType", ""))
                operation, failed = str(line["action"]), is_failure(response[0])
                counters.call(str(line["account"]), str(line["region"]), operation, failed=failed, throttled=throttled)
                out.write(json.dumps({"time": round(began, 4)} | line) + "\n")
            return response

        return logged

    DISPATCH.wrap(wrap)
    DATA_PLANE.wrap(wrap)


def _caller_fields(headers: Any, query: Any) -> dict[str, object]:
    identity = IDENTITY.resolve()(KEY.resolve()(headers, query)) or {}
    return {
        "account": ACCOUNT.resolve()(),
        "region": REGION.resolve()(headers, query),
        "principal": identity.get("userArn") or "anonymous",
    }


def _request_fields(method: str, url: str, headers: Any, body: bytes, query: Any) -> dict[str, object]:
    params = ROUTING.resolve()(method, url, headers, body, query)
    service = SERVICE.resolve()(method, url, headers, params)
    action = ACTION.resolve()(service, method, url, headers, body, params)
    return {
        "service": service,
        "action": action or f"{service}:{EVENT.resolve()(service, method, url, headers, params)}",
        "request": f"{method} {url}",
    }
