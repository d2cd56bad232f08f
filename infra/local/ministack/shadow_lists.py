"""Adds the data plane's ListNamedShadowsForThing, and the size limit of shadows.

Difference from AWS: AWS IoT lists the named shadows of a thing, a page at a time (AWS IoT API reference, "AWS IoT
data"), and refuses a state document of more than 8 kB (AWS IoT Device Shadow quotas). MiniStack has shadows, but not
this operation and no limit. The operation is authorized on the thing (`resources.py`).

Unnecessary when: MiniStack has the operation and the limit.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from infra.local.ministack.patch_points import PatchPoint

HANDLE: Final = PatchPoint(
    "ministack.services.iot_data", "handle_request", ("method", "path", "headers", "body", "query_params")
)
SHADOWS: Final = PatchPoint("ministack.services.iot", "_shadows")
PATCH_POINTS: Final = (HANDLE, SHADOWS)
_PREFIX: Final = "/api/things/shadow/ListNamedShadowsForThing/"
_THING, _SHADOW = "/things/", "/shadow"
MAX_BYTES: Final = 8 * 1024
_PAGE: Final = 25
_MAX_PAGE: Final = 100
Response = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Add the operation and the limit to the data plane."""
    HANDLE.wrap(_adding)


def _adding(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        thing = thing_of(path)
        if method == "GET" and thing is not None:
            return listed(_names(thing), query_params)
        if method == "POST" and path.startswith(_THING) and path.endswith(_SHADOW) and is_too_large(body):
            return _error("RequestEntityTooLargeException", "The payload exceeds the maximum size allowed", 413)
        return await original(method, path, headers, body, query_params)

    return handle


def thing_of(path: str) -> str | None:
    """Return the thing in the path of ListNamedShadowsForThing."""
    return unquote(path[len(_PREFIX) :]) or None if path.startswith(_PREFIX) else None


def listed(names: list[str], query_params: Mapping[str, Any]) -> Response:
    """Return a page of the names in order."""
    try:
        start, size = int(_first(query_params, "nextToken") or 0), int(_first(query_params, "pageSize") or _PAGE)
    except ValueError:
        return _error("InvalidRequestException", "Invalid nextToken or pageSize", 400)
    if not 1 <= size <= _MAX_PAGE:
        return _error("InvalidRequestException", "Invalid pageSize", 400)
    page, more = sorted(names)[start : start + size], start + size < len(names)
    answer: dict[str, Any] = {"results": page, "timestamp": int(time.time())}
    return _answer(200, answer | ({"nextToken": str(start + size)} if more else {}))


def is_too_large(body: bytes) -> bool:
    """Return whether the state in a request is larger than a shadow may be."""
    try:
        state = json.loads(body)["state"]
    except (ValueError, TypeError, KeyError):
        return False
    return len(json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode()) > MAX_BYTES


def _names(thing: str) -> list[str]:
    shadows = list(SHADOWS.resolve().items())
    return [name for (owner, name), shadow in shadows if owner == thing and name and not shadow.get("deleted")]


def _first(query_params: Mapping[str, Any], name: str) -> Any:
    value = query_params.get(name)
    return value[0] if isinstance(value, list) else value


def _error(code: str, message: str, status: int) -> Response:
    status, headers, body = _answer(status, {"message": message})
    return status, headers | {"x-amzn-errortype": code}, body


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()
