"""Packets from hell, through real awscrt over real TLS: the device arrives by the route that follows them.

The whole table is run by `python -m tests.bench.device_faults messages`, in processes of its own.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from lobby.wire import Route
from tests.functional.device.packets import DEADLY, PACKETS, outlived, publish
from tests.functional.device.running_device import QUICK, RunningDevice
from tests.functional.device.scripted_broker import PUBACK, Conversation
from tests.functional.device.site import HERE, at, make_site

_IN_HERE = [name for name in PACKETS if name not in DEADLY and "16 MB" not in name]


# awscrt itself drops a topic that is no UTF-8, through an exception that Python cannot raise anywhere.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", _IN_HERE[::3])
def test_a_packet_from_hell_is_outlived_and_the_route_after_it_followed(name: str, tmp_path: Path) -> None:
    assert outlived(name, make_site(tmp_path))


def test_a_flood_of_messages_fills_neither_log_nor_memory_and_the_route_gets_through(tmp_path: Path) -> None:
    route, flood = Route(HERE, "blue", None, 1).encode(), 5_000
    nonsense = publish(b"{}", qos=0) * flood

    async def script(talk: Conversation) -> None:
        await talk.listen()
        while (packet_id := await talk.await_publish()) is not None:
            talk.send(PUBACK, packet_id)
            talk.writer.write(nonsense)
            talk.push(route)

    site = make_site(tmp_path)
    timing = replace(QUICK, hello_every=0.3)
    with (
        site.broker(script) as broker,
        RunningDevice(site.credentials, site.state, at(broker), timing=timing) as log,
    ):
        log.wait_for("arrived_at_target")
    assert log.counts["message_ignored"] <= timing.tell_at_most
    assert len(log.lines) < 60
