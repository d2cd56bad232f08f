"""The web application: POST /graphql, the console's pages, and a clear no to everything else.

Authentication comes before anything in a request is looked at. Queries by GET, batches, uploads and
subscriptions are refused; there is no GraphiQL and no CORS. Whatever goes wrong is answered in JSON, in the
shape of a GraphQL error.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cross_web import HTTPException as RequestRefused
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
from admin_api.failures import body_of, logger
from admin_api.graphql.context import Context
from admin_api.graphql.limits import MAX_ANSWER, MAX_BODY, Allowance
from admin_api.schema import schema
from admin_api.services import Services
from admin_api.web.tokens import Verifier

SECURITY_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""A response that sets one of these itself keeps its own: a page needs a policy that lets its scripts run."""


class Endpoint(GraphQL[Context, None]):
    """Strawberry's view, with our authentication before it and our failures after it."""

    def __init__(self, verifier: Verifier, services: Services) -> None:
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self._verifier = verifier
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except RequestRefused as refusal:
            response = _failure(refusal.status_code, body_of("INVALID_REQUEST", refusal.reason))
        except HTTPException as refusal:
            response = _failure(refusal.status_code, body_of("INVALID_REQUEST", refusal.detail))
        except Exception as error:  # noqa: BLE001  # the last place that can still answer in JSON
            response = _failure(*failures.told(error, _correlation(request)))
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002  # Strawberry's signature
        caller = self._verifier.caller(request.headers.get("authorization"))
        allowance = Allowance(self._services.clock)
        request.state.context = Context(caller, self._services, _correlation(request), allowance)
        return request.state.context  # type: ignore[no-any-return]  # Starlette's state is untyped

    def decode_json(self, data: str | bytes) -> object:
        if len(data) > MAX_BODY:
            raise RequestRefused(413, f"got a body of {len(data)} bytes, want at most {MAX_BODY}")
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            raise RequestRefused(400, "got a body that is not JSON, want {query, variables, operationName}") from None
        if not isinstance(body, dict):
            raise RequestRefused(400, "got a body that is not one JSON object, want one operation a request")
        return body

    def encode_json(self, data: object) -> str:
        """A result as it is sent. One that no Lambda could answer with is left out, and said to be too large."""
        text = json.dumps(data, separators=(",", ":"))
        size = len(text) + text.count('"') + text.count("\\")  # the runtime puts it into JSON once more
        if size <= MAX_ANSWER:
            return text
        logger.warning("answer too large", size=size)
        words = (
            f"got an answer of {size} bytes, want at most {MAX_ANSWER}: ask for less at once; what it changed stands"
        )
        return json.dumps({"data": None, "errors": [body_of("ANSWER_TOO_LARGE", words)]})

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        context: Context = request.state.context
        errors = failures.told_all(result.errors or (), context.correlation)
        logger.info(
            "answered",
            actor=context.caller.actor,
            role=context.caller.role,
            operations=context.asked,
            codes=failures.codes(errors),
        )
        return {"data": result.data, "errors": list(errors)} if errors else {"data": result.data}


def create_app(verifier: Verifier, services: Services, pages: Sequence[Route] = ()) -> ASGIApp:
    """The application. `pages` are the console's routes, which ask for no token."""
    graphql = Route("/graphql", Endpoint(verifier, services), methods=["POST"])
    app = Starlette(routes=[graphql, *pages], exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    return _with_security_headers(app)


async def _refused(_request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, HTTPException):
        raise refusal
    code = "NOT_FOUND" if refusal.status_code == 404 else "INVALID_REQUEST"
    return _failure(
        refusal.status_code, body_of(code, f"{refusal.detail}: want POST /graphql, or GET a page"), refusal.headers
    )


def _failure(status: int, error: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    challenge = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"errors": [error]}, status, {**(headers or {}), **challenge})


def _correlation(request: Request | WebSocket) -> str:
    """API Gateway's id of the request, which its access log has too."""
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    found: str = context.get("requestId") or request.scope.setdefault("lobby.correlation", uuid.uuid4().hex)
    return found


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
