"""Where the browser comes back to after the sign-in: one address on this machine's loopback, for one answer (RFC 8252).

It listens on both of localhost's addresses, so that no other program can take the answer on the other one. Browsers
open connections ahead of need and ask for icons, and any page can send one here: only a request for `/` that carries
an answer to this very sign-in counts, and the first one ends it.
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

from admin_api.cli.errors import NotSignedIn, wrong_use

_ADDRESSES: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_IDLE_SECONDS: Final = 10
_STYLE: Final = (
    "body{font:18px system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;color-scheme:light dark}"
)
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>lobbyctl</title><meta name="viewport" '
    'content="width=device-width"><style>{style}</style><main><h1>{title}</h1><p>{text}</p></main></html>'
)
Judge = Callable[[str], NotSignedIn | None]
"""Looks at the query that came back: what is wrong with it, or None."""
ANOTHERS: Final = "SIGN_IN_STATE"
"""The code of what answers another sign-in, or nobody's: it is waited on."""


def page_of(fault: str | None) -> str:
    """What the browser shows."""
    title = "Signed in" if fault is None else "Not signed in"
    text = "You can close this page and go back to the terminal." if fault is None else fault
    return _PAGE.format(style=_STYLE, title=title, text=html.escape(text))


class Loopback:
    """Open as a context; `wait` gives the query of the answer."""

    def __init__(self, judge: Judge, port: int) -> None:
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._judge, self._answered = judge, threading.Lock()
        self._servers: list[ThreadingHTTPServer] = []
        self.port = port

    def __enter__(self) -> Self:
        """Raises `InvalidInput` PORT_TAKEN."""
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
        """Raises `NotSignedIn` SIGN_IN_TIMED_OUT."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            raise NotSignedIn(
                "SIGN_IN_TIMED_OUT", f"got no answer from the browser within {seconds:.0f} s, want one: begin anew"
            ) from None

    def take(self, query: str) -> tuple[int, str]:
        """Status and page for a request that carries an answer; all but the first to this sign-in are turned away."""
        fault = self._judge(query)
        if fault is not None and fault.code == ANOTHERS:
            return 400, page_of(fault.message)
        if not self._answered.acquire(blocking=False):
            return 409, page_of("This sign-in has been answered already.")
        self._answers.put(query)
        return (200, page_of(None)) if fault is None else (400, page_of(fault.message))

    def _listen(self, family: socket.AddressFamily, host: str) -> None:
        kind = type("_Server", (_Server,), {"address_family": family})
        try:
            server = kind((host, self.port), _Handler)
        except OSError as fault:
            if family is socket.AF_INET6 and fault.errno != errno.EADDRINUSE:
                return  # a machine without IPv6
            raise wrong_use(
                f"got port {self.port} of {host} ({fault.strerror}), want it free for the browser's answer: is another "
                "lobbyctl login waiting?",
                "PORT_TAKEN",
            ) from fault
        server.owner = self
        self._servers.append(server)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: Loopback


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """The name is http.server's."""
        parts = urlsplit(self.path)
        carries = parse_qs(parts.query, keep_blank_values=True)
        if parts.path != "/" or not {"code", "error"} & set(carries):
            self._answer(404, page_of("There is nothing here but the end of a sign-in."))
            return
        self._answer(*self.server.owner.take(parts.query))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """A request line carries the code: it is not logged."""

    def _answer(self, status: int, page: str) -> None:
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
