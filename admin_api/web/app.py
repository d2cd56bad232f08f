"""The web application: POST /graphql and the console's pages. Every other request is rejected.

Authentication precedes everything else in a GraphQL request. Queries by GET, batches, uploads and subscriptions are
rejected; GraphiQL and CORS are disabled. Every error response is JSON in the shape of a GraphQL error.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cross_web import HTTPException as RequestRejected
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from admin_api import failures
from admin_api.failures import error_body, logger
from admin_api.graphql.context import Context
from admin_api.graphql.limits import MAX_BODY, MAX_RESPONSE, RequestQuota
from admin_api.schema import schema
from admin_api.services import Services
from admin_api.web.tokens import TokenVerifier

SECURITY_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Defaults: a response can set its own value. A page needs a policy that permits its scripts."""


class Endpoint(GraphQL[Context, None]):
    """Strawberry's ASGI view, with authentication and error mapping."""

    def __init__(self, verifier: TokenVerifier, services: Services) -> None:
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self._verifier = verifier
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except RequestRejected as rejection:
            response = _error(rejection.status_code, error_body("INVALID_REQUEST", rejection.reason))
        except HTTPException as rejection:
            response = _error(rejection.status_code, error_body("INVALID_REQUEST", rejection.detail))
        except Exception as error:  # noqa: BLE001  # the last handler that can respond with JSON
            response = _error(*failures.error_response(error, _correlation_id(request)))
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002  # Strawberry's signature
        caller = self._verifier.caller(request.headers.get("authorization"))
        quota = RequestQuota(self._services.clock)
        request.state.context = Context(caller, self._services, _correlation_id(request), quota)
        return request.state.context  # type: ignore[no-any-return]  # Starlette's state is untyped

    def decode_json(self, data: str | bytes) -> object:
        if len(data) > MAX_BODY:
            raise RequestRejected(413, f"got a body of {len(data)} bytes, want at most {MAX_BODY}")
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            raise RequestRejected(400, "got a body that is not JSON, want {query, variables, operationName}") from None
        if not isinstance(body, dict):
            raise RequestRejected(400, "got a body that is not one JSON object, want one operation per request")
        return body

    def encode_json(self, data: object) -> str:
        """Return the response body. A result that exceeds the limit of Lambda is replaced by ANSWER_TOO_LARGE."""
        text = json.dumps(data, separators=(",", ":"))
        size = len(text) + text.count('"') + text.count("\\")  # the Lambda runtime encodes it as a JSON string
        if size <= MAX_RESPONSE:
            return text
        logger.warning("response too large", size=size)
        message = f"got a response of {size} bytes, want at most {MAX_RESPONSE}: request less; changes are kept"
        return json.dumps({"data": None, "errors": [error_body("ANSWER_TOO_LARGE", message)]})

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        context: Context = request.state.context
        errors = failures.result_errors(result.errors or (), context.correlation_id)
        logger.info(
            "responded",
            actor=context.caller.actor,
            role=context.caller.role,
            operations=context.operations,
            codes=failures.codes(errors),
        )
        return {"data": result.data, "errors": list(errors)} if errors else {"data": result.data}


def create_app(verifier: TokenVerifier, services: Services, pages: Sequence[Route] = ()) -> ASGIApp:
    """Return the application. `pages` are the console's routes, which need no token."""
    graphql = Route("/graphql", Endpoint(verifier, services), methods=["POST"])
    app = Starlette(routes=[graphql, *pages], exception_handlers={HTTPException: _rejected})
    app.router.redirect_slashes = False
    return _with_security_headers(app)


async def _rejected(_request: Request, rejection: Exception) -> Response:
    if not isinstance(rejection, HTTPException):
        raise rejection
    code = "NOT_FOUND" if rejection.status_code == 404 else "INVALID_REQUEST"
    body = error_body(code, f"{rejection.detail}: want POST /graphql or GET of a page")
    return _error(rejection.status_code, body, rejection.headers)


def _error(status: int, error: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    challenge = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"errors": [error]}, status, {**(headers or {}), **challenge})


def _correlation_id(request: Request | WebSocket) -> str:
    """Return API Gateway's request id, which is also in its access log."""
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    request_id: str = context.get("requestId") or request.scope.setdefault("lobby.correlation", uuid.uuid4().hex)
    return request_id


def _with_security_headers(app: ASGIApp) -> ASGIApp:
    async def secured(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_secured)

    return secured
