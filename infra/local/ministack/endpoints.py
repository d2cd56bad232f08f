"""The endpoint that a device dials decides whom it belongs to, as in AWS IoT.

MiniStack has one MQTT listener for all accounts and refuses a certificate that is ACTIVE in two of them. Here every
account and Region has a listener of its own, on loopback only, and a connection sees the certificates and CAs of the
dialled one alone. A client without a certificate is refused, and a certificate that is set INACTIVE, REVOKED or
deleted loses its live sessions.
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
from infra.local.ministack.listeners import Listeners
from infra.local.ministack.patch_points import Seam
from lobby.errors import InvalidInput
from lobby.names import Target, parse_target

_IOT: Final = "ministack.services.iot"
log = logging.getLogger("local.endpoints")

DESCRIBE: Final = Seam(_IOT, "_describe_endpoint", ("qp",))
SANS: Final = Seam(_IOT, "_mtls_server_cert_sans", ())
CONTEXT: Final = Seam(_IOT, "_mtls_context", ())
START: Final = Seam(_IOT, "_mtls_start_locked", ())
SERVE: Final = Seam(_IOT, "_mtls_serve_conn", ("reader", "writer"))
REGISTRATIONS: Final = Seam(_IOT, "_mtls_active_registrations", ("cert_id", "status"))
IDENTITY: Final = Seam(_IOT, "_mtls_resolve_identity", ("der",))
SIGNING_CA: Final = Seam(_IOT, "_mtls_auto_registering_ca", ("account_id", "region", "ca_id", "server_name"))
REGISTER: Final = Seam(_IOT, "_mtls_auto_register", ("der", "peername", "server_name"))
CERTIFICATE: Final = Seam(_IOT, "_handle_certificate", ("method", "path", "body", "qp"))
SEAMS: Final = (
    *(DESCRIBE, SANS, CONTEXT, START, SERVE, REGISTRATIONS, IDENTITY, SIGNING_CA, REGISTER, CERTIFICATE),
    Seam(_IOT, "_mtls_ensure_server_cert", ()),
    Seam(_IOT, "_MtlsAcceptor"),
    Seam(_IOT, "_mtls_server"),
    Seam(_IOT, "_mtls_loop"),
    Seam(_IOT, "_mtls_close", ("writer",)),
    Seam(_IOT, "_connected_clients"),
    Seam(_IOT, "_certificates.get_scoped"),
    Seam(_IOT, "_ca_certificates._data"),
    Seam(_IOT, "_WSSession.cleanup"),
    Seam(_IOT, "get_account_id", ()),
    Seam(_IOT, "get_region", ()),
)

_dialled: contextvars.ContextVar[tuple[Target, str] | None] = contextvars.ContextVar("dialled", default=None)
"""The scope and the address of the connection that is being served."""


Wrapped = Callable[..., Any]


def _visible(account: str, region: str) -> bool:
    dialled = _dialled.get()
    return dialled is None or (dialled[0].account, dialled[0].region) == (account, region)


def apply(layout: Layout) -> Listeners:
    """Put the layer around MiniStack's IoT module and bind the endpoints known so far."""
    iot = importlib.import_module(_IOT)
    listeners = Listeners(layout, iot)
    for scope in layout.scopes():
        listeners.bind(scope)
    SANS.wrap(lambda original: lambda: _with_addresses(original(), listeners))
    CONTEXT.wrap(lambda original: _certified(original, listeners))
    START.wrap(lambda _original: _started(listeners, iot))
    SERVE.wrap(lambda original: _scoped(original, listeners))
    REGISTRATIONS.wrap(_visible_registrations)
    IDENTITY.wrap(_visible_identity)
    SIGNING_CA.wrap(_visible_signing_ca)
    REGISTER.wrap(_registered_by_address)
    DESCRIBE.wrap(lambda original: _described(original, listeners))
    CERTIFICATE.wrap(lambda original: _then(original, listeners.disconnect_deactivated))
    return listeners


def _with_addresses(names: tuple[list[str], list[str]], listeners: Listeners) -> tuple[list[str], list[str]]:
    dns, addresses = names
    return dns, addresses + sorted(listeners.hosts() - set(addresses))


def _certified(original: Callable[[], Awaitable[ssl.SSLContext | None]], listeners: Listeners) -> Wrapped:
    async def context() -> ssl.SSLContext | None:
        built = await original()
        if built is not None:
            await asyncio.to_thread(listeners.certify, built)
        return built

    return context


def _started(listeners: Listeners, iot: Any) -> Wrapped:
    async def start() -> None:
        if iot._mtls_server is not None:
            return
        for scope in (*listeners.layout.scopes(), *_remembered(iot)):
            listeners.bind(scope)
        await listeners.serve()
        iot._mtls_server, iot._mtls_loop = listeners, asyncio.get_running_loop()

    return start


def _remembered(iot: Any) -> Iterable[Target]:
    """The scopes that hold certificates or CAs in the state which was loaded."""
    found = {key[:2] for store in (iot._certificates, iot._ca_certificates) for key in list(store._data)}
    return sorted(parse_target(account, region) for account, region in found)


def _scoped(original: Callable[[Any, Any], Awaitable[None]], listeners: Listeners) -> Wrapped:
    async def serve(reader: Any, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        scope = listeners.scope_of(host, port)
        presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if scope is None or not presented:
            log.warning("%s:%d: refused a client without a certificate", host, port)
            await listeners.iot._mtls_close(writer)
            return
        _dialled.set((scope, host))
        await original(reader, writer)

    return serve


def _visible_registrations(original: Callable[..., list[Any]]) -> Wrapped:
    def registrations(cert_id: str, status: str | None = "ACTIVE") -> list[Any]:
        return [each for each in original(cert_id, status) if _visible(each[0], each[1])]

    return registrations


def _visible_identity(original: Callable[[bytes | None], Any]) -> Wrapped:
    def identity(der: bytes | None) -> Any:
        owner = original(der)
        return owner if owner is not None and _visible(owner[0], owner[1]) else None

    return identity


def _visible_signing_ca(original: Callable[..., Any]) -> Wrapped:
    def signing_ca(account_id: str, region: str, ca_id: str | None, server_name: str | None = None) -> Any:
        return original(account_id, region, ca_id, server_name) if _visible(account_id, region) else None

    return signing_ca


def _registered_by_address(original: Callable[..., Awaitable[bool]]) -> Wrapped:
    async def register(der: bytes, peername: Any, server_name: str | None = None) -> bool:
        dialled = _dialled.get()
        # TLS sends no server name for an IP address; the address that was dialled says as much.
        return await original(der, peername, server_name or (dialled[1] if dialled else None))

    return register


def _described(original: Callable[[dict[str, Any]], Any], listeners: Listeners) -> Wrapped:
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


def _then(original: Callable[..., Any], after: Callable[[], None]) -> Wrapped:
    def handle(method: str, path: str, body: bytes, qp: Any) -> Any:
        answer = original(method, path, body, qp)
        if method != "GET":
            after()
        return answer

    return handle
