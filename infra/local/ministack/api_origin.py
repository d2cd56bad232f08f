"""The lobby's HTTP API at the root of a port of its own, as on AWS at the root of a host of its own.

The gateway has it below a path, among all of AWS, where a page's absolute paths lead astray and one origin holds
everything. What comes in at this port goes to that API's routes and to nothing else of the emulator, and its answers
are what the API gives, without the emulator's CORS headers. Refuses requests for another host, as API Gateway does,
and sends a browser that asks for `localhost` to the address that people are sent back to after a sign-in.
"""

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from infra.local.layout import Layout
from infra.local.ministack.cookies import without
from infra.local.ministack.login_session import COOKIE
from infra.local.ministack.patch_points import Seam

API_NAME: Final = "device-lobby"
"""As infra/front_door.py names it."""
MAX_BODY: Final = 10 * 1024 * 1024
"""Bytes of a request that an HTTP API takes (developer guide, "Quotas")."""
_STAGE: Final = "$default"
_GATEWAY: Final = "ministack.services.apigateway"
_EXECUTED: Final = ("api_id", "stage", "path", "method", "headers", "body", "query_params", "raw_query_string")
log = logging.getLogger("local.api_origin")

EXECUTE: Final = Seam(_GATEWAY, "handle_execute", _EXECUTED)
APIS: Final = Seam(_GATEWAY, "_apis.all_items", ())
PATH: Final = Seam(_GATEWAY, "decode_http_api_path", ("raw_path",))
VALUE: Final = Seam("ministack.core.sigv4", "decode_header_value", ("value",))
SEND: Final = Seam("ministack.app", "_send_response", ("send", "status", "headers", "body", "head"))
DATED: Final = Seam("ministack.app", "_with_date_header", ("send",))
SEAMS: Final = (EXECUTE, APIS, PATH, VALUE, SEND, DATED)

Answer = tuple[int, dict[str, Any], bytes]


class ApiOrigin:
    """The ASGI application of the console's port."""

    def __init__(self, layout: Layout) -> None:
        self._lobby, self._host, self._url = layout.lobby, layout.console_host, layout.console_url

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = await self._answer(scope, receive)
        if answer is not None:
            await SEND.found()(DATED.found()(send), *answer)

    async def _answer(self, scope: Any, receive: Any) -> Answer | None:
        """None where nobody waits for it any more."""
        headers = _headers(scope["headers"])
        target = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        if headers.get("host") != self._host:
            return self._elsewhere(scope["method"], headers, target + (f"?{query}" if query else ""))
        if scope["method"] == "OPTIONS":  # the API has no CORS settings, so no route; the emulator says 403
            return _told(404, "Not Found")
        api = self._api()
        if api is None:
            return _not_yet(self._lobby)
        body = await _body(receive)
        if body is None:
            return None
        if len(body) > MAX_BODY:
            return _told(413, "Request Entity Too Large")
        return await _executed(api, scope["method"], target, query, headers, body)

    def _api(self) -> str | None:
        """The id of the lobby's API; the newest, while a stack replaces it."""
        found = [
            key[2]
            for key, api in APIS.found()()
            if key[:2] == (self._lobby.account, self._lobby.region) and api.get("name") == API_NAME
        ]
        return found[-1] if found else None

    def _elsewhere(self, method: str, headers: Mapping[str, str], target: str) -> Answer:
        name = headers.get("host", "").partition(":")[0]
        if name == "localhost" and method in ("GET", "HEAD"):
            return 307, {"location": self._url + target.lstrip("/"), "cache-control": "no-store"}, b""
        return _told(403, "Forbidden")


async def _executed(api: str, method: str, target: str, query: str, headers: dict[str, str], body: bytes) -> Answer:
    path = PATH.found()(target)
    try:
        status, answered, content = await EXECUTE.found()(
            api, _STAGE, path, method, headers, body, parse_qs(query, keep_blank_values=True), raw_query_string=query
        )
    except Exception:
        log.exception("%s %s", method, path)
        return _told(500, "Internal Server Error")
    if status == 502:  # the function failed; the emulator says how, API Gateway keeps that to itself
        log.error("%s %s: %s", method, path, content.decode(errors="replace"))
        return _told(500, "Internal Server Error")
    answered.setdefault("apigw-requestid", secrets.token_urlsafe(12))
    return status, answered, content


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """As API Gateway hands them over: names in lower case, values of one name joined. Cookies are not told apart by
    port: the sign-in page's stays here."""
    found: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("latin-1").lower(), VALUE.found()(value)
        joint = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{joint}{text}" if name in found else text
    if kept := without(COOKIE, found.pop("cookie", "")):
        found["cookie"] = kept
    return found


async def _body(receive: Any) -> bytes | None:
    """The whole of it, or more of it than the API takes; None where the client left in the middle of it."""
    body, more = bytearray(), True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _not_yet(lobby: object) -> Answer:
    text = f"The lobby is not deployed yet: got no API named {API_NAME} in {lobby}. Wait for ./deploy.sh local.\n"
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "retry-after": "5"}
    return 503, headers, text.encode()


def _told(status: int, message: str) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps({"message": message}).encode()
