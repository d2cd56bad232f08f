"""An MQTT 3.1.1 server over mutual TLS that follows a script for each connection.

It implements the nine packets that a device needs (OASIS MQTT 3.1.1, chapter 3) and records received packets. On an
unexpected packet it closes the connection and records a violation, which fails the test.
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.functional.device.tls_certificates import IssuedCertificate

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
Script = Callable[["Conversation"], Awaitable[None]]


class UnexpectedPacketError(Exception):
    """The client sent a packet that the script does not expect."""


@dataclass
class Conversation:
    """One connection, as the script sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    record: Callable[[str, object], None]
    topic: str = ""
    packet_id: int = 100
    last_message: tuple[str, bytes] = ("", b"")

    async def read(self) -> tuple[int, int, bytes]:
        """Return type, flags and body of the next packet."""
        head = (await self.reader.readexactly(1))[0]
        length = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return head >> 4, head & 0x0F, await self.reader.readexactly(length)

    def send(self, kind: int, body: bytes, flags: int = 0) -> None:
        length, digits = len(body), bytearray()
        while True:
            length, digit = divmod(length, 128)
            digits.append(digit | (0x80 if length else 0))
            if not length:
                break
        self.writer.write(bytes([kind << 4 | flags, *digits]) + body)

    async def await_connect(self, prefix: str | None = None) -> str:
        """Return the client id. Require MQTT 3.1.1, a clean session, and as client id the certificate's CN, or one with
        this prefix."""
        kind, _, body = await self.read()
        if kind != CONNECT or body[:8] != b"\x00\x04MQTT\x04\x02":
            raise UnexpectedPacketError(
                f"want a CONNECT with a clean session and no user name, got {kind} {body[:8]!r}"
            )
        client_id = body[12:].decode()
        if prefix is not None and client_id.startswith(prefix):
            self.record("connect", client_id)
            return client_id
        der = self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        subject = x509.load_der_x509_certificate(der).subject
        if client_id != subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value:
            raise UnexpectedPacketError(f"client id {client_id} is not the CN of {subject.rfc4514_string()}")
        self.record("connect", client_id)
        return client_id

    async def await_subscribe(self) -> bytes:
        """Return the packet id, to be acknowledged. A client may ping first."""
        while (packet := await self.read())[0] == PINGREQ:
            self.send(PINGRESP, b"")
        kind, flags, body = packet
        length = int.from_bytes(body[2:4], "big")
        self.topic = body[4 : 4 + length].decode()
        if kind != SUBSCRIBE or flags != 2 or body[4 + length :] != b"\x01":
            raise UnexpectedPacketError(f"want one SUBSCRIBE with QoS 1, got {kind} {body[:60]!r}")
        self.record("subscribe", self.topic)
        return body[:2]

    async def accept(self) -> None:
        """Accept the connection and the subscription."""
        await self.await_connect()
        self.send(CONNACK, b"\x00\x00")
        self.send(SUBACK, await self.await_subscribe() + b"\x01")

    async def await_publish(self) -> bytes | None:
        """Return the packet id of the next QoS 1 message, or None after a DISCONNECT. Pings are answered."""
        while True:
            kind, flags, body = await self.read()
            if kind == PINGREQ:
                self.send(PINGRESP, b"")
            elif kind == DISCONNECT:
                self.record("disconnect", "")
                return None
            elif kind == PUBLISH and flags == 2:
                length = int.from_bytes(body[:2], "big")
                self.last_message = body[2 : 2 + length].decode(), body[4 + length :]
                self.record(*self.last_message)
                return body[2 + length : 4 + length]
            elif kind != PUBACK:
                raise UnexpectedPacketError(f"got packet {kind} {body[:60]!r}")

    def push(self, payload: bytes, topic: bytes | None = None) -> None:
        name = self.topic.encode() if topic is None else topic
        self.packet_id += 1
        self.send(PUBLISH, struct.pack("!H", len(name)) + name + struct.pack("!H", self.packet_id) + payload, flags=2)

    async def until_closed(self) -> None:
        while await self.reader.read(4096):
            pass


