"""Adds the data plane's operations on MQTT connections: DeleteConnection, GetConnection and SendDirectMessage.

Difference from AWS: AWS IoT ends, describes and addresses a client's connection by its client id (AWS IoT API
reference, "AWS IoT data"; developer guide, "Disconnect a client"). MiniStack has none of these operations. They are
authorized on `client/<id>` (`resources.py`). A direct message needs no subscription, but the device's permission to
receive its topic. `confirmation`, and the socket information of GetConnection, are not supported, because the lobby
does not use them.

Unnecessary when: MiniStack has these operations.
"""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
HANDLE: Final = PatchPoint(
    "ministack.services.iot_data", "handle_request", ("method", "path", "headers", "body", "query_params")
)
CLIENTS: Final = PatchPoint(_IOT, "_connected_clients")
SESSIONS: Final = PatchPoint(_IOT, "_persistent_sessions")
CONNECTIVITY: Final = PatchPoint(_IOT, "_connectivity")
DELIVER: Final = PatchPoint(_IOT, "_WSSession.deliver_to_client", ("self", "topic", "payload", "qos"))
CLEANUP: Final = PatchPoint(_IOT, "_WSSession.cleanup", ("self",))
ACCOUNT: Final = PatchPoint(_IOT, "get_account_id", ())
REGION: Final = PatchPoint(_IOT, "get_region", ())
PATCH_POINTS: Final = (HANDLE, CLIENTS, SESSIONS, CONNECTIVITY, DELIVER, CLEANUP, ACCOUNT, REGION)
_PREFIX: Final = "/connections/"
_MESSAGES: Final = "/messages"
API_INITIATED: Final = "API_INITIATED_DISCONNECT"
Response = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Add the operations to the data plane."""
    HANDLE.wrap(_adding)


def _adding(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        found = client_of(path)
        if found is None:
            return await original(method, path, headers, body, query_params)
        client, is_message = found
        if not client or client.startswith("$"):
            return _error("InvalidRequestException", f"Invalid client ID: {client}", 400)
        key = (ACCOUNT.resolve()(), REGION.resolve()(), client)
        if method == "DELETE" and not is_message:
            clean, without_will = (_is_true(query_params, name) for name in ("cleanSession", "preventWillMessage"))
            return await _delete(key, clean=clean, without_will=without_will)
        if method == "GET" and not is_message:
            return _describe(key)
        if method == "POST" and is_message:
            return await _send(key, str(_first(query_params, "topic")), body)
        return _error("InvalidRequestException", f"Unsupported iot-data path: {method} {path}", 400)

    return handle


def client_of(path: str) -> tuple[str, bool] | None:
    """Return the client id in the path of an operation on a connection, and whether it is SendDirectMessage."""
    if not path.startswith(_PREFIX):
        return None
    name = path[len(_PREFIX) :]
    is_message = name.endswith(_MESSAGES)
    return unquote(name.removesuffix(_MESSAGES)), is_message


async def _delete(key: tuple[str, str, str], *, clean: bool, without_will: bool) -> Response:
    session, stored = CLIENTS.resolve().get(key), SESSIONS.resolve().get(key)
    if session is None and stored is None:
        return _not_connected(key)
    if session is not None:
        session._forced_disconnect_reason = API_INITIATED
        if without_will:
            session._will_topic = None
        await session._send({"type": "websocket.close", "code": 1000})
        await session.cleanup()
    if clean:
        SESSIONS.resolve().pop(key, None)
    return _success({})


def _describe(key: tuple[str, str, str]) -> Response:
    session, stored = CLIENTS.resolve().get(key), SESSIONS.resolve().get(key)
    if session is None and stored is None:
        return _not_connected(key)
    changed = CONNECTIVITY.resolve().get(key, {}).get("timestamp", 0)
    body: dict[str, Any] = {"connected": session is not None, "cleanSession": stored is None}
    body["connectedSince" if session is not None else "disconnectedSince"] = changed
    return _success(body)


async def _send(key: tuple[str, str, str], topic: str, payload: bytes) -> Response:
    session = CLIENTS.resolve().get(key)
    if session is None:
        return _not_connected(key)
    await session.deliver_to_client(topic, payload, 1)
    return _success({"message": "OK", "traceId": str(uuid.uuid4())})


def _first(query_params: Any, name: str) -> str:
    value = query_params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _is_true(query_params: Any, name: str) -> bool:
    return _first(query_params, name).lower() == "true"


def _not_connected(key: tuple[str, str, str]) -> Response:
    return _error("ResourceNotFoundException", f"Client {key[2]} is not connected", 404)


def _error(code: str, message: str, status: int) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps({"message": message}).encode()


def _success(body: dict[str, Any]) -> Response:
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()
