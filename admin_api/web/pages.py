"""What a browser gets of the admin API before anybody is signed in: the console's pages, their files, and where to
sign in. Nothing of the lobby's devices is in any of it.

Every page is the same document, with a policy that lets it run its own scripts and talk to its own origin and the
user pool's, and a nonce that is good for one answer. Hashed files are kept for ever; the page never; what has a fixed
name is asked after each time. Where the console was not built, its addresses say so, and signing in still works for
the command line. Refuses every method but GET and HEAD.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from admin_api.settings import Settings
from admin_api.web.built_console import NONCE, BuiltConsole, BuiltFile

PAGES: Final = ("/", "/waiting", "/claim", "/devices", "/devices/{certid}", "/targets", "/overview")
NOT_BUILT: Final = "this lobby was deployed without its console (nothing is in admin_api/console/dist)"
_FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_ASK_FIRST: Final = {"cache-control": "no-cache"}
_SCRIPT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
)
"""Of a script that runs as a worker, the service worker above all: it has its own policy, not its page's."""
_PERMISSIONS: Final = ", ".join(
    ["camera=(self)"] + [f"{each}=()" for each in ("display-capture", "geolocation", "microphone", "payment", "usb")]
)


class Pages:
    """The routes. `new_nonce` gives at least 128 random bits of the base64 alphabet (CSP Level 3, "nonce-source")."""

    def __init__(self, console: BuiltConsole | None, settings: Settings, new_nonce: Callable[[], str]) -> None:
        self._console = console
        self._settings = settings
        self._new_nonce = new_nonce

    def routes(self) -> list[Route]:
        files = self._console.files if self._console else {}
        return [
            Route("/sign-in.json", self.sign_in),
            *(Route(path, self.page) for path in PAGES),
            Route("/assets/{name}", self.asset),
            *(Route(f"/{name}", partial(_fixed, file)) for name, file in files.items() if "/" not in name),
        ]

    async def sign_in(self, request: Request) -> Response:
        return _of(request, JSONResponse(sign_in_document(self._settings)))

    async def page(self, request: Request) -> Response:
        nonce = self._new_nonce()
        html = self._built.index.content.replace(NONCE, nonce.encode())
        headers = {
            "cache-control": "no-store",
            "content-security-policy": page_policy(nonce, self._settings.login_url),
            "permissions-policy": _PERMISSIONS,
        }
        return _of(request, Response(html, media_type="text/html", headers=headers))

    async def asset(self, request: Request) -> Response:
        """One whose name changes with its content."""
        file = self._built.files.get(f"assets/{request.path_params['name']}")
        if file is None:
            raise HTTPException(404)
        return _file(request, file, _FOR_EVER)

    @property
    def _built(self) -> BuiltConsole:
        if self._console is None:
            raise HTTPException(404, NOT_BUILT)
        return self._console


def sign_in_document(settings: Settings) -> dict[str, str | None]:
    """What an OAuth client has to know, for the console and the command line. All of it is public."""
    login = settings.login_url
    return {
        "issuer": settings.issuer,
        "authorize_url": f"{login}/oauth2/authorize",
        "token_url": f"{login}/oauth2/token",
        "logout_url": f"{login}/logout",
        # The emulator revokes tokens by its API only, not at this endpoint.
        "revoke_url": None if settings.emulator else f"{login}/oauth2/revoke",
        "client_id": settings.client_id,
        "scope": "openid profile",
    }


def page_policy(nonce: str, login_url: str) -> str:
    """The page's Content-Security-Policy. `login_url` is an origin, without a path."""
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


async def _fixed(file: BuiltFile, request: Request) -> Response:
    """One that keeps its name: the service worker, the manifest, icons."""
    return _file(request, file, _ASK_FIRST)


def _file(request: Request, file: BuiltFile, caching: Mapping[str, str]) -> Response:
    variant = file.variant(request.headers.get("accept-encoding"))
    headers = {**caching, "etag": variant.etag, "vary": "accept-encoding"}
    if file.media_type == "text/javascript":
        headers["content-security-policy"] = _SCRIPT_POLICY
    if _has(request.headers.get("if-none-match", ""), variant.etag):
        # With its type: an answer without one would pass for JSON on its way through the Lambda's adapter.
        return Response(status_code=304, headers=headers, media_type=file.media_type)
    if variant.coding:
        headers["content-encoding"] = variant.coding
    return _of(request, Response(variant.content, headers=headers, media_type=file.media_type))


def _has(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison."""
    return if_none_match.strip() == "*" or etag in {
        each.strip().removeprefix("W/") for each in if_none_match.split(",")
    }


def _of(request: Request, response: Response) -> Response:
    """HEAD gets the headers alone; the length, which is of no body here, is left out."""
    if request.method == "HEAD":
        response.body = b""
        del response.headers["content-length"]
    return response
