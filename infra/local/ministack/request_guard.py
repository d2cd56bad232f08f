"""Refuses requests of other web pages, and of programs without the deployment's secret, on every HTTP port.

Difference from AWS: MiniStack answers every origin with `Access-Control-Allow-Origin: *`, accepts any `Host`, and does
not verify the signatures of root users. While it runs, any web page could create and invoke a Lambda function and so
execute code as the developer.

The guard is in front of both ports. It applies the rules of `browser_rules` to every request and those of
`request_signatures` to requests for the gateway, removes all CORS headers (except on the console's own token call), and
refuses WebSockets, which the lobby does not use. A refusal names the received value and the rule.

Unnecessary when: MiniStack verifies root signatures, can restrict `Host` and `Origin`, and sends CORS headers only if
configured.
"""

import json
import logging
import uuid
from typing import Any, Final

from infra.local.layout import Layout
from infra.local.ministack import request_signatures
from infra.local.ministack.browser_rules import BrowserRules, Refusal
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.request_signatures import Request

log = logging.getLogger("local.request_guard")
_APP: Final = "ministack.app"
VALUE: Final = PatchPoint("ministack.core.sigv4", "decode_header_value", ("value",))
SERVICE: Final = PatchPoint("ministack.core.router", "detect_service", ("method", "path", "headers", "query_params"))
FAILURE: Final = PatchPoint(_APP, "_credential_failure", ("service", "iam_action", "request_id", "denied", "headers"))
SEND: Final = PatchPoint(_APP, "_send_response", ("send", "status", "headers", "body", "head"))
ADD_DATE: Final = PatchPoint(_APP, "_with_date_header", ("send",))
PATCH_POINTS: Final = (VALUE, SERVICE, FAILURE, SEND, ADD_DATE, *request_signatures.PATCH_POINTS)
Response = tuple[int, dict[str, Any], bytes]


class RequestGuard:
    """Decides about each request before the application receives it."""

    def __init__(self, layout: Layout, secret: str) -> None:
        self._console_port, self._secret = layout.console_port, secret
        self._rules = BrowserRules(layout)

    async def admit(self, scope: Any, receive: Any, send: Any) -> tuple[Any, Any] | None:
        """Return `receive` and `send` for the application, or None if the request has been answered."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return None
        port, method, path = scope["server"][1], scope["method"], scope["path"]
        headers = _headers(scope["headers"])
        if refusal := self._rules.refusal(port, method, path, headers):
            log.warning("%s %s refused: %s", method, path, refusal.message)
            await _respond(send, method, _plain(refusal))
            return None
        reader = self._rules.console_origin if self._rules.may_read(port, method, path, headers) else None
        if reader and method == "OPTIONS":
            await _respond(send, method, _preflight(reader))
            return None
        if port != self._console_port:
            receive = await self._check_credentials(scope, headers, receive, send)
        return None if receive is None else (receive, _with_cors(send, reader))

    async def _check_credentials(self, scope: Any, headers: dict[str, str], receive: Any, send: Any) -> Any:
        """Return `receive` for the application, or None if the request was answered or the client has disconnected."""
        query = scope["query_string"].decode("utf-8", "replace")
        request = Request(scope["method"], scope["path"], scope["raw_path"].decode("latin-1"), query, headers)
        body = b""
        if request.needs_body:
            read = await _read(receive)
            if read is None:
                return None
            body, receive = read, _replay(read, receive)
        refusal = request.refusal(self._secret, body)
        if refusal is None:
            return receive
        log.warning("%s %s refused: %s", request.method, request.path, refusal.message)
        await _respond(send, request.method, _as_aws(refusal, request))
        return None


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers with lower-case names. Repeated headers are joined in the way that Signature Version 4 signs
    them."""
    headers: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("latin-1").lower(), VALUE.resolve()(value)
        headers[name] = f"{headers[name]},{text}" if name in headers else text
    return headers


async def _read(receive: Any) -> bytes | None:
    """Return the body, or None if the client has disconnected."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _replay(body: bytes, receive: Any) -> Any:
    """Return a `receive` that first returns the body that has been read."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Any:
        return pending.pop() if pending else await receive()

    return replayed


def _with_cors(send: Any, reader: str | None) -> Any:
    """Return a `send` that removes all CORS headers and lets only `reader` read the response."""

    async def replaced(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [each for each in message.get("headers", []) if not _is_cors(each[0])]
            if reader:
                headers += [(name.encode(), value.encode()) for name, value in _readable_by(reader).items()]
            message = message | {"headers": headers}
        await send(message)

    return replaced


def _readable_by(origin: str) -> dict[str, str]:
    return {"access-control-allow-origin": origin, "vary": "Origin"}


def _preflight(origin: str) -> Response:
    allowed = {"access-control-allow-methods": "POST", "access-control-allow-headers": "content-type"}
    return 204, _readable_by(origin) | allowed, b""


def _is_cors(name: bytes) -> bool:
    return name.lower().startswith(b"access-control-")


def _plain(refusal: Refusal) -> Response:
    body = json.dumps({"code": refusal.code, "message": refusal.message}) + "\n"
    return 403, {"content-type": "application/json", "cache-control": "no-store"}, body.encode()


def _as_aws(refusal: Refusal, request: Request) -> Response:
    """Return the refusal in the protocol of the service, so that AWS clients report its message."""
    if request.is_internal:
        return _plain(refusal)
    service = SERVICE.resolve()(request.method, request.path, request.headers, request.params)
    response: Response = FAILURE.resolve()(service, "", str(uuid.uuid4()), refusal, request.headers)
    return response


async def _respond(send: Any, method: str, response: Response) -> None:
    await SEND.resolve()(ADD_DATE.resolve()(send), *response, head=method == "HEAD")
