"""The time limit of one exchange over HTTP.

An HTTP client limits the wait for each packet. A server that sends single bytes of a header, or endless interim
responses, could therefore block it forever. After the time limit, the sockets of the client are shut down, and its read
fails.
"""

import os
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

import httpx

_OPENED: Final = (".connect_tcp.complete", ".start_tls.complete")
"""The trace events of a connection's socket (httpcore, "Trace"). TLS replaces the socket."""
_SOCKETS: Final[WeakKeyDictionary[httpx.Client, list[socket.socket]]] = WeakKeyDictionary()
"""The sockets of each client. They are kept because a connection serves several requests."""


class TimeLimit:
    """A context in which an exchange of `http` takes at most `seconds`. `trace` is the request's trace extension."""

    def __init__(self, http: httpx.Client, seconds: float) -> None:
        self._sockets = _SOCKETS.setdefault(http, [])
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.is_over = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Record the socket of a new connection."""
        if event.endswith(_OPENED):
            opened = info["return_value"].get_extra_info("socket")
            self._sockets[:] = [each for each in (*self._sockets, opened) if each.fileno() >= 0]

    def _end(self) -> None:
        self.is_over = True
        for each in self._sockets:
            _shut_down(each)


def _shut_down(opened: socket.socket) -> None:
    """Shut down a connection, below TLS, while another thread reads from it. Ignore closed sockets."""
    try:
        with socket.socket(fileno=os.dup(opened.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
