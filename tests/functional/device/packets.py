"""Packets from hell: MQTT that is malformed, out of turn, retained, doubled or enormous, on a connection that was good.

`PACKETS` is the table: by name, the bytes that the broker sends behind its PUBACK. The route follows; a device that
hangs up on such a broker, as it may, hears it on its next connection.
"""

import asyncio
import struct
from dataclasses import replace

from lobby.wire import Reset, Route
from tests.functional.device.running_device import QUICK, Log, RunningDevice
from tests.functional.device.scripted_broker import PUBACK, Conversation, Script, serve
from tests.functional.device.site import HERE, Site, at

TOPIC = b"lobby/sensor-1"
ROUTE = Route(HERE, "blue", None, 7).encode()
ELSEWHERE = Route("127.0.0.2", "red", 1, 3).encode()
"""Where nobody is, and older than the route that follows."""
RESET = Reset().encode()


DEADLY = ("CONNACK once more", "CONNACK that refuses, later")
"""They may crash awscrt 0.36.1, and with it the process: only a device that has a keeper comes back."""


def packet(kind: int, flags: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind << 4 | flags]) + bytes(digits) + body


def publish(payload: bytes, topic: bytes = TOPIC, *, qos: int = 1, retain: bool = False, dup: bool = False) -> bytes:
    """A PUBLISH with the packet id 9, where its QoS has one."""
    flags = qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    return packet(3, flags, struct.pack("!H", len(topic)) + topic + (b"\x00\x09" if qos else b"") + payload)


PACKETS: dict[str, bytes] = {
    "QoS 0": publish(b"{}", qos=0),
    "QoS 2": publish(b"{}", qos=2),
    "QoS 2, a route": publish(ROUTE, qos=2),
    "QoS 2, released at once": publish(b"{}", qos=2) + packet(6, 2, b"\x00\x09"),
    "QoS 3, which there is not": publish(b"{}", qos=3),
    "retained nonsense": publish(b"nonsense", retain=True),
    "a retained reset": publish(RESET, retain=True),
    "a retained route": publish(ROUTE, retain=True),
    "a route 100 times": publish(ROUTE) * 100,
    "a duplicate of what never came": publish(b"{}", dup=True),
    "packet id 0": packet(3, 2, struct.pack("!H", len(TOPIC)) + TOPIC + b"\x00\x00{}"),
    "no payload": publish(b""),
    "no topic": publish(ELSEWHERE, b""),
    "a topic of another": publish(ELSEWHERE, b"lobby/sensor-2"),
    "a topic below": publish(ELSEWHERE, TOPIC + b"/x"),
    "a topic with NUL": publish(ELSEWHERE, TOPIC + b"\0"),
    "a topic with wildcards": publish(ELSEWHERE, b"lobby/#"),
    "a topic of $aws": publish(ELSEWHERE, b"$aws/rules/lobby"),
    "a topic that is no UTF-8": publish(ELSEWHERE, b"lobby/\xff\xfe"),
    "a topic of 65,535 bytes": publish(ELSEWHERE, b"a" * 65535),
    "a topic longer than the packet": packet(3, 2, b"\xff\xff" + TOPIC),
    "a packet of nothing": packet(3, 2, b""),
    "a length without end": b"\x32\xff\xff\xff\xff\xff",
    "packet type 0": packet(0, 0, b"\x00\x00"),
    "packet type 15": packet(15, 0, b"\x00\x00"),
    "CONNECT, from a server": packet(1, 0, b"\x00\x04MQTT\x04\x02\x00\x1e\x00\x01a"),
    "CONNACK once more": packet(2, 0, b"\x00\x00"),
    "CONNACK that refuses, later": packet(2, 0, b"\x00\x05"),
    "PUBACK for nothing": packet(4, 0, b"\x33\x33"),
    "PUBREC for nothing": packet(5, 0, b"\x33\x33"),
    "PUBREL for nothing": packet(6, 2, b"\x33\x33"),
    "PUBCOMP for nothing": packet(7, 0, b"\x33\x33"),
    "SUBSCRIBE, from a server": packet(8, 2, b"\x00\x01\x00\x01#\x01"),
    "SUBACK for nothing": packet(9, 0, b"\x33\x33\x01"),
    "UNSUBACK for nothing": packet(11, 0, b"\x33\x33"),
    "PINGREQ, from a server": packet(12, 0, b""),
    "PINGRESP for nothing": packet(13, 0, b"") * 50,
    "DISCONNECT, from a server": packet(14, 0, b""),
    "half a packet": publish(ELSEWHERE)[:-5],
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "64 kB of zeros": b"\0" * 65536,
    "a message of 1 MB": publish(b"x" * 1_000_000),
    "a message of 16 MB": publish(b"x" * 16_000_000),
}


def then_the_route(raw: bytes) -> Script:
    async def script(talk: Conversation) -> None:
        await talk.listen()
        packet_id = await talk.await_publish()
        if packet_id is not None:
            talk.send(PUBACK, packet_id)
            talk.writer.write(raw)
            await talk.writer.drain()
            await asyncio.sleep(0.1)
            talk.push(ROUTE)
            await talk.until_gone()

    return script


def outlived(name: str, site: Site) -> Log:
    """The log of a device that heard it and arrived. A length that was never kept swallows the route behind it, until
    the device finds the broker silent."""
    timing = replace(QUICK, answer_within=1, hello_every=1)
    with (
        site.broker(then_the_route(PACKETS[name]), serve(ROUTE)) as broker,
        RunningDevice(site.credentials, site.state, at(broker), timing=timing) as log,
    ):
        log.wait_for("arrived_at_target")
        log.wait_for("alive_sent")
    assert not log.counts["fault"]
    dialled = {line["endpoint"] for line in log.lines if line["event"] == "connecting"}
    assert dialled == {f"{HERE}:{broker.port}"}
    return log
