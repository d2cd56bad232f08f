"""A server that never completes a response, or sends one without end, for tests of the limits of whole requests."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sending(start: bytes, then: bytes, pause: float) -> Iterator[str]:
    """A server that sends `then` until the client closes the connection."""
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                connection.sendall(start)
                while not ended.wait(pause):
                    connection.sendall(then)
            except OSError:
                return

    def accept() -> None:
        while not ended.is_set():
            try:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
