"""The MQTT listeners: one bound loopback socket per account and Region, in the place of MiniStack's single one.

They share one TLS context, whose certificate names every address and is renewed when an address is added. A session
whose certificate is no longer ACTIVE is closed here.
"""

import asyncio
import functools
import logging
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from infra.local.errors import StartFailed
from infra.local.layout import Endpoint, Layout
from lobby.names import Target

_BACKLOG: Final = 512
log = logging.getLogger("local.endpoints")


class Listeners:
    """The bound sockets, one per scope. Stands in for MiniStack's single server: it has its `close`."""

    def __init__(self, layout: Layout, iot: Any) -> None:
        self.layout = layout
        self.iot = iot
        self._sockets: dict[Endpoint, socket.socket] = {}
        self._scopes: dict[Endpoint, Target] = {}
        self._servers: list[asyncio.AbstractServer] = []
        self._certified: set[str] = set()
        self._certifying = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def hosts(self) -> set[str]:
        return {endpoint.host for endpoint in self._scopes}

    def scope_of(self, host: str, port: int) -> Target | None:
        return self._scopes.get(Endpoint(host, port))

    def bind(self, scope: Target) -> None:
        """Listen where `scope` is dialled; again is no effect. The kernel queues connections until `serve`.
        Raises `StartFailed` PORT_TAKEN."""
        endpoint = self.layout.endpoint(scope)
        held = self._scopes.get(endpoint)
        if held == scope:
            return
        if held is not None:
            raise StartFailed("PORT_TAKEN", f"got {scope} at {endpoint.host}, want an address that {held} has not")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((endpoint.host, endpoint.port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise StartFailed("PORT_TAKEN", f"cannot listen on {endpoint.host}:{endpoint.port} ({error})") from error
        listener.setblocking(False)
        self._sockets[endpoint], self._scopes[endpoint] = listener, scope

    async def serve(self) -> None:
        """Accept on every bound socket that is not yet accepted on."""
        loop = asyncio.get_running_loop()
        for endpoint in list(self._sockets):
            listener = self._sockets.pop(endpoint)
            self._servers.append(await loop.create_server(self.iot._MtlsAcceptor, sock=listener))
            log.info("%s listens on %s:%d", self._scopes[endpoint], endpoint.host, endpoint.port)

    def open(self, scope: Target) -> None:
        """Bind and serve, from inside a request, in any thread."""
        self.bind(scope)
        if self._sockets:
            self._soon(self.serve)

    def _soon(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        def start() -> None:
            task = asyncio.ensure_future(work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        if self.iot._mtls_loop is not None:
            self.iot._mtls_loop.call_soon_threadsafe(start)

    def close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._scopes.clear()
        self._certified.clear()

    def certify(self, context: ssl.SSLContext) -> None:
        """Give `context` a certificate that names every address, if the one it holds does not."""
        with self._certifying:
            wanted = self.hosts()
            if not wanted <= self._certified:
                _load_certificate(context, *self.iot._mtls_ensure_server_cert())
                self._certified |= wanted

    def disconnect_deactivated(self) -> None:
        """Close the sessions whose certificate is no longer ACTIVE where they are connected. AWS does so within
        minutes (developer guide, "Deactivate or revoke a client certificate"); here at once."""
        for (account, region, client), session in list(self.iot._connected_clients.items()):
            certid = session.certificate_id
            if certid is None or session.provisioning_template is not None:
                continue
            record = self.iot._certificates.get_scoped(account, region, certid)
            if record is None or record.get("status") != "ACTIVE":
                log.info("closing %s in %s/%s: its certificate is not ACTIVE", client, account, region)
                session._forced_disconnect_reason = "AUTH_ERROR"
                self._soon(functools.partial(session._send, {"type": "websocket.close", "code": 1000}))


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Connections from now on are shown this certificate; those that are up keep theirs."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as chain:
        chain.write(certificate + key)
    try:
        context.load_cert_chain(chain.name)
    finally:
        Path(chain.name).unlink()
