"""An MQTT 3.1.1 server over mutual TLS that follows a script, one for each connection it gets.

It knows the nine packets a device needs (OASIS MQTT 3.1.1, chapter 3), records what it saw, and hangs up on
anything it does not expect, which it keeps as a violation for the test to find.
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

from tests.functional.device.paper import Paper

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
Script = Callable[["Conversation"], Awaitable[None]]


class UnexpectedPacketError(Exception):
    """The client sent what the script does not provide for."""


@dataclass
class Conversation:
    """One connection, as the script sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    see: Callable[[str, object], None]
    topic: str = ""
    packet_id: int = 100

    async def read(self) -> tuple[int, int, bytes]:
        """Kind, flags and body of the next packet."""
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

    async def await_connect(self) -> str:
        """The client id. The client must be MQTT 3.1.1, start clean, and name itself as its certificate does."""
        kind, _, body = await self.read()
        if kind != CONNECT or body[:8] != b"\x00\x04MQTT\x04\x02":
            raise UnexpectedPacketError(
                f"want a CONNECT with a clean session and no user name, got {kind} {body[:8]!r}"
            )
        client_id = body[12:].decode()
        der = self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        subject = x509.load_der_x509_certificate(der).subject
        if client_id != subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value:
            raise UnexpectedPacketError(f"client id {client_id} is not the CN of {subject.rfc4514_string()}")
        self.see("connect", client_id)
        return client_id

    async def await_subscribe(self) -> bytes:
        """The packet id, to be acknowledged. A client may ping before."""
        while (packet := await self.read())[0] == PINGREQ:
            self.send(PINGRESP, b"")
        kind, flags, body = packet
        length = int.from_bytes(body[2:4], "big")
        self.topic = body[4 : 4 + length].decode()
        if kind != SUBSCRIBE or flags != 2 or body[4 + length :] != b"\x01":
            raise UnexpectedPacketError(f"want one SUBSCRIBE with QoS 1, got {kind} {body[:60]!r}")
        self.see("subscribe", self.topic)
        return body[:2]

    async def listen(self) -> None:
        """Connected and subscribed."""
        await self.await_connect()
        self.send(CONNACK, b"\x00\x00")
        self.send(SUBACK, await self.await_subscribe() + b"\x01")

    async def await_publish(self) -> bytes | None:
        """The packet id of the next QoS 1 message; None after a goodbye. Pings and acknowledgements are dealt with."""
        while True:
            kind, flags, body = await self.read()
            if kind == PINGREQ:
                self.send(PINGRESP, b"")
            elif kind == DISCONNECT:
                self.see("goodbye", "")
                return None
            elif kind == PUBLISH and flags == 2:
                length = int.from_bytes(body[:2], "big")
                self.see(body[2 : 2 + length].decode(), body[4 + length :])
                return body[2 + length : 4 + length]
            elif kind != PUBACK:
                raise UnexpectedPacketError(f"got packet {kind} {body[:60]!r}")

    def push(self, payload: bytes, topic: bytes | None = None) -> None:
        name = self.topic.encode() if topic is None else topic
        self.packet_id += 1
        self.send(PUBLISH, struct.pack("!H", len(name)) + name + struct.pack("!H", self.packet_id) + payload, flags=2)

    async def until_gone(self) -> None:
        while await self.reader.read(4096):
            pass


async def hang_up(talk: Conversation) -> None:
    """What just-in-time registration does on the first connect."""
    await talk.await_connect()


async def never_connack(talk: Conversation) -> None:
    await talk.await_connect()
    await talk.until_gone()


async def never_suback(talk: Conversation) -> None:
    await talk.await_connect()
    talk.send(CONNACK, b"\x00\x00")
    await talk.await_subscribe()
    await talk.until_gone()


async def never_puback(talk: Conversation) -> None:
    await talk.listen()
    await talk.await_publish()
    await talk.until_gone()


async def refuse_subscription(talk: Conversation) -> None:
    await talk.await_connect()
    talk.send(CONNACK, b"\x00\x00")
    talk.send(SUBACK, await talk.await_subscribe() + b"\x80")
    await talk.await_publish()


async def refuse_connect(talk: Conversation) -> None:
    await talk.await_connect()
    talk.send(CONNACK, b"\x00\x05")


def serve(*pushed: bytes | tuple[bytes, bytes], hang_up_after: int | None = None) -> Script:
    """A good broker, which answers the first message with what is `pushed`: payloads, or (topic, payload)."""

    async def script(talk: Conversation) -> None:
        await talk.listen()
        heard = 0
        while heard != hang_up_after and (packet_id := await talk.await_publish()) is not None:
            talk.send(PUBACK, packet_id)
            heard += 1
            for one in pushed if heard == 1 else ():
                if isinstance(one, bytes):
                    talk.push(one)
                else:
                    talk.push(one[1], one[0])

    return script


class Broker:
    """Runs in a thread of its own. The last script serves all further connections."""

    def __init__(self, server: Paper, ca: Paper, *scripts: Script, port: int = 0) -> None:
        self.seen: list[tuple[str, object]] = []
        self.sni: list[str | None] = []
        self.violations: list[str] = []
        self._news = threading.Condition()
        self._scripts = list(scripts)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(server.cert, server.key)
        self._tls.load_verify_locations(ca.cert)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._tls.sni_callback = lambda _sock, name, _context: self.sni.append(name)
        self._wanted_port = port
        self._talks: dict[asyncio.Task[None], asyncio.WriteTransport] = {}
        self._ready: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> "Broker":
        self._thread.start()
        self.port = self._ready.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self.violations, self.violations

    def wait_for(self, kind: str, times: int = 1) -> None:
        """Until the broker has seen it that often."""
        with self._news:
            told = self._news.wait_for(lambda: [what for what, _ in self.seen].count(kind) >= times, 10)
        assert told, f"no {kind} number {times} within 10 s, but {self.seen}"

    def _see(self, kind: str, detail: object) -> None:
        with self._news:
            self.seen.append((kind, detail))
            self._news.notify_all()

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", self._wanted_port)
        self._ready.set_result(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()
        for task, transport in self._talks.items():
            transport.abort()
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        while any(transport.get_extra_info("socket").fileno() != -1 for transport in self._talks.values()):
            await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks[task] = writer.transport
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        try:
            await writer.start_tls(self._tls)
            await script(Conversation(reader, writer, self._see))
        except (asyncio.IncompleteReadError, OSError):
            self._see("lost", "")
        except UnexpectedPacketError as error:
            self.violations.append(str(error))
        except asyncio.CancelledError:
            pass  # the broker goes down in the middle of a conversation; start_server would report it as an error
        finally:
            writer.close()
