"""The MQTT listeners of `endpoints`: bound loopback sockets of each account and Region.

They replace MiniStack's single listener. They share one TLS context; its certificate names every address and is
renewed when an address is added. A client is refused if it does not send the endpoint's name as SNI, or does not
negotiate ALPN on the port that needs it. Sessions whose certificate is no longer ACTIVE are closed here.
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
ALPN: Final = "x-amzn-mqtt-ca"
"""The protocol of MQTT with client certificates (AWS IoT developer guide, "Device communication protocols")."""
log = logging.getLogger("local.endpoints")


class Listeners:
    """The bound sockets, one per scope. MiniStack calls `close` as on its single server."""

    def __init__(self, layout: Layout, iot: Any) -> None:
        self.layout = layout
        self.iot = iot
        self._sockets: dict[Endpoint, socket.socket] = {}
        self._scopes: dict[Endpoint, Target] = {}
        self._servers: list[asyncio.AbstractServer] = []
        self._certified_hosts: set[str] = set()
        self._certificate_lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_active: Callable[[str, str, str], bool] = self._is_active
        """Whether the certificate (account, Region, id) may keep its sessions. `propagation` replaces it."""
        self.is_down: Callable[[str], bool] = lambda _region: False
        """Whether no device can connect to a Region now. `region_outages` replaces it."""

    def hosts(self) -> set[str]:
        return {endpoint.host for endpoint in self._scopes}

    def names(self) -> set[str]:
        return {self.layout.server_name(scope) for scope in self._scopes.values()} - self.hosts()

    def scope_of(self, host: str, port: int) -> Target | None:
        return self._scopes.get(Endpoint(host, port))

    def refusal(self, host: str, port: int, server_name: str | None, protocol: str | None) -> str | None:
        """Return why a client is refused after the TLS handshake, or None. `protocol` was negotiated with ALPN."""
        endpoint = Endpoint(host, port)
        scope = self._scopes.get(endpoint)
        if scope is None:
            return "no endpoint has this address"
        if self.is_down(scope.region):
            return f"{scope.region} is down"
        if not self.layout.accepts(scope, endpoint, server_name):
            return f"got server name {server_name!r} (SNI), want {self.layout.server_name(scope)}"
        if port == self.layout.alpn_port and protocol != ALPN:
            return f"got ALPN protocol {protocol!r}, want {ALPN} on this port"
        return None

    def bind(self, scope: Target) -> None:
        """Listen on the addresses of `scope`, once. The kernel queues connections until `serve`.
        Raise `StartFailed` PORT_TAKEN if one is in use."""
        for endpoint in self.layout.listens_on(scope):
            self._bind(scope, endpoint)

    def _bind(self, scope: Target, endpoint: Endpoint) -> None:
        owner = self._scopes.get(endpoint)
        if owner == scope:
            return
        if owner is not None:
            raise StartFailed("PORT_TAKEN", f"got {scope} at {endpoint.host}, the address of {owner}, want its own")
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
        """Accept connections on every bound socket."""
        loop = asyncio.get_running_loop()
        for endpoint in list(self._sockets):
            listener = self._sockets.pop(endpoint)
            self._servers.append(await loop.create_server(self.iot._MtlsAcceptor, sock=listener))
            log.info("%s listens on %s:%d", self._scopes[endpoint], endpoint.host, endpoint.port)

    def open(self, scope: Target) -> None:
        """Bind and serve, from a request handler in any thread."""
        self.bind(scope)
        if self._sockets:
            self._schedule(self.serve)

    def _schedule(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
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
        self._certified_hosts.clear()

    def renew_certificate(self, context: ssl.SSLContext) -> None:
        """Load a certificate that names every address into `context`, unless it already has one."""
        with self._certificate_lock:
            hosts = self.hosts() | self.names()
            if not hosts <= self._certified_hosts:
                _load_certificate(context, *self.iot._mtls_ensure_server_cert())
                self._certified_hosts |= hosts

    def _is_active(self, account: str, region: str, certid: str) -> bool:
        record = self.iot._certificates.get_scoped(account, region, certid)
        return record is not None and record.get("status") == "ACTIVE"

    def disconnect_deactivated(self) -> None:
        """Close the sessions whose certificate is no longer ACTIVE in their account and Region. AWS does this within
        minutes (AWS IoT developer guide, "Deactivate or revoke a client certificate"); this emulator does it
        immediately."""
        for (account, region, client), session in list(self.iot._connected_clients.items()):
            certid = session.certificate_id
            if certid is None or session.provisioning_template is not None:
                continue
            if not self.is_active(account, region, certid):
                log.info("closing %s in %s/%s: its certificate is not ACTIVE", client, account, region)
                session._forced_disconnect_reason = "AUTH_ERROR"
                self._schedule(functools.partial(session._send, {"type": "websocket.close", "code": 1000}))


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Use this certificate for new connections; open connections keep theirs."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as chain:
        chain.write(certificate + key)
    try:
        context.load_cert_chain(chain.name)
    finally:
        Path(chain.name).unlink()
