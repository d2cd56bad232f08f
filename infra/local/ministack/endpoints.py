"""Gives every account and Region its own MQTT endpoint.

Differences from AWS:
- The endpoint that a device connects to determines the account and Region, and a certificate can be active in several
  (AWS IoT developer guide, "Connecting devices to AWS IoT", "X.509 client certificates"). MiniStack has one MQTT
  listener for all accounts and refuses a certificate that is ACTIVE in two of them.
- AWS IoT needs the endpoint's name as SNI ("Transport security in AWS IoT Core") and, on port 443, the ALPN protocol
  `x-amzn-mqtt-ca` ("Device communication protocols"). MiniStack needs neither and has one port.
- AWS IoT requires a client certificate, and disconnects the sessions of a certificate that is deactivated, revoked or
  deleted ("Deactivate or revoke a client certificate"). MiniStack does neither.
- Lifecycle events state the address of the client ("Lifecycle events"). MiniStack states 127.0.0.1 for MQTT over TLS.

The patch binds one loopback listener per account and Region (`listeners.py`). A connection sees only the certificates
and CAs of the account and Region it connected to. A client without a certificate or without the required SNI and ALPN
is refused. The sessions of a certificate that is no longer ACTIVE are closed. Events state the client's address.

Unnecessary when: MiniStack has one MQTT listener per account and Region (or selects it by the server name), requires a
client certificate, closes the sessions of deactivated certificates and states the clients' addresses.
"""

import asyncio
import contextvars
import importlib
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from infra.local.errors import StartFailed
from infra.local.layout import Layout
from infra.local.ministack.listeners import ALPN, Listeners
from infra.local.ministack.patch_points import PatchPoint
from lobby.errors import InvalidInput
from lobby.names import Target, parse_target

_IOT: Final = "ministack.services.iot"
log = logging.getLogger("local.endpoints")

DESCRIBE: Final = PatchPoint(_IOT, "_describe_endpoint", ("qp",))
SANS: Final = PatchPoint(_IOT, "_mtls_server_cert_sans", ())
CONTEXT: Final = PatchPoint(_IOT, "_mtls_context", ())
START: Final = PatchPoint(_IOT, "_mtls_start_locked", ())
SERVE: Final = PatchPoint(_IOT, "_mtls_serve_conn", ("reader", "writer"))
REGISTRATIONS: Final = PatchPoint(_IOT, "_mtls_active_registrations", ("cert_id", "status"))
IDENTITY: Final = PatchPoint(_IOT, "_mtls_resolve_identity", ("der",))
SIGNING_CA: Final = PatchPoint(_IOT, "_mtls_auto_registering_ca", ("account_id", "region", "ca_id", "server_name"))
REGISTER: Final = PatchPoint(_IOT, "_mtls_auto_register", ("der", "peername", "server_name"))
CERTIFICATE: Final = PatchPoint(_IOT, "_handle_certificate", ("method", "path", "body", "qp"))
PATCH_POINTS: Final = (
    *(DESCRIBE, SANS, CONTEXT, START, SERVE, REGISTRATIONS, IDENTITY, SIGNING_CA, REGISTER, CERTIFICATE),
    PatchPoint(_IOT, "_mtls_ensure_server_cert", ()),
    PatchPoint(_IOT, "_MtlsAcceptor"),
    PatchPoint(_IOT, "_mtls_server"),
    PatchPoint(_IOT, "_mtls_server_names"),
    PatchPoint(_IOT, "_mtls_loop"),
    PatchPoint(_IOT, "_publish_source_ip"),
    PatchPoint(_IOT, "_mtls_close", ("writer",)),
    PatchPoint(_IOT, "_connected_clients"),
    PatchPoint(_IOT, "_certificates.get_scoped"),
    PatchPoint(_IOT, "_ca_certificates._data"),
    PatchPoint(_IOT, "_WSSession.cleanup"),
    PatchPoint(_IOT, "get_account_id", ()),
    PatchPoint(_IOT, "get_region", ()),
)

_connected_to: contextvars.ContextVar[tuple[Target, str] | None] = contextvars.ContextVar("connected_to", default=None)
"""The scope and the address of the endpoint that serves the current connection."""


Patched = Callable[..., Any]


def scope_of_connection() -> Target | None:
    """Return the scope of the endpoint that serves the current connection, or None outside of one."""
    endpoint = _connected_to.get()
    return endpoint[0] if endpoint else None


def _visible(account: str, region: str) -> bool:
    endpoint = _connected_to.get()
    return endpoint is None or (endpoint[0].account, endpoint[0].region) == (account, region)


