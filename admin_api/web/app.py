"""The web application: POST /graphql and the console's pages. Every other request is rejected.

GraphiQL and CORS are disabled. Every error response is JSON in the shape of a GraphQL error.
"""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.failures import error_body
from admin_api.services import Services
from admin_api.web.graphql_http import Endpoint, error_as_response
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
    return error_as_response(rejection.status_code, body, rejection.headers)


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
