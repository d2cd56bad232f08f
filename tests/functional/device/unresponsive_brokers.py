"""Brokers that accept the first connection and do not answer, or answer too slowly. Later connections are served.

`UNRESPONSIVE_BROKERS` contains, by name, how to start the broker and which failure the device logs.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from device.machine.plan import Endpoint
from tests.functional.device import faulty_tcp_proxy as proxy
from tests.functional.device import scripted_broker as scripts
from tests.functional.device.faulty_tcp_proxy import Fault, FaultyTcpProxy
from tests.functional.device.running_device import (
    LOOPBACK,
    SHORT_TIMING,
    Log,
    RunningDevice,
    TlsSetup,
    endpoint_of,
)
from tests.functional.device.scripted_broker import CONNACK, PINGRESP, PUBACK, PUBLISH, Conversation, serve

LoggedFailure = Literal["timeout", "refused", "connection_lost"]
TIMING = replace(SHORT_TIMING, answer_within=1, hello_every=60, settle_after=60)
KEEP_ALIVE_S = 2
"""The client uses 30 s by default, the shortest that AWS IoT Core grants."""


@dataclass(frozen=True)
class UnresponsiveBroker:
    """`start` starts the broker and yields its endpoint and a function that freezes it. `hellos` is the number of the
    first acknowledged hello after the recovery."""

    start: Callable[[TlsSetup], AbstractContextManager[tuple[Endpoint, Callable[[], None]]]]
    failures: tuple[LoggedFailure, ...]
    hellos: int = 1


def _script(script: scripts.Script, *failures: LoggedFailure, hellos: int = 1) -> UnresponsiveBroker:
    @contextmanager
    def start(tls: TlsSetup) -> Iterator[tuple[Endpoint, Callable[[], None]]]:
        with tls.broker(script, serve()) as broker:
            yield endpoint_of(broker), lambda: None

    return UnresponsiveBroker(start, failures, hellos)


def _proxy(
    *faults: Fault, failures: tuple[LoggedFailure, ...] = ("timeout",), freezes: bool = False
) -> UnresponsiveBroker:
    @contextmanager
    def start(tls: TlsSetup) -> Iterator[tuple[Endpoint, Callable[[], None]]]:
        with tls.broker(serve()) as broker, FaultyTcpProxy(broker.port, *faults) as faulty_proxy:
            yield Endpoint(LOOPBACK, faulty_proxy.port), faulty_proxy.freeze if freezes else lambda: None

    return UnresponsiveBroker(start, failures, 2 if freezes else 1)


async def _slow_connack(conversation: Conversation) -> None:
    await conversation.await_connect()
    for byte in bytes([CONNACK << 4, 2, 0, 0]):
        conversation.writer.write(bytes([byte]))
        await asyncio.sleep(0.7)
    await conversation.until_closed()


async def _no_pingresp(conversation: Conversation) -> None:
    await _serve_first_hello(conversation)
    await conversation.until_closed()


async def _pings_only(conversation: Conversation) -> None:
    """Answer every PINGREQ and send no PUBACK: the connection is alive, and the hello is not acknowledged."""
    await conversation.accept()
    while (await conversation.read())[0]:
        conversation.send(PINGRESP, b"")


async def _endless_packet(conversation: Conversation) -> None:
    """Send a message of 200 MB at a few bytes per second, which blocks everything after it."""
    await _serve_first_hello(conversation)
    conversation.writer.write(bytes([PUBLISH << 4 | 2]) + b"\x80\x84\xaf\x5f")
    while True:
        conversation.writer.write(b"\x00\x08lobby/se")
        await asyncio.sleep(0.3)


async def _serve_first_hello(conversation: Conversation) -> None:
    """Accept the connection and acknowledge the first hello."""
    await conversation.accept()
    packet_id = await conversation.await_publish()
    if packet_id is not None:
        conversation.send(PUBACK, packet_id)


UNRESPONSIVE_BROKERS: dict[str, UnresponsiveBroker] = {
    "TCP without TLS": _proxy(proxy.silent),
    "TCP, and nothing is read": _proxy(proxy.unread),
    "random bytes instead of TLS": _proxy(proxy.noise, failures=("timeout", "refused")),
    "MQTT without TLS": _proxy(proxy.plain_mqtt, failures=("timeout", "refused")),
    "closed after accept": _proxy(proxy.closed, failures=("refused",)),
    "reset after accept": _proxy(proxy.reset, failures=("refused",)),
    "half a TLS handshake": _proxy(proxy.half_handshake),
    "a TLS handshake byte by byte": _proxy(proxy.slow_handshake),
    "no CONNACK": _script(scripts.never_connack, "timeout"),
    "a CONNACK byte by byte": _script(_slow_connack, "timeout"),
    "no SUBACK": _script(scripts.never_suback, "connection_lost"),
    "no PUBACK": _script(scripts.never_puback, "connection_lost"),
    "PINGRESP, no PUBACK": _script(_pings_only, "connection_lost"),
    "no PINGRESP": _script(_no_pingresp, "connection_lost", hellos=2),
    "an endless message": _script(_endless_packet, "connection_lost", hellos=2),
    "a frozen connection": _proxy(failures=("connection_lost",), freezes=True),
}


def assert_recovers(name: str, tls: TlsSetup) -> Log:
    """Return the log of a device that met this broker and recovered. Fail if it does not recover."""
    unresponsive = UNRESPONSIVE_BROKERS[name]
    with (
        unresponsive.start(tls) as (endpoint, freeze),
        RunningDevice(tls.credentials, tls.state, endpoint, timing=TIMING, keep_alive_s=KEEP_ALIVE_S) as log,
    ):
        if unresponsive.hellos == 2:
            log.wait_for("hello_sent")
            freeze()
        log.wait_for("reconnecting")
        log.wait_for("hello_sent", times=unresponsive.hellos)
    failures = [line["event"] for line in log.lines if "failure" in line]
    assert failures[:1] == [failure for failure in unresponsive.failures if failure in failures[:1]], log.lines
    return log
