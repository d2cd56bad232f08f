"""Hostile MQTT packets: malformed, unexpected, retained, duplicated or very large, on an established connection.

`PACKETS` contains, by name, the bytes that the broker sends after its PUBACK. A route follows. A device that closes
the connection because of the packet, which is allowed, receives the route on its next connection.
"""

import asyncio
import struct
from dataclasses import replace

from lobby.wire import Reset, Route
from tests.functional.device.running_device import (
    LOOPBACK,
    SHORT_TIMING,
    Log,
    RunningDevice,
    TlsSetup,
    endpoint_of,
)
from tests.functional.device.scripted_broker import PUBACK, Conversation, Script, serve

TOPIC = b"lobby/sensor-1"
ROUTE = Route(LOOPBACK, "blue", None, 7).encode()
ELSEWHERE = Route("127.0.0.2", "red", 1, 3).encode()
"""Without a listener, and older than the route that follows."""
RESET = Reset().encode()
CRASHING = ("a second CONNACK", "a later CONNACK that refuses")
"""Packets that may crash awscrt 0.36.1, which ends the process. Only a device with a supervisor recovers."""


def packet(kind: int, flags: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind << 4 | flags]) + bytes(digits) + body


def publish(payload: bytes, topic: bytes = TOPIC, *, qos: int = 1, retain: bool = False, dup: bool = False) -> bytes:
    """Return a PUBLISH, with packet id 9 if its QoS has one."""
    flags = qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    return packet(3, flags, struct.pack("!H", len(topic)) + topic + (b"\x00\x09" if qos else b"") + payload)


PACKETS: dict[str, bytes] = {
    "QoS 0": publish(b"{}", qos=0),
    "QoS 2": publish(b"{}", qos=2),
    "QoS 2, a route": publish(ROUTE, qos=2),
    "QoS 2, released at once": publish(b"{}", qos=2) + packet(6, 2, b"\x00\x09"),
    "QoS 3, which is invalid": publish(b"{}", qos=3),
    "a retained invalid message": publish(b"nonsense", retain=True),
    "a retained reset": publish(RESET, retain=True),
    "a retained route": publish(ROUTE, retain=True),
    "a route 100 times": publish(ROUTE) * 100,
    "a duplicate flag on a new message": publish(b"{}", dup=True),
    "packet id 0": packet(3, 2, struct.pack("!H", len(TOPIC)) + TOPIC + b"\x00\x00{}"),
    "no payload": publish(b""),
    "no topic": publish(ELSEWHERE, b""),
    "a topic of another device": publish(ELSEWHERE, b"lobby/sensor-2"),
    "a topic below": publish(ELSEWHERE, TOPIC + b"/x"),
    "a topic with NUL": publish(ELSEWHERE, TOPIC + b"\0"),
    "a topic with wildcards": publish(ELSEWHERE, b"lobby/#"),
    "a topic of $aws": publish(ELSEWHERE, b"$aws/rules/lobby"),
    "a topic that is not UTF-8": publish(ELSEWHERE, b"lobby/\xff\xfe"),
    "a topic of 65,535 bytes": publish(ELSEWHERE, b"a" * 65535),
    "a topic longer than the packet": packet(3, 2, b"\xff\xff" + TOPIC),
    "an empty PUBLISH": packet(3, 2, b""),
    "an endless length": b"\x32\xff\xff\xff\xff\xff",
    "packet type 0": packet(0, 0, b"\x00\x00"),
    "packet type 15": packet(15, 0, b"\x00\x00"),
    "CONNECT from a server": packet(1, 0, b"\x00\x04MQTT\x04\x02\x00\x1e\x00\x01a"),
    "a second CONNACK": packet(2, 0, b"\x00\x00"),
    "a later CONNACK that refuses": packet(2, 0, b"\x00\x05"),
    "PUBACK, unexpected": packet(4, 0, b"\x33\x33"),
    "PUBREC, unexpected": packet(5, 0, b"\x33\x33"),
    "PUBREL, unexpected": packet(6, 2, b"\x33\x33"),
    "PUBCOMP, unexpected": packet(7, 0, b"\x33\x33"),
    "SUBSCRIBE from a server": packet(8, 2, b"\x00\x01\x00\x01#\x01"),
    "SUBACK, unexpected": packet(9, 0, b"\x33\x33\x01"),
    "UNSUBACK, unexpected": packet(11, 0, b"\x33\x33"),
    "PINGREQ from a server": packet(12, 0, b""),
    "PINGRESP, unexpected": packet(13, 0, b"") * 50,
    "DISCONNECT from a server": packet(14, 0, b""),
    "a truncated packet": publish(ELSEWHERE)[:-5],
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "64 kB of zeros": b"\0" * 65536,
    "a message of 1 MB": publish(b"x" * 1_000_000),
    "a message of 16 MB": publish(b"x" * 16_000_000),
}


def packet_then_route(raw: bytes) -> Script:
    async def script(conversation: Conversation) -> None:
        await conversation.accept()
        packet_id = await conversation.await_publish()
        if packet_id is not None:
            conversation.send(PUBACK, packet_id)
            conversation.writer.write(raw)
            await conversation.writer.drain()
            await asyncio.sleep(0.1)
            conversation.push(ROUTE)
            await conversation.until_closed()

    return script


def assert_recovers(name: str, tls: TlsSetup) -> Log:
    """Return the log of a device that received the packet and arrived. A packet with a wrong length swallows the route
    after it; the device then finds the broker silent and reconnects."""
    timing = replace(SHORT_TIMING, answer_within=1, hello_every=1)
    with (
        tls.broker(packet_then_route(PACKETS[name]), serve(ROUTE)) as broker,
        RunningDevice(tls.credentials, tls.state, endpoint_of(broker), timing=timing) as log,
    ):
        log.wait_for("arrived_at_target")
        log.wait_for("alive_sent")
    assert not log.counts["fault"]
    endpoints = {line["endpoint"] for line in log.lines if line["event"] == "connecting"}
    assert endpoints == {f"{LOOPBACK}:{broker.port}"}
    return log
