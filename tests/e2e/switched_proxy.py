"""An HTTP proxy that can be switched off. It simulates a lost network that the browser still reports as online.

Forwards plain HTTP, one request per connection, because local deployments have no TLS.
"""

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

_TIMEOUT: Final = 60.0
_HOP_BY_HOP: Final = re.compile(rb"^(proxy-connection|connection|keep-alive):", re.IGNORECASE)


class SwitchedProxy(socketserver.ThreadingTCPServer):
    """`on`: whether it forwards; otherwise it closes each connection without an answer."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.on = True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Forward(socketserver.BaseRequestHandler):
    server: SwitchedProxy

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._forward()

    def _forward(self) -> None:
        head, body = self._head()
        if not head or not self.server.on:
            return
        request_line, *fields = head.split(b"\r\n")
        method, target, version = request_line.split(b" ", 2)
        address = urlsplit(target.decode())
        if address.hostname is None:
            return  # CONNECT: browsers' own services
        path = address.path + (f"?{address.query}" if address.query else "")
        kept = [field for field in fields if not _HOP_BY_HOP.match(field)]
        lines = [b" ".join((method, path.encode() or b"/", version)), *kept, b"Connection: close", b"", b""]
        with socket.create_connection((address.hostname, address.port or 80), timeout=_TIMEOUT) as origin:
            origin.sendall(b"\r\n".join(lines) + body)
            while answer := origin.recv(65536):
                self.request.sendall(answer)

    def _head(self) -> tuple[bytes, bytes]:
        """Read the request: its head, and its body as far as content-length says."""
        self.request.settimeout(_TIMEOUT)
        received = b""
        while b"\r\n\r\n" not in received:
            more = self.request.recv(65536)
            if not more:
                return b"", b""
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        while length and len(body) < int(length[1]):
            body += self.request.recv(65536)
        return head, body


@contextmanager
def switched_proxy() -> Iterator[SwitchedProxy]:
    """Run the proxy in a thread."""
    with SwitchedProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
