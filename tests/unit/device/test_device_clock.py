"""A wrong wall clock: no wait depends on it, it is logged once, and the device retries until the clock is corrected."""

import ast
import io
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

import device
from device.event_log import EventLog
from device.machine.events import ConnectionFailed, Failure
from device.machine.plan import Plan
from tests.unit.device.machine_driver import LOBBY, THING
from tests.unit.device.retry_statistics import DEFAULTS, MAX_GAP, NEWEST_ROUTE, TARGET
from tests.unit.device.simulated_network import HOUR, Broker, RespondingBroker, SimulatedConnection, SimulatedNetwork

_WALL_CLOCK = {("time", "time"), ("time", "localtime"), ("time", "gmtime"), ("datetime", "now"), ("datetime", "utcnow")}


class ClockCheckingBroker(RespondingBroker):
    """TLS fails while the device's clock is wrong."""

    def opened(self, connection: SimulatedConnection) -> None:
        if connection.network.clock_error:
            connection.report(ConnectionFailed(connection.id, Failure.UNTRUSTED, "certificate not yet valid"))
        else:
            super().opened(connection)


def test_only_the_event_log_reads_the_wall_clock() -> None:
    files = set()
    for path in Path(str(device.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                files |= {path.name} if (node.value.id, node.attr) in _WALL_CLOCK else set()
    assert files == {"event_log.py"}


@pytest.mark.parametrize("error", ["got clock 1970-01-01 00:00", "got clock 2100-01-01 00:00"])
def test_the_device_recovers_within_minutes_after_its_clock_is_set(error: str) -> None:
    network = SimulatedNetwork(
        {LOBBY: ClockCheckingBroker(NEWEST_ROUTE.encode()), TARGET: Broker()}, Plan(THING, (LOBBY,), DEFAULTS)
    )
    network.clock_error = error

    def set_clock() -> None:
        network.clock_error = ""

    network.schedule(5 * HOUR, set_clock)
    network.run_device(lambda: network.counts["alive_sent"], within=6 * HOUR)
    assert network.now - (1000 + 5 * HOUR) < 2 * 60
    logged = [event for _, event, _ in network.log if event.startswith("clock")]
    assert logged == ["clock_implausible", "clock_plausible"]
    assert network.counts["untrusted"] > 5 * 60
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(network.attempts)]
    assert max(gaps) < MAX_GAP


def test_a_clock_that_jumps_changes_only_the_times_in_the_log() -> None:
    jumps = itertools.cycle([datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)])
    out = io.StringIO()
    event_log = EventLog("json", out, lambda: next(jumps))
    network = SimulatedNetwork(
        {LOBBY: ClockCheckingBroker(NEWEST_ROUTE.encode()), TARGET: ClockCheckingBroker()},
        Plan(THING, (LOBBY,), DEFAULTS),
    )
    network.listeners.append(event_log.record)

    def jump() -> None:
        network.clock_error = "" if network.clock_error else "wrong clock"
        network.schedule(7, jump)

    network.schedule(30, jump)
    network.run_for(HOUR)
    assert network.counts["alive_sent"] in range(58, 68)
    assert network.counts["connecting"] == 2
    assert out.getvalue().count('"at": "1970-01-01T00:00:00.000Z"') > 20
    assert out.getvalue().count("\n") == len(network.log)
