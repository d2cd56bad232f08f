"""Broken brokers over real TLS: hostile packets, floods, and brokers that stop answering. The device recovers.

`python -m tests.bench.device_faults messages unresponsive` runs the complete tables.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from lobby.wire import Route
from tests.functional.device import hostile_packets, unresponsive_brokers
from tests.functional.device.hostile_packets import CRASHING, PACKETS, publish
from tests.functional.device.running_device import (
    LOOPBACK,
    SHORT_TIMING,
    RunningDevice,
    endpoint_of,
    make_tls_setup,
)
from tests.functional.device.scripted_broker import PUBACK, Conversation

pytestmark = pytest.mark.slow

_SAFE_PACKETS = [name for name in PACKETS if name not in CRASHING and "16 MB" not in name]


# awscrt drops a topic that is not UTF-8 with an exception that Python cannot raise anywhere.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", _SAFE_PACKETS[::3])
def test_the_route_after_a_hostile_packet_is_followed(name: str, tmp_path: Path) -> None:
    assert hostile_packets.assert_recovers(name, make_tls_setup(tmp_path))


def test_a_flood_of_messages_fills_neither_log_nor_memory_and_the_route_arrives(tmp_path: Path) -> None:
    route, flood = Route(LOOPBACK, "blue", None, 1).encode(), 5_000
    invalid = publish(b"{}", qos=0) * flood

    async def script(conversation: Conversation) -> None:
        await conversation.accept()
        while (packet_id := await conversation.await_publish()) is not None:
            conversation.send(PUBACK, packet_id)
            conversation.writer.write(invalid)
            conversation.push(route)

    tls = make_tls_setup(tmp_path)
    timing = replace(SHORT_TIMING, hello_every=0.3)
    with (
        tls.broker(script) as broker,
        RunningDevice(tls.credentials, tls.state, endpoint_of(broker), timing=timing) as log,
    ):
        log.wait_for("arrived_at_target")
    assert log.counts["message_ignored"] <= timing.log_limit
    assert len(log.lines) < 60


@pytest.mark.parametrize(
    "name",
    [
        "random bytes instead of TLS",
        "reset after accept",
        "half a TLS handshake",
        "a TLS handshake byte by byte",
        "a CONNACK byte by byte",
        "PINGRESP, no PUBACK",
        "no PINGRESP",
        "an endless message",
        "a frozen connection",
    ],
)
def test_an_unresponsive_broker_is_disconnected_and_retried(name: str, tmp_path: Path) -> None:
    assert unresponsive_brokers.assert_recovers(name, make_tls_setup(tmp_path))
