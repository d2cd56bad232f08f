"""Statistics of simulated hours with faulty brokers: how often the device connects, where, and how much it writes."""

import random
from collections import Counter
from dataclasses import dataclass, replace

from device.machine.plan import Endpoint, Plan, Timing
from lobby.wire import Route
from tests.unit.device.faulty_brokers import FAULTY, LOOPS, RandomBroker
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, PLAN, ROUTE, THING
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import HOUR, Broker, RespondingBroker, SimulatedNetwork

DEFAULTS = Timing()
LOBBIES = (LOBBY, replace(OTHER_LOBBY, port=LOBBY.port), Endpoint("lobby-3.example"))
TARGET = Endpoint(ROUTE.iotep)
ROUNDS_PER_HOUR = HOUR / (DEFAULTS.retry_cap / 2)
"""Rounds over all lobbies in an hour if each wait is the shortest that the cap allows."""
MAX_GAP = DEFAULTS.retry_cap + 60 * 1.1 + DEFAULTS.answer_within
"""Longest time between two attempts, in seconds: the wait, and a connection that an unanswered hello ends."""
STABLE = ("closed just after it counts as stable", "no PINGRESP, and no end of a disconnect")
"""Faults that leave each connection up long enough to count as stable."""
NEWEST_ROUTE = Route(ROUTE.iotep, "blue", 8883, 100_000)
DEFAULT_PLAN = replace(PLAN, timing=DEFAULTS)
_BACKOFF_GROWN_AFTER_S = 600.0
"""The backoff has reached its cap after this time."""


@dataclass(frozen=True)
class RetryStatistics:
    """The connections and writes in a simulated period."""

    attempts: int
    max_per_hour: int
    """Most attempts in any hour after the backoff has reached its cap."""
    max_gap: float
    """Longest time between two attempts, or since the last, in seconds."""
    by_endpoint: Counter[Endpoint]
    writes: float
    """Folder flushes per hour."""
    lines: float
    """Log lines per hour."""
    network: SimulatedNetwork


def measure(network: SimulatedNetwork, hours: float) -> RetryStatistics:
    disk = SimulatedDisk({"device": {"state": {}}})
    start = network.now
    network.run_for(hours * HOUR, disk)
    assert not network.counts["fault"], network.log[-20:]
    times = [at for at, _ in network.attempts]
    gaps = [after - before for before, after in zip(times, [*times[1:], network.now], strict=True)]
    return RetryStatistics(
        attempts=len(times),
        max_per_hour=_max_per_hour(times, start + _BACKOFF_GROWN_AFTER_S),
        max_gap=max(gaps),
        by_endpoint=Counter(endpoint for _, endpoint in network.attempts),
        writes=Counter(disk.calls)["fsync folder"] / hours,
        lines=len(network.log) / hours,
        network=network,
    )


def _max_per_hour(times: list[float], since: float) -> int:
    later = [at for at in times if at > since]
    return max((sum(1 for other in later[i:] if other < at + HOUR) for i, at in enumerate(later)), default=0)


def measure_lobbies(fault: str, count: int, hours: float) -> RetryStatistics:
    """Run with this many lobbies, all of them with this fault."""
    lobbies = LOBBIES[:count]
    return measure(
        SimulatedNetwork({lobby: FAULTY[fault]() for lobby in lobbies}, Plan(THING, lobbies, DEFAULTS)), hours
    )


def measure_target(fault: str, hours: float) -> RetryStatistics:
    """Run with a lobby that sends the device to a target with this fault."""
    brokers = {LOBBY: RespondingBroker(NEWEST_ROUTE.encode()), TARGET: FAULTY[fault]()}
    return measure(SimulatedNetwork(brokers, DEFAULT_PLAN), hours)


def measure_loop(name: str, hours: float) -> RetryStatistics:
    """Run with the brokers of one of `LOOPS`."""
    lobby, target = LOOPS[name]
    return measure(SimulatedNetwork({LOBBY: lobby(), TARGET: target()}, DEFAULT_PLAN), hours)


def random_network(seed: int) -> SimulatedNetwork:
    """Return two lobbies and a target that behave at random."""
    choice = random.Random(seed)  # noqa: S311 - a test
    good = {
        LOBBIES[0]: RespondingBroker(NEWEST_ROUTE.encode()),
        LOBBIES[1]: RespondingBroker(NEWEST_ROUTE.encode()),
        TARGET: Broker(),
    }
    faulty: dict[Endpoint, Broker] = {endpoint: RandomBroker(choice, broker) for endpoint, broker in good.items()}
    return SimulatedNetwork(faulty, Plan(THING, LOBBIES[:2], DEFAULTS), seed)


def recovery_time(network: SimulatedNetwork, hours: float) -> float:
    """Run the faulty brokers for this time, then replace them with good ones. Return the seconds until the device,
    which may have the newest route, works in its target again."""
    repaired_at = network.now + hours * HOUR

    def repair() -> None:
        network.clear_log()
        network.brokers.update(
            {lobby: RespondingBroker(NEWEST_ROUTE.encode()) for lobby in LOBBIES} | {TARGET: Broker()}
        )

    def recovered() -> bool:
        expected = ("alive_sent", str(TARGET))
        return network.now > repaired_at and any(
            (event, fields.get("endpoint")) == expected for _, event, fields in network.log
        )

    network.schedule(hours * HOUR, repair)
    network.run_device(recovered, within=(hours + 2) * HOUR)
    assert not network.counts["fault"], network.log[-20:]
    return network.now - repaired_at
