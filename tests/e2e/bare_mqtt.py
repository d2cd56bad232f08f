"""A minimal MQTT 3.1.1 client over the standard library's TLS. It returns the broker's packets unprocessed.

It can do what regular clients cannot: use another device's client id or topics, or send no server name. It sends one
packet and reads one. It does not retry.
"""

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
SUBSCRIBE: Final = 0x82
SUBACK: Final = 0x90
PINGREQ: Final = 0xC0
PINGRESP: Final = 0xD0
HUNG_UP: Final[tuple[int, bytes]] = (0, b"")
"""Returned instead of a packet if the broker has closed the connection."""


class HandshakeRefused(ConnectionError):
    """The broker did not accept the certificate."""


class BareMqtt:
    """A TLS connection to a broker. Raise `HandshakeRefused`. A TLS 1.3 server may also refuse after the handshake, by
    closing the connection. `server_name` is sent as SNI instead of `host`, empty for none; `protocols` with ALPN.
    `source`: the address from which the client connects."""

    def __init__(
        self,
        host: str,
        port: int,
        server_ca: str,
        certificate: Path,
        key: Path,
        *,
        server_name: str | None = None,
        protocols: Sequence[str] = (),
        source: str | None = None,
    ) -> None:
        context = ssl.create_default_context(cafile=server_ca)
        context.load_cert_chain(certificate, key)
        if server_name is not None:
            context.check_hostname = False
        if protocols:
            context.set_alpn_protocols(protocols)
        tcp = socket.create_connection((host, port), 20, (source, 0) if source else None)
        try:
            self._tls = context.wrap_socket(tcp, server_hostname=(host if server_name is None else server_name) or None)
        except (ConnectionError, ssl.SSLError) as error:
            tcp.close()
            raise HandshakeRefused(str(error)) from error

    def connect(
        self, client_id: str, *, will: tuple[str, bytes] | None = None, clean: bool = True
    ) -> tuple[int, bytes]:
        """Return CONNACK with flags and return code, or HUNG_UP. `will` is topic and payload of the Last Will."""
        flags = 0x02 * clean | (0x0C if will else 0)
        will_fields = _text(will[0]) + _sized(will[1]) if will else b""
        return self.ask(CONNECT, _text("MQTT") + bytes([4, flags]) + b"\x00\x3c" + _text(client_id) + will_fields)

    def subscribe(self, topic: str) -> tuple[int, bytes]:
        """Return SUBACK with packet id and the granted QoS (0x80 is a refusal), or HUNG_UP."""
        return self.ask(SUBSCRIBE, b"\x00\x07" + _text(topic) + b"\x01")

    def publish(self, topic: str, body: bytes, *, retain: bool = False) -> tuple[int, bytes]:
        """Publish with QoS 1. Return the answer."""
        return self.ask(PUBLISH | 0x02 | retain, _text(topic) + b"\x00\x09" + body)

    def ask(self, kind: int, body: bytes) -> tuple[int, bytes]:
        try:
            self._tls.sendall(bytes([kind]) + _length(len(body)) + body)
            return self.read()
        except (ConnectionError, ssl.SSLError):
            return HUNG_UP

    def read(self) -> tuple[int, bytes]:
        """Return the next packet's type and content."""
        head = self._tls.recv(1)
        if not head:
            return HUNG_UP
        size = shift = 0
        while True:
            digit = self._read_exactly(1)[0]
            size |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return head[0] & 0xF0, self._read_exactly(size)

    def _read_exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            more = self._tls.recv(count - len(content))
            if not more:
                raise ConnectionResetError("closed within a packet")
            content += more
        return content

    def wait_at_most(self, seconds: float) -> None:
        """Limit the time to wait for a packet; then `TimeoutError` is raised."""
        self._tls.settimeout(seconds)

    def close(self) -> None:
        self._tls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _text(text: str) -> bytes:
    return _sized(text.encode())


def _sized(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def _length(size: int) -> bytes:
    """MQTT's variable length (OASIS MQTT 3.1.1, section 2.2.3)."""
    out = b""
    while True:
        size, digit = divmod(size, 128)
        out += bytes([digit | (0x80 if size else 0)])
        if not size:
            return out
