"""The common part of the API and the pages: an application with routes, security headers and JSON errors.

A request without a route is rejected with an error in the shape of a GraphQL error. A browser that opens an unknown
address gets the site's page for this case. CORS is disabled. It imports neither GraphQL nor AWS's SDK, because the
pages' Lambda needs neither.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.errors import error_body

SECURITY_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Default values: a response can set its own. A page needs a policy that permits its scripts."""


Missing = Callable[[Request], Awaitable[Response | None]]
"""Returns the page for a browser that opens an unknown address. None means the JSON error."""


def create_site(routes: Sequence[Route], missing: Missing | None = None) -> ASGIApp:
    async def rejected(request: Request, rejection: Exception) -> Response:
        if isinstance(rejection, HTTPException) and rejection.status_code == 404 and missing is not None:
            page = await missing(request)
            if page is not None:
                return page
        return await _rejected(request, rejection)

    app = Starlette(routes=routes, exception_handlers={HTTPException: rejected})
    app.router.redirect_slashes = False
    return _with_security_headers(app)


async def _rejected(_request: Request, rejection: Exception) -> Response:
    if not isinstance(rejection, HTTPException):
        raise rejection
    code = "NOT_FOUND" if rejection.status_code == 404 else "INVALID_REQUEST"
    body = error_body(code, f"{rejection.detail}: want POST /graphql or GET of a page")
    return JSONResponse({"errors": [body]}, rejection.status_code, rejection.headers)


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