async def close_after_connect(conversation: Conversation) -> None:
    """Close the first connection, as just-in-time registration does."""
    await conversation.await_connect()


async def never_connack(conversation: Conversation) -> None:
    await conversation.await_connect()
    await conversation.until_closed()


async def never_suback(conversation: Conversation) -> None:
    await conversation.await_connect()
    conversation.send(CONNACK, b"\x00\x00")
    await conversation.await_subscribe()
    await conversation.until_closed()


async def never_puback(conversation: Conversation) -> None:
    await conversation.accept()
    await conversation.await_publish()
    await conversation.until_closed()


async def refuse_subscription(conversation: Conversation) -> None:
    await conversation.await_connect()
    conversation.send(CONNACK, b"\x00\x00")
    conversation.send(SUBACK, await conversation.await_subscribe() + b"\x80")
    await conversation.await_publish()


async def refuse_connect(conversation: Conversation) -> None:
    await conversation.await_connect()
    conversation.send(CONNACK, b"\x00\x05")


def serve(*pushed: bytes | tuple[bytes, bytes], close_after: int | None = None) -> Script:
    """A working broker. It answers the first message with `pushed`: payloads, or pairs of topic and payload. It closes
    the connection after `close_after` messages."""

    async def script(conversation: Conversation) -> None:
        await conversation.accept()
        received = 0
        while received != close_after and (packet_id := await conversation.await_publish()) is not None:
            conversation.send(PUBACK, packet_id)
            received += 1
            for item in pushed if received == 1 else ():
                topic, payload = (None, item) if isinstance(item, bytes) else item
                conversation.push(payload, topic)

    return script


class Broker:
    """Runs in its own thread. The last script serves all further connections."""

    def __init__(self, server: IssuedCertificate, ca: IssuedCertificate, *scripts: Script, port: int = 0) -> None:
        self.received: list[tuple[str, object]] = []
        self.sni: list[str | None] = []
        self.protocols: list[str | None] = []
        """The protocol that ALPN negotiated, of each connection."""
        self.violations: list[str] = []
        self._changed = threading.Condition()
        self._scripts = list(scripts)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(server.cert, server.key)
        self._tls.load_verify_locations(ca.cert)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._tls.set_alpn_protocols(["http/1.1", "x-amzn-mqtt-ca"])
        self._tls.sni_callback = lambda _sock, name, _context: self.sni.append(name)
        self._requested_port = port
        self._conversations: dict[asyncio.Task[None], asyncio.WriteTransport] = {}
        self._ready: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> "Broker":
        self._thread.start()
        self.port = self._ready.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self.violations, self.violations

    def wait_for(self, kind: str, times: int = 1) -> None:
        """Wait until the broker has received this so many times."""
        with self._changed:
            received = self._changed.wait_for(
                lambda: [received for received, _ in self.received].count(kind) >= times, 10
            )
        assert received, f"no {kind} number {times} within 10 s; received: {self.received}"

    def _record(self, kind: str, detail: object) -> None:
        with self._changed:
            self.received.append((kind, detail))
            self._changed.notify_all()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", self._requested_port)
        self._ready.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        for task, transport in self._conversations.items():
            transport.abort()
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        while any(transport.get_extra_info("socket").fileno() != -1 for transport in self._conversations.values()):
            await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations[task] = writer.transport
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        try:
            await writer.start_tls(self._tls)
            self.protocols.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
            await script(Conversation(reader, writer, self._record))
        except (asyncio.IncompleteReadError, OSError):
            self._record("lost", "")
        except UnexpectedPacketError as error:
            self.violations.append(str(error))
        except asyncio.CancelledError:
            pass  # the broker stops during a conversation; start_server would report the cancellation as an error
        finally:
            writer.close()
