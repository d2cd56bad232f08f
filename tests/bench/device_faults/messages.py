"""Messages and packets from hell: the tables, a fuzz, and floods with their figures."""

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lobby.wire import Route
from tests.bench.device_faults.client_process import ClientProcess
from tests.bench.device_faults.figures import Figures
from tests.functional.device.packets import DEADLY, PACKETS, ROUTE, outlived, publish, then_the_route
from tests.functional.device.running_device import QUICK, RunningDevice
from tests.functional.device.scripted_broker import PUBACK, Conversation, serve
from tests.functional.device.site import at, make_site
from tests.unit.device.test_device_messages import PAYLOADS, TOPICS, weigh
from tests.unit.device.walk import ROUTE as KNOWN

_DUE_S: Final = 45


def packets() -> Figures:
    figures = Figures("packets from hell, real awscrt", ("packet", "s", "connections lost", "messages ignored"))
    for name in PACKETS:
        with tempfile.TemporaryDirectory() as room:
            act = _deadly if name in DEADLY else _harmless
            figures.tries(name, partial(act, figures, name, Path(room)))
    return figures


def _harmless(figures: Figures, name: str, room: Path) -> None:
    begin = time.monotonic()
    log = outlived(name, make_site(room))
    figures.add(name, f"{time.monotonic() - begin:.1f}", log.counts["connection_lost"], log.counts["message_ignored"])


def _deadly(figures: Figures, name: str, room: Path) -> None:
    """In a process with its keeper, as it is run: the second CONNACK on each of several connections; then a minute,
    as what awscrt then holds of a freed connection is due with the keep-alive of 30 s."""
    site = make_site(room)
    begin = time.monotonic()
    scripts = [then_the_route(PACKETS[name] * 2)] * 5
    with site.broker(*scripts, serve(ROUTE)) as broker, ClientProcess(site, broker.port) as device:
        device.wait(0, "arrived_at_target", "client_died")
        while time.monotonic() - begin < _DUE_S:
            device.wait(len(device.lines), "alive_sent", "connecting", "client_died")
        at = device.wait(len(device.lines), "alive_sent")
        assert at
    died, lost = device.count("client_died"), device.count("connection_lost")
    figures.add(name, f"{time.monotonic() - begin:.1f}", f"{lost}, client died {died}", device.count("message_ignored"))


def fuzz(examples: int) -> Figures:
    """Each example is up to a dozen messages on any topic, in the lobby or in a target."""
    figures = Figures("messages by hypothesis", ("examples", "messages", "s"))
    said = [0, 0]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.none() | st.just(KNOWN), st.lists(st.tuples(TOPICS, PAYLOADS), min_size=1, max_size=12))
    def all_of_it(route: Route | None, messages: list[tuple[str, bytes]]) -> None:
        said[0] += 1
        said[1] += len(messages)
        weigh(route, messages)

    begin = time.monotonic()
    figures.tries("fuzz", all_of_it)
    figures.add(said[0], said[1], f"{time.monotonic() - begin:.0f}")
    return figures


def floods(messages: int) -> Figures:
    figures = Figures(
        f"{messages} messages in a burst",
        ("what", "a second", "log lines", "dropped", "route after s", "MB before", "MB most"),
    )
    kinds = {
        "nonsense, QoS 0": publish(b"nonsense", qos=0),
        "nonsense, QoS 1": publish(b"nonsense"),
        "resets": publish(b'{"config": "factory reset"}', qos=0),
        "4 kB each": publish(b"x" * 4096, qos=0),
        "of another's topic": publish(ROUTE, b"lobby/sensor-2", qos=0),
    }
    for name, message in kinds.items():
        with tempfile.TemporaryDirectory() as room:
            figures.tries(name, partial(_flood, figures, name, message, messages, Path(room)))
    figures.notes.append(
        "The route is behind the burst, and again behind each hello. MB: resident, with the broker in it."
    )
    return figures


def _flood(figures: Figures, name: str, message: bytes, messages: int, room: Path) -> None:
    seconds: list[float] = []

    async def script(talk: Conversation) -> None:
        await talk.listen()
        talk.send(PUBACK, await talk.await_publish() or b"")
        begin = time.monotonic()
        for _ in range(messages // 500):
            talk.writer.write(message * 500)
            await talk.writer.drain()
        talk.push(ROUTE)
        seconds.append(time.monotonic() - begin)
        while (packet_id := await talk.await_publish()) is not None:
            talk.send(PUBACK, packet_id)
            talk.push(ROUTE)

    site = make_site(room)
    timing = replace(QUICK, hello_every=1, answer_within=20)
    before, most, begin = _resident(), 0.0, time.monotonic()
    with (
        site.broker(script, serve(ROUTE)) as broker,
        RunningDevice(site.credentials, site.state, at(broker), timing=timing) as log,
    ):
        while not log.counts["arrived_at_target"]:
            most = max(most, _resident())
            assert time.monotonic() - begin < 120, log.lines[-5:]
            time.sleep(0.02)
        took = time.monotonic() - begin
    assert len(log.lines) < 200, f"{len(log.lines)} lines"
    dropped = sum(line["count"] for line in log.lines if line["event"] == "messages_dropped")
    rate = messages / seconds[0] if seconds else 0
    figures.add(name, f"{rate:,.0f}", len(log.lines), dropped, f"{took:.1f}", f"{before:.0f}", f"{most:.0f}")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1024 / 1024
