"""Serves the lobby's HTTP API at the root of its own port.

Difference from AWS: API Gateway serves an HTTP API at the root of its own host name (API Gateway developer guide,
"Create an HTTP API"). MiniStack serves it below a path, on one port for all services. There, the console's absolute
paths do not work, and all services share one origin.

The patch passes requests on the console's port only to the routes of the lobby's API. The API's responses are returned
without the emulator's CORS headers. A request for another host is refused, as by API Gateway. A browser that requests
`localhost` is redirected to 127.0.0.1, the callback URL of the sign-in.

Unnecessary when: MiniStack can serve one HTTP API on its own port or host name.
"""

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from infra.local.layout import Layout
from infra.local.ministack.managed_login import COOKIE, without_cookie
from infra.local.ministack.patch_points import PatchPoint
from lobby.deployment import NAMES

API_NAME: Final = NAMES.prefix
"""The API's name in infra/parts/front_door.py."""
MAX_BODY: Final = 10 * 1024 * 1024
"""Maximum request body of an HTTP API in bytes (API Gateway developer guide, "Quotas")."""
_STAGE: Final = "$default"
_GATEWAY: Final = "ministack.services.apigateway"
_PARAMETERS: Final = ("api_id", "stage", "path", "method", "headers", "body", "query_params", "raw_query_string")
log = logging.getLogger("local.api_origin")

EXECUTE: Final = PatchPoint(_GATEWAY, "handle_execute", _PARAMETERS)
APIS: Final = PatchPoint(_GATEWAY, "_apis.all_items", ())
PATH: Final = PatchPoint(_GATEWAY, "decode_http_api_path", ("raw_path",))
VALUE: Final = PatchPoint("ministack.core.sigv4", "decode_header_value", ("value",))
SEND: Final = PatchPoint("ministack.app", "_send_response", ("send", "status", "headers", "body", "head"))
ADD_DATE: Final = PatchPoint("ministack.app", "_with_date_header", ("send",))
PATCH_POINTS: Final = (EXECUTE, APIS, PATH, VALUE, SEND, ADD_DATE)

Response = tuple[int, dict[str, Any], bytes]


class ApiOrigin:
    """The ASGI application of the console's port."""

    def __init__(self, layout: Layout) -> None:
        self._lobby, self._host, self._url = layout.lobby, layout.console_host, layout.console_url

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        response = await self._respond(scope, receive)
        if response is not None:
            await SEND.resolve()(ADD_DATE.resolve()(send), *response)

    async def _respond(self, scope: Any, receive: Any) -> Response | None:
        """Return the response, or None if the client has disconnected."""
        headers = _headers(scope["headers"])
        target = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        if headers.get("host") != self._host:
            return self._wrong_host(scope["method"], headers, target + (f"?{query}" if query else ""))
        if scope["method"] == "OPTIONS":  # no CORS, so no route; the emulator would return 403
            return _error(404, "Not Found")
        api = self._api_id()
        if api is None:
            return _not_deployed(self._lobby)
        body = await _body(receive)
        if body is None:
            return None
        if len(body) > MAX_BODY:
            return _error(413, "Request Entity Too Large")
        return await _execute(api, scope["method"], target, query, headers, body)

    def _api_id(self) -> str | None:
        """Return the id of the lobby's API, or of the newest one while a stack update replaces it."""
        ids = [
            key[2]
            for key, api in APIS.resolve()()
            if key[:2] == (self._lobby.account, self._lobby.region) and api.get("name") == API_NAME
        ]
        return ids[-1] if ids else None

    def _wrong_host(self, method: str, headers: Mapping[str, str], target: str) -> Response:
        name = headers.get("host", "").partition(":")[0]
        if name == "localhost" and method in ("GET", "HEAD"):
            return 307, {"location": self._url + target.lstrip("/"), "cache-control": "no-store"}, b""
        return _error(403, "Forbidden")


async def _execute(api: str, method: str, target: str, query: str, headers: dict[str, str], body: bytes) -> Response:
    path = PATH.resolve()(target)
    try:
        status, response_headers, content = await EXECUTE.resolve()(
            api, _STAGE, path, method, headers, body, parse_qs(query, keep_blank_values=True), raw_query_string=query
        )
    except Exception:
        log.exception("%s %s", method, path)
        return _error(500, "Internal Server Error")
    if status == 502:  # the function failed: the emulator returns the cause, API Gateway does not
        log.error("%s %s: %s", method, path, content.decode(errors="replace"))
        return _error(500, "Internal Server Error")
    response_headers.setdefault("apigw-requestid", secrets.token_urlsafe(12))
    return status, response_headers, content


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers as API Gateway passes them: lower-case names, the values of one name joined. Browsers send a
    cookie to every port of a host, so the sign-in page's cookie is removed."""
    headers: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("latin-1").lower(), VALUE.resolve()(value)
        separator = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{separator}{text}" if name in headers else text
    if cookie := without_cookie(COOKIE, headers.pop("cookie", "")):
        headers["cookie"] = cookie
    return headers


async def _body(receive: Any) -> bytes | None:
    """Return the body (if it is too large, at least `MAX_BODY` + 1 bytes of it), or None if the client disconnected."""
    body, more = bytearray(), True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _not_deployed(lobby: object) -> Response:
    text = f"The lobby is not deployed yet: got no API named {API_NAME} in {lobby}. Wait for ./deploy.sh local.\n"
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "retry-after": "5"}
    return 503, headers, text.encode()


def _error(status: int, message: str) -> Response:
    return status, {"content-type": "application/json"}, json.dumps({"message": message}).encode()
