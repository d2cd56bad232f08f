"""Hostile messages and packets: the tables, a fuzz test, and floods."""

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
from tests.bench.device_faults.results import BenchResult
from tests.functional.device.hostile_packets import (
    CRASHING,
    PACKETS,
    ROUTE,
    assert_recovers,
    packet_then_route,
    publish,
)
from tests.functional.device.running_device import SHORT_TIMING, RunningDevice, endpoint_of, make_tls_setup
from tests.functional.device.scripted_broker import PUBACK, Conversation, serve
from tests.unit.device.machine_driver import ROUTE as STORED_ROUTE
from tests.unit.device.random_messages import PAYLOADS, TOPICS, check_messages

_OBSERVED_S: Final = 45


def packets() -> BenchResult:
    result = BenchResult("hostile packets, real awscrt", ("packet", "s", "connections lost", "messages ignored"))
    for name in PACKETS:
        with tempfile.TemporaryDirectory() as folder:
            case = _run_crashing if name in CRASHING else _run_safe
            result.run_case(name, partial(case, result, name, Path(folder)))
    return result


def _run_safe(result: BenchResult, name: str, folder: Path) -> None:
    start = time.monotonic()
    log = assert_recovers(name, make_tls_setup(folder))
    result.add(name, f"{time.monotonic() - start:.1f}", log.counts["connection_lost"], log.counts["message_ignored"])


def _run_crashing(result: BenchResult, name: str, folder: Path) -> None:
    """Run the client with its supervisor. Several connections get the packet twice. Then wait: awscrt may access the
    freed connection when the keep-alive of 30 s is due."""
    tls = make_tls_setup(folder)
    start = time.monotonic()
    scripts = [packet_then_route(PACKETS[name] * 2)] * 5
    with tls.broker(*scripts, serve(ROUTE)) as broker, ClientProcess(tls, broker.port) as device:
        device.wait(0, "arrived_at_target", "client_crashed")
        while time.monotonic() - start < _OBSERVED_S:
            device.wait(len(device.lines), "alive_sent", "connecting", "client_crashed")
        at = device.wait(len(device.lines), "alive_sent")
        assert at
    crashes, lost = device.count("client_crashed"), device.count("connection_lost")
    result.add(name, f"{time.monotonic() - start:.1f}", f"{lost}, crashes {crashes}", device.count("message_ignored"))


def fuzz(examples: int) -> BenchResult:
    """Send up to 12 messages per example, on any topic, in the lobby or in a target."""
    result = BenchResult("random messages (Hypothesis)", ("examples", "messages", "s"))
    counts = [0, 0]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.none() | st.just(STORED_ROUTE), st.lists(st.tuples(TOPICS, PAYLOADS), min_size=1, max_size=12))
    def run_all(route: Route | None, messages: list[tuple[str, bytes]]) -> None:
        counts[0] += 1
        counts[1] += len(messages)
        check_messages(route, messages)

    start = time.monotonic()
    result.run_case("fuzz", run_all)
    result.add(counts[0], counts[1], f"{time.monotonic() - start:.0f}")
    return result


def floods(messages: int) -> BenchResult:
    result = BenchResult(
        f"{messages} messages in a burst",
        ("messages", "per second", "log lines", "dropped", "route after s", "MB before", "MB maximum"),
    )
    kinds = {
        "invalid, QoS 0": publish(b"nonsense", qos=0),
        "invalid, QoS 1": publish(b"nonsense"),
        "resets": publish(b'{"config": "factory reset"}', qos=0),
        "4 kB each": publish(b"x" * 4096, qos=0),
        "another device's topic": publish(ROUTE, b"lobby/sensor-2", qos=0),
    }
    for name, message in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            result.run_case(name, partial(_flood, result, name, message, messages, Path(folder)))
    result.notes.append("The route follows the burst, and each hello. MB: resident memory, including the broker.")
    return result


def _flood(result: BenchResult, name: str, message: bytes, messages: int, folder: Path) -> None:
    seconds: list[float] = []

    async def script(conversation: Conversation) -> None:
        await conversation.accept()
        conversation.send(PUBACK, await conversation.await_publish() or b"")
        start = time.monotonic()
        for _ in range(messages // 500):
            conversation.writer.write(message * 500)
            await conversation.writer.drain()
        conversation.push(ROUTE)
        seconds.append(time.monotonic() - start)
        while (packet_id := await conversation.await_publish()) is not None:
            conversation.send(PUBACK, packet_id)
            conversation.push(ROUTE)

    tls = make_tls_setup(folder)
    timing = replace(SHORT_TIMING, hello_every=1, answer_within=20)
    before, maximum, start = _resident(), 0.0, time.monotonic()
    with (
        tls.broker(script, serve(ROUTE)) as broker,
        RunningDevice(tls.credentials, tls.state, endpoint_of(broker), timing=timing) as log,
    ):
        while not log.counts["arrived_at_target"]:
            maximum = max(maximum, _resident())
            assert time.monotonic() - start < 120, log.lines[-5:]
            time.sleep(0.02)
        duration = time.monotonic() - start
    assert len(log.lines) < 200, f"{len(log.lines)} lines"
    dropped = sum(line["count"] for line in log.lines if line["event"] == "messages_dropped")
    rate = messages / seconds[0] if seconds else 0
    result.add(name, f"{rate:,.0f}", len(log.lines), dropped, f"{duration:.1f}", f"{before:.0f}", f"{maximum:.0f}")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1024 / 1024
