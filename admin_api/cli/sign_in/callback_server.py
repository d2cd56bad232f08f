"""The redirect URI of a sign-in: an HTTP server on loopback that waits for the browser to return (RFC 8252, 7.3).

It listens on both loopback addresses of `localhost`, so that no other program can receive the authorization response on
the second one. Browsers open connections in advance and request icons, and any web page can send requests to this
server. The server therefore accepts only a navigation to `/` with a response to this sign-in, and only the first one.
It refuses a `Host` that is not its own (DNS rebinding).
"""

import errno
import html
import queue
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from admin_api.cli.errors import NotSignedIn, usage_error

_ADDRESSES: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_IDLE_SECONDS: Final = 10
_NAVIGATION: Final = ("navigate", "document")
_STYLE: Final = (
    "body{font:18px system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;color-scheme:light dark}"
)
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>lobbyctl</title><meta name="viewport" '
    'content="width=device-width"><style>{style}</style><main><h1>{title}</h1><p>{text}</p></main></html>'
)
Check = Callable[[str], NotSignedIn | None]
"""Return the fault in the query string of a response, or None."""
OTHER_SIGN_IN: Final = "SIGN_IN_STATE"
"""The error code of a response that does not belong to this sign-in. The server continues to wait."""


def result_page(error: str | None) -> str:
    """Return the HTML page that the browser shows."""
    title = "Signed in" if error is None else "Not signed in"
    text = "You can close this page and return to the terminal." if error is None else error
    return _PAGE.format(style=_STYLE, title=title, text=html.escape(text))


class CallbackServer:
    """A context manager; `wait` returns the query string of the authorization response."""

    def __init__(self, check: Check, port: int) -> None:
        self._responses: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._check, self._accepted = check, threading.Lock()
        self._servers: list[ThreadingHTTPServer] = []
        self.port = port

    def __enter__(self) -> Self:
        """Start listening. Raise `InvalidInput` PORT_TAKEN."""
        try:
            for family, host in _ADDRESSES:
                self._listen(family, host)
        except BaseException:
            self.close()
            raise
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
        self.close()

    def close(self) -> None:
        for server in self._servers:
            server.server_close()

    def wait(self, seconds: float) -> str:
        """Return the accepted query string. Raise `NotSignedIn` SIGN_IN_TIMED_OUT."""
        try:
            return self._responses.get(timeout=seconds)
        except queue.Empty:
            message = f"got no response from the browser within {seconds:.0f} s: run the command again"
            raise NotSignedIn("SIGN_IN_TIMED_OUT", message) from None

    def accept(self, query: str) -> tuple[int, str]:
        """Return the status and the page for a request. Accept only the first response to this sign-in."""
        error = self._check(query)
        if error is not None and error.code == OTHER_SIGN_IN:
            return 400, result_page(error.message)
        if not self._accepted.acquire(blocking=False):
            return 409, result_page("This sign-in is already complete.")
        self._responses.put(query)
        return (200, result_page(None)) if error is None else (400, result_page(error.message))

    def _listen(self, family: socket.AddressFamily, host: str) -> None:
        server_class = type("_Server", (_Server,), {"address_family": family})
        try:
            server = server_class((host, self.port), _Handler)
        except OSError as error:
            if family is socket.AF_INET6 and error.errno != errno.EADDRINUSE:
                return  # a machine without IPv6
            raise usage_error(
                f"got port {self.port} of {host} ({error.strerror}), want it free for the browser's response: is "
                "another lobbyctl login running?",
                "PORT_TAKEN",
            ) from error
        server.owner = self
        self._servers.append(server)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: CallbackServer


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        if not self._is_navigation():
            self._respond(403, result_page("This address only completes a sign-in of lobbyctl in a browser window."))
            return
        parts = urlsplit(self.path)
        parameters = parse_qs(parts.query, keep_blank_values=True)
        if parts.path != "/" or not {"code", "error"} & set(parameters):
            self._respond(404, result_page("This address only completes a sign-in of lobbyctl."))
            return
        self._respond(*self.server.owner.accept(parts.query))

    def _is_navigation(self) -> bool:
        """Return whether the request is for this server and does not come from a script or a frame of a web page."""
        headers, port = self.headers, self.server.owner.port
        hosts = {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
        mode, target = headers.get("sec-fetch-mode", "navigate"), headers.get("sec-fetch-dest", "document")
        return headers.get("host", "") in hosts and "origin" not in headers and (mode, target) == _NAVIGATION

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Log nothing: the request line contains the authorization code."""

    def _respond(self, status: int, page: str) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in {
            "content-type": "text/html; charset=utf-8",
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            "referrer-policy": "no-referrer",
            "connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
