"""Which requests a web page may send to the local cloud.

Browsers let any page send requests to loopback. A page cannot change the headers `Host` (RFC 9110, 7.2), `Origin`
(Fetch, 3.2) and `Sec-Fetch-*` (Fetch Metadata Request Headers); other clients send no `Origin` and no `Sec-Fetch-*`.
The rules reject

- a `Host` that does not name this machine, such as another site's name that resolves to 127.0.0.1 (DNS rebinding),
- an `Origin` other than the server's own, where it has pages: the console's port, and the sign-in form,
- a `Sec-Fetch-Site` of another site or port, unless a user follows a link or redirect to the console or the sign-in
  page.

The console's service worker repeats a navigation with the destination `empty` and the site of the navigation. Scripts
of other pages cannot send that, because their requests have other modes.

The one exception is the token endpoint: the console's page calls it from its own origin.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.local.layout import GATEWAY_HOST, Layout

TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105 - a path
FORM_PATHS: Final = frozenset({"/login", "/oauth2/login"})
PAGE_PATHS: Final = frozenset({"/oauth2/authorize", "/logout"})
_HOSTS: Final = frozenset({GATEWAY_HOST, "localhost"})
_BELOW_LOCALHOST: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\.localhost")
"""Virtual hosts of APIs and buckets. Names below `localhost` are always loopback (RFC 6761, 6.3)."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: a code, the received value and the rule."""

    code: str
    message: str


@dataclass(frozen=True)
class BrowserRules:
    """The rules of both HTTP ports. Names of `headers` are lower-case; repeated headers are joined with a comma."""

    layout: Layout

    @property
    def console_origin(self) -> str:
        return self.layout.console_url.rstrip("/")

    def refusal(self, port: int, method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Return why the request is refused, or None."""
        return (
            self._host_refusal(port, headers.get("host", ""))
            or self._origin_refusal(port, method, path, headers)
            or self._site_refusal(port, method, path, headers)
        )

    def may_read(self, port: int, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Return whether this is the console's token call, whose response the console's page may read."""
        token_call = port != self.layout.console_port and path == TOKEN_PATH and method in ("POST", "OPTIONS")
        return token_call and headers.get("origin") == self.console_origin

    def _host_refusal(self, port: int, host: str) -> Refusal | None:
        name, _, given_port = host.lower().rpartition(":")
        virtual = port != self.layout.console_port and _BELOW_LOCALHOST.fullmatch(name)
        if given_port == str(port) and (name in _HOSTS or virtual):
            return None
        want = f"{GATEWAY_HOST}:{port} or localhost:{port}"
        return Refusal("FOREIGN_HOST", f"got Host {host!r}, want {want}: the local cloud serves only this machine")

    def _origin_refusal(self, port: int, method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
        origin = headers.get("origin")
        if origin is None or self.may_read(port, method, path, headers):
            return None
        has_pages = port == self.layout.console_port or (path in FORM_PATHS and method == "POST")
        if has_pages and origin == f"http://{headers.get('host', '').lower()}":
            return None
        return Refusal(
            "FOREIGN_ORIGIN", f"got Origin {origin!r}, want none: other web pages may not use the local cloud"
        )

    def _site_refusal(self, port: int, method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
        site = headers.get("sec-fetch-site", "none")
        if site in ("none", "same-origin") or self.may_read(port, method, path, headers):
            return None
        mode, target = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
        is_link = mode == "navigate" and target == "document"
        is_worker = mode in ("navigate", "same-origin") and target == "empty"
        is_console = port == self.layout.console_port
        if method == "GET" and ((is_link and (is_console or path in PAGE_PATHS)) or (is_worker and is_console)):
            return None
        return Refusal(
            "FOREIGN_SITE",
            f"got Sec-Fetch-Site {site!r} (mode {mode!r}, destination {target!r}), want 'same-origin', or a link to "
            "the console or the sign-in page: other web pages may not use the local cloud",
        )
