"""Brokers that accept and say nothing, or say it too slowly: what each does with the first connection. Later ones are
served well.

`SILENCES` is the table: by name, a place to dial, and what the device notices.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from device.machine.plan import Endpoint
from tests.functional.device import bad_wire
from tests.functional.device import scripted_broker as scripts
from tests.functional.device.bad_wire import Fault, Wire
from tests.functional.device.running_device import QUICK, Log, RunningDevice
from tests.functional.device.scripted_broker import CONNACK, PINGRESP, PUBACK, PUBLISH, Conversation, serve
from tests.functional.device.site import HERE, Site, at

Noticed = Literal["silent", "refused", "connection_lost"]
TIMING = replace(QUICK, answer_within=1, hello_every=60, settle_after=60)
KEEP_ALIVE_S = 2
"""The device's own is 30 s: what AWS IoT grants at least."""


@dataclass(frozen=True)
class Silence:
    """`place` is where to dial; `hellos` is the number of the first hello that a good connection took."""

    place: Callable[[Site], AbstractContextManager[tuple[Endpoint, Callable[[], None]]]]
    noticed: tuple[Noticed, ...]
    hellos: int = 1


def _script(script: scripts.Script, *noticed: Noticed, hellos: int = 1) -> Silence:
    @contextmanager
    def place(site: Site) -> Iterator[tuple[Endpoint, Callable[[], None]]]:
        with site.broker(script, serve()) as broker:
            yield at(broker), lambda: None

    return Silence(place, noticed, hellos)


def _wire(*faults: Fault, noticed: tuple[Noticed, ...] = ("silent",), freezes: bool = False) -> Silence:
    @contextmanager
    def place(site: Site) -> Iterator[tuple[Endpoint, Callable[[], None]]]:
        with site.broker(serve()) as broker, Wire(broker.port, *faults) as wire:
            yield Endpoint(HERE, wire.port), wire.freeze if freezes else lambda: None

    return Silence(place, noticed, 2 if freezes else 1)


async def _slow_connack(talk: Conversation) -> None:
    await talk.await_connect()
    for byte in bytes([CONNACK << 4, 2, 0, 0]):
        talk.writer.write(bytes([byte]))
        await asyncio.sleep(0.7)
    await talk.until_gone()


async def _hear_and_say_nothing(talk: Conversation) -> None:
    await _welcome(talk)
    await talk.until_gone()


async def _pings_only(talk: Conversation) -> None:
    """No PUBACK, and every PINGREQ is answered: the connection is alive, the broker's work is not done."""
    await talk.listen()
    while (await talk.read())[0]:
        talk.send(PINGRESP, b"")


async def _endless_packet(talk: Conversation) -> None:
    """A message of 200 MB, a few bytes a second: nothing else gets through behind it."""
    await _welcome(talk)
    talk.writer.write(bytes([PUBLISH << 4 | 2]) + b"\x80\x84\xaf\x5f")
    while True:
        talk.writer.write(b"\x00\x08lobby/se")
        await asyncio.sleep(0.3)


async def _welcome(talk: Conversation) -> None:
    """Everything that a good broker does with the first hello."""
    await talk.listen()
    packet_id = await talk.await_publish()
    if packet_id is not None:
        talk.send(PUBACK, packet_id)


SILENCES: dict[str, Silence] = {
    "TCP, and no TLS": _wire(bad_wire.mute),
    "TCP, and nothing read": _wire(bad_wire.deaf),
    "noise for TLS": _wire(bad_wire.noise, noticed=("silent", "refused")),
    "MQTT without TLS": _wire(bad_wire.plain, noticed=("silent", "refused")),
    "accepted and closed": _wire(bad_wire.hung_up, noticed=("refused",)),
    "accepted and reset": _wire(bad_wire.thrown_off, noticed=("refused",)),
    "half a handshake": _wire(bad_wire.half_a_handshake),
    "a handshake of a byte at a time": _wire(bad_wire.a_byte_at_a_time),
    "TLS, and no CONNACK": _script(scripts.never_connack, "silent"),
    "a CONNACK of a byte at a time": _script(_slow_connack, "silent"),
    "CONNACK, and no SUBACK": _script(scripts.never_suback, "connection_lost"),
    "SUBACK, and no PUBACK": _script(scripts.never_puback, "connection_lost"),
    "PINGRESP, and no PUBACK": _script(_pings_only, "connection_lost"),
    "PUBACK, and no PINGRESP": _script(_hear_and_say_nothing, "connection_lost", hellos=2),
    "a message without end": _script(_endless_packet, "connection_lost", hellos=2),
    "a frozen wire": _wire(noticed=("connection_lost",), freezes=True),
}


def outlived(name: str, site: Site) -> Log:
    """The log of a device that met the silence and came back. Fails where it does not."""
    silence = SILENCES[name]
    with (
        silence.place(site) as (endpoint, freeze),
        RunningDevice(site.credentials, site.state, endpoint, timing=TIMING, keep_alive_s=KEEP_ALIVE_S) as log,
    ):
        if silence.hellos == 2:
            log.wait_for("hello_sent")
            freeze()
        log.wait_for("reconnecting")
        log.wait_for("hello_sent", times=silence.hellos)
    troubles = [line["event"] for line in log.lines if "trouble" in line]
    assert troubles[:1] == [noticed for noticed in silence.noticed if noticed in troubles[:1]], log.lines
    return log
