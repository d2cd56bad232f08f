"""The public content for browsers: the console's pages, their files, and the sign-in document.

None of it contains data about devices. Every page is the same document. Its Content-Security-Policy has a nonce for
each response. It permits the document's own scripts, and connections to its own origin and the user pool. For unknown
addresses, a browser gets the same document with status 404. Files with a hash in their name are cached permanently.
Files with a fixed name are revalidated each time. The page is never cached. If the console is not built, its paths
return NOT_FOUND with an explanation, and the command line can still sign in. Methods other than GET and HEAD are
rejected.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from admin_api.settings import SignInSettings
from admin_api.web.built_console import NONCE, BuiltConsole, BuiltFile

PAGES: Final = (
    *("/", "/waiting", "/claim", "/devices", "/devices/{certid}", "/targets", "/overview"),
    *("/enrolments", "/campaigns", "/activity", "/webhooks", "/users"),
)
NOT_BUILT: Final = "this lobby was deployed without its console (admin_api/console/dist is empty)"
_IMMUTABLE: Final = {"cache-control": "public, max-age=31536000, immutable"}
_REVALIDATE: Final = {"cache-control": "no-cache"}
_SCRIPT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
)
"""The policy of script responses. A worker, such as the service worker, has the policy of its script, not of its
page."""
_PERMISSIONS: Final = ", ".join(
    ["camera=(self)"] + [f"{each}=()" for each in ("display-capture", "geolocation", "microphone", "payment", "usb")]
)


class Pages:
    """The routes. `new_nonce` returns at least 128 random bits in base64 (CSP Level 3, "nonce-source")."""

    def __init__(self, console: BuiltConsole | None, settings: SignInSettings, new_nonce: Callable[[], str]) -> None:
        self._console = console
        self._settings = settings
        self._new_nonce = new_nonce

    def routes(self) -> list[Route]:
        files = self._console.files if self._console else {}
        return [
            Route("/sign-in.json", self.sign_in),
            Route("/graphql", _only_post),  # API Gateway sends POST to the API's Lambda
            *(Route(path, self.page) for path in PAGES),
            *(Route(f"{path}/", self.page) for path in PAGES[1:]),
            Route("/assets/{name}", self.asset),
            *(Route(f"/{name}", partial(_fixed_file, file)) for name, file in files.items() if "/" not in name),
        ]

    async def sign_in(self, request: Request) -> Response:
        return _response_to(request, JSONResponse(sign_in_document(self._settings)))

    async def missing(self, request: Request) -> Response | None:
        """Return the page for a browser that opens an unknown address. The console states that the page does not
        exist."""
        opened = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
        if not opened or self._console is None:
            return None
        response = await self.page(request)
        response.status_code = 404
        return response

    async def page(self, request: Request) -> Response:
        nonce = self._new_nonce()
        html = self._built.index.content.replace(NONCE, nonce.encode())
        headers = {
            "cache-control": "no-store",
            "content-security-policy": page_policy(nonce, self._settings.login_url),
            "permissions-policy": _PERMISSIONS,
        }
        return _response_to(request, Response(html, media_type="text/html", headers=headers))

    async def asset(self, request: Request) -> Response:
        """Return a file whose name changes with its content."""
        file = self._built.files.get(f"assets/{request.path_params['name']}")
        if file is None:
            raise HTTPException(404)
        return _file(request, file, _IMMUTABLE)

    @property
    def _built(self) -> BuiltConsole:
        if self._console is None:
            raise HTTPException(404, NOT_BUILT)
        return self._console


def sign_in_document(settings: SignInSettings) -> dict[str, str | None]:
    """Return the document for OAuth clients: the console and the command line. All of it is public."""
    login = settings.login_url
    return {
        "issuer": settings.issuer,
        "authorize_url": f"{login}/oauth2/authorize",
        "token_url": f"{login}/oauth2/token",
        "logout_url": f"{login}/logout",
        # The emulator revokes tokens only by its API, not at this endpoint.
        "revoke_url": None if settings.emulator else f"{login}/oauth2/revoke",
        "client_id": settings.client_id,
        "scope": "openid profile",
    }


def page_policy(nonce: str, login_url: str) -> str:
    """Return the page's Content-Security-Policy. `login_url` is an origin, without a path."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",  # the scanner is WebAssembly
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            f"connect-src 'self' {login_url}",
            "font-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


async def _only_post(_request: Request) -> Response:
    raise HTTPException(405, headers={"allow": "POST"})


async def _fixed_file(file: BuiltFile, request: Request) -> Response:
    """Return a file with a fixed name: the service worker, the manifest, icons."""
    return _file(request, file, _REVALIDATE)


def _file(request: Request, file: BuiltFile, caching: Mapping[str, str]) -> Response:
    variant = file.variant(request.headers.get("accept-encoding"))
    headers = {**caching, "etag": variant.etag, "vary": "accept-encoding"}
    if file.media_type == "text/javascript":
        headers["content-security-policy"] = _SCRIPT_POLICY
    if _matches(request.headers.get("if-none-match", ""), variant.etag):
        # Mangum would treat a response without a media type as JSON.
        return Response(status_code=304, headers=headers, media_type=file.media_type)
    if variant.coding:
        headers["content-encoding"] = variant.coding
    return _response_to(request, Response(variant.content, headers=headers, media_type=file.media_type))


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare ETags weakly (RFC 9110, section 13.1.2)."""
    return if_none_match.strip() == "*" or etag in {
        each.strip().removeprefix("W/") for each in if_none_match.split(",")
    }


def _response_to(request: Request, response: Response) -> Response:
    """Return the response. For HEAD it has no body and no content-length."""
    if request.method == "HEAD":
        response.body = b""
        del response.headers["content-length"]
    return response
