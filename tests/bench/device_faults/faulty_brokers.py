"""Simulated days with faulty brokers: how often the device connects, and how soon it recovers."""

from collections.abc import Callable
from functools import partial

from device.machine.plan import Plan
from tests.bench.device_faults.results import BenchResult
from tests.unit.device.faulty_brokers import FAULTY, LOOPS
from tests.unit.device.machine_driver import LOBBY, THING
from tests.unit.device.retry_statistics import (
    DEFAULT_PLAN,
    DEFAULTS,
    ROUNDS_PER_HOUR,
    TARGET,
    RetryStatistics,
    measure,
    measure_lobbies,
    measure_loop,
    measure_target,
    random_network,
    recovery_time,
)
from tests.unit.device.simulated_network import RespondingBroker, SimulatedNetwork

_COLUMNS = (
    "fault",
    "attempts",
    "busiest hour",
    "at most",
    "longest gap s",
    "writes/h",
    "log lines/h",
    "recovered after s",
)


def _add_row(
    result: BenchResult,
    name: str,
    limit: float,
    measured: Callable[[], RetryStatistics],
    recovery: Callable[[], float],
) -> None:
    rows: list[tuple[RetryStatistics, float]] = []

    def run() -> None:
        stats = measured()
        assert stats.max_per_hour <= limit, f"{stats.max_per_hour} attempts in an hour"
        rows.append((stats, recovery()))

    result.run_case(name, run)
    for stats, seconds in rows:
        result.add(
            name,
            stats.attempts,
            stats.max_per_hour,
            f"{limit:.0f}",
            f"{stats.max_gap:.0f}",
            f"{stats.writes:.1f}",
            f"{stats.lines:.0f}",
            f"{seconds:.0f}",
        )


def lobbies(hours: float) -> BenchResult:
    result = BenchResult(f"{hours:g} hours of faulty lobbies", _COLUMNS)
    for fault, make in FAULTY.items():
        for count in (1, 3):
            network = SimulatedNetwork({LOBBY: make()}, Plan(THING, (LOBBY,), DEFAULTS))
            _add_row(
                result,
                f"{fault}, {count} of {count}",
                count * ROUNDS_PER_HOUR,
                partial(measure_lobbies, fault, count, hours),
                partial(recovery_time, network, hours),
            )
    result.notes.append(
        f"At most: {ROUNDS_PER_HOUR:g} rounds of all lobbies per hour, each after at least half of the cap,"
        f" {DEFAULTS.retry_cap:g} s."
    )
    return result


def targets(hours: float) -> BenchResult:
    result = BenchResult(f"{hours:g} hours of a faulty target and a working lobby", _COLUMNS)
    for fault, make in FAULTY.items():
        network = SimulatedNetwork({LOBBY: RespondingBroker(), TARGET: make()}, DEFAULT_PLAN)
        recovery = partial(recovery_time, network, hours)
        _add_row(result, fault, ROUNDS_PER_HOUR, partial(measure_target, fault, hours), recovery)
    return result


def loops(hours: float) -> BenchResult:
    result = BenchResult(f"{hours:g} hours of brokers that send the device in a loop", _COLUMNS)
    for name, (lobby, target) in LOOPS.items():
        network = SimulatedNetwork({LOBBY: lobby(), TARGET: target()}, DEFAULT_PLAN)
        recovery = partial(recovery_time, network, hours)
        _add_row(result, name, 1.1 * ROUNDS_PER_HOUR, partial(measure_loop, name, hours), recovery)
    return result


def random_brokers(seeds: int, hours: float) -> BenchResult:
    """Two lobbies and a target that randomly answer, drop connections, stop answering and send messages."""
    result = BenchResult(f"{seeds} times {hours:g} hours of random brokers", ("measure", "median", "maximum"))
    max_per_hour: list[float] = []
    recovery: list[float] = []

    def run(seed: int) -> None:
        max_per_hour.append(measure(random_network(seed), hours).max_per_hour)
        recovery.append(recovery_time(random_network(seed), hours))

    for seed in range(seeds):
        result.run_case(f"seed {seed}", partial(run, seed))
    for name, values in {"attempts in the busiest hour": max_per_hour, "recovered after s": recovery}.items():
        if values:
            result.add(name, f"{sorted(values)[len(values) // 2]:.0f}", f"{max(values):.0f}")
    return result
