"""A request that a server keeps alive forever ends with TIMED_OUT: slow headers, interim responses, a slow body."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from admin_api.cli.api import http
from admin_api.cli.errors import Unreachable
from tests.functional.device.tls_certificates import issue

_LIMIT = 0.2
Part = tuple[bytes, bytes]
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
SLOW: dict[str, Part] = {
    "a header without an end": (_HEAD, b"x"),
    "headers without an end": (_HEAD, b"x: y\r\n"),
    "interim responses without an end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints without an end": (b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
    "a status line without an end": (b"HTTP/1.1 200 ", b"O"),
    "a body without an end": (_HEAD + b"content-length: 100000\r\n\r\n", b" "),
    "chunks without an end": (_HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "nothing": (b"", b""),
}
"""What the server sends first, and what it repeats until the client has left."""


@contextmanager
def _serving(first: bytes, repeated: bytes, tls: ssl.SSLContext | None) -> Iterator[str]:
    """A server that answers each request in parts, and ends when the client closes the connection."""
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                accepted, _ = listener.accept()
                with tls.wrap_socket(accepted, server_side=True) if tls else accepted as connection:
                    connection.recv(65_536)
                    connection.sendall(first)
                    while not left.wait(0.01):
                        connection.sendall(repeated)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/graphql"
        finally:
            left.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _tls_contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of the server and of the client."""
    ca = issue(folder, "ca")
    own = issue(folder, "server", ca)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own.cert, own.key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Python 3.13's default context requires more of a CA
    client.load_verify_locations(ca.cert)
    return server, client


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("name", SLOW)
def test_a_response_without_end_is_aborted(
    name: str, encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = _tls_contexts(tmp_path) if encrypted else (None, None)
    monkeypatch.setattr(http, "CONNECT_SECONDS", _LIMIT)
    if client:
        monkeypatch.setattr(http, "_tls", lambda _trust_env: client)
    with _serving(*SLOW[name], server) as url, http.open_http(url, _LIMIT) as opened:
        with pytest.raises(Unreachable) as given_up:
            http.send(opened, url, json={"query": "{ me { name } }"})
        assert given_up.value.code == "TIMED_OUT"