def apply(layout: Layout) -> Listeners:
    """Patch MiniStack's IoT module and bind the endpoints of the layout."""
    iot = importlib.import_module(_IOT)
    listeners = Listeners(layout, iot)
    for scope in layout.scopes():
        listeners.bind(scope)
    SANS.wrap(lambda original: lambda: _with_addresses(original(), listeners))
    CONTEXT.wrap(lambda original: _with_certificate(original, listeners))
    START.wrap(lambda _original: _starting(listeners, iot))
    SERVE.wrap(lambda original: _serving_scope(original, listeners))
    REGISTRATIONS.wrap(_visible_registrations)
    IDENTITY.wrap(_visible_identity)
    SIGNING_CA.wrap(_visible_signing_ca)
    REGISTER.wrap(_registering_by_address)
    DESCRIBE.wrap(lambda original: _describing(original, listeners))
    CERTIFICATE.wrap(lambda original: _followed_by(original, listeners.disconnect_deactivated))
    return listeners


def _with_addresses(names: tuple[list[str], list[str]], listeners: Listeners) -> tuple[list[str], list[str]]:
    dns, addresses = names
    return dns + sorted(listeners.names() - set(dns)), addresses + sorted(listeners.hosts() - set(addresses))


def _with_certificate(original: Callable[[], Awaitable[ssl.SSLContext | None]], listeners: Listeners) -> Patched:
    async def context() -> ssl.SSLContext | None:
        tls = await original()
        if tls is not None:
            tls.set_alpn_protocols([ALPN])  # clients that offer no protocol are not affected
            await asyncio.to_thread(listeners.renew_certificate, tls)
        return tls

    return context


def _starting(listeners: Listeners, iot: Any) -> Patched:
    async def start() -> None:
        if iot._mtls_server is not None:
            return
        for scope in (*listeners.layout.scopes(), *_loaded_scopes(iot)):
            listeners.bind(scope)
        await listeners.serve()
        iot._mtls_server, iot._mtls_loop = listeners, asyncio.get_running_loop()

    return start


def _loaded_scopes(iot: Any) -> Iterable[Target]:
    """Return the scopes that have certificates or CAs in the loaded state."""
    scopes = {key[:2] for store in (iot._certificates, iot._ca_certificates) for key in list(store._data)}
    return sorted(parse_target(account, region) for account, region in scopes)


def _serving_scope(original: Callable[[Any, Any], Awaitable[None]], listeners: Listeners) -> Patched:
    async def serve(reader: Any, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        scope, tls = listeners.scope_of(host, port), writer.get_extra_info("ssl_object")
        names = listeners.iot._mtls_server_names
        refusal = listeners.refusal(host, port, names.get(tls), tls.selected_alpn_protocol())
        if not tls.getpeercert(binary_form=True):
            refusal = "got no client certificate"
        if scope is None or refusal:
            log.warning("%s:%d: refused a client: %s", host, port, refusal)
            await listeners.iot._mtls_close(writer)
            return
        _connected_to.set((scope, host))
        listeners.iot._publish_source_ip.set(writer.get_extra_info("peername")[0])
        await original(reader, writer)

    return serve


def _visible_registrations(original: Callable[..., list[Any]]) -> Patched:
    def registrations(cert_id: str, status: str | None = "ACTIVE") -> list[Any]:
        return [each for each in original(cert_id, status) if _visible(each[0], each[1])]

    return registrations


def _visible_identity(original: Callable[[bytes | None], Any]) -> Patched:
    def identity(der: bytes | None) -> Any:
        owner = original(der)
        return owner if owner is not None and _visible(owner[0], owner[1]) else None

    return identity


def _visible_signing_ca(original: Callable[..., Any]) -> Patched:
    def signing_ca(account_id: str, region: str, ca_id: str | None, server_name: str | None = None) -> Any:
        return original(account_id, region, ca_id, server_name) if _visible(account_id, region) else None

    return signing_ca


def _registering_by_address(original: Callable[..., Awaitable[bool]]) -> Patched:
    async def register(der: bytes, peername: Any, server_name: str | None = None) -> bool:
        endpoint = _connected_to.get()
        # TLS sends no server name for an IP address (RFC 6066 section 3); the endpoint's address replaces it.
        return await original(der, peername, server_name or (endpoint[1] if endpoint else None))

    return register


def _describing(original: Callable[[dict[str, Any]], Any], listeners: Listeners) -> Patched:
    def describe(qp: dict[str, Any]) -> Any:
        status, headers, body = original(qp)
        if status != 200 or qp.get("endpointType", "iot:Data-ATS") != "iot:Data-ATS":
            return status, headers, body
        try:
            scope = parse_target(listeners.iot.get_account_id(), listeners.iot.get_region())
            listeners.open(scope)
        except (InvalidInput, StartFailed) as error:
            return 503, headers, json.dumps({"message": str(error)}).encode()
        return status, headers, json.dumps({"endpointAddress": listeners.layout.endpoint_address(scope)}).encode()

    return describe


def _followed_by(original: Callable[..., Any], after: Callable[[], None]) -> Patched:
    def handle(method: str, path: str, body: bytes, qp: Any) -> Any:
        response = original(method, path, body, qp)
        if method != "GET":
            after()
        return response

    return handle
