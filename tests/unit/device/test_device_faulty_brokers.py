"""Simulated hours of faulty brokers: the device retries at a limited rate, tries each lobby in turn, and recovers.

`python -m tests.bench.device_faults` simulates days, and prints the statistics.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.machine.plan import Plan
from tests.unit.device.faulty_brokers import FAULTY, LOOPS
from tests.unit.device.machine_driver import LOBBY, THING
from tests.unit.device.retry_statistics import (
    DEFAULT_PLAN,
    DEFAULTS,
    LOBBIES,
    MAX_GAP,
    ROUNDS_PER_HOUR,
    STABLE,
    TARGET,
    measure,
    measure_lobbies,
    measure_loop,
    measure_target,
    random_network,
    recovery_time,
)
from tests.unit.device.simulated_network import RespondingBroker, SimulatedNetwork


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_lobbies_are_tried_in_turn_at_a_limited_rate(name: str) -> None:
    stats = measure_lobbies(name, 2, hours=3)
    assert stats.max_per_hour <= 2 * ROUNDS_PER_HOUR
    assert stats.max_gap <= MAX_GAP
    if name not in STABLE:
        assert min(stats.by_endpoint[lobby] for lobby in LOBBIES[:2]) > 0.4 * stats.attempts


@pytest.mark.parametrize("name", FAULTY)
def test_a_lobby_repaired_after_hours_is_used_within_minutes(name: str) -> None:
    network = SimulatedNetwork({LOBBY: FAULTY[name]()}, Plan(THING, (LOBBY,), DEFAULTS))
    assert recovery_time(network, hours=2) < 3 * 60


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_target_makes_the_device_fall_back_to_the_lobby(name: str) -> None:
    stats = measure_target(name, hours=3)
    assert stats.max_per_hour <= ROUNDS_PER_HOUR
    assert stats.max_gap <= DEFAULTS.revisit_cap + DEFAULTS.retry_cap  # connected to a lobby that has no other route
    if name not in STABLE:
        assert stats.network.counts["fallback_to_lobby"] > 2
        assert stats.network.counts["hello_sent"] > 40


@pytest.mark.parametrize("name", FAULTY)
def test_a_repaired_target_is_used_again(name: str) -> None:
    network = SimulatedNetwork({LOBBY: RespondingBroker(), TARGET: FAULTY[name]()}, DEFAULT_PLAN)
    assert recovery_time(network, hours=2) < DEFAULTS.revisit_cap + 5 * 60


@pytest.mark.parametrize("name", LOOPS)
def test_in_a_loop_attempts_disk_writes_and_log_lines_are_limited(name: str) -> None:
    stats = measure_loop(name, hours=3)
    assert stats.max_per_hour <= 1.1 * ROUNDS_PER_HOUR
    assert stats.writes <= 2 * ROUNDS_PER_HOUR
    assert stats.lines <= 20 * ROUNDS_PER_HOUR


@pytest.mark.parametrize("name", LOOPS)
def test_a_device_recovers_after_a_loop_ends(name: str) -> None:
    lobby, target = LOOPS[name]
    assert recovery_time(SimulatedNetwork({LOBBY: lobby(), TARGET: target()}, DEFAULT_PLAN), hours=1) < 5 * 60


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**9))
def test_a_device_recovers_from_brokers_that_behave_at_random(seed: int) -> None:
    assert measure(random_network(seed), hours=1).max_per_hour <= 10 * ROUNDS_PER_HOUR
    assert recovery_time(random_network(seed), hours=1) < DEFAULTS.revisit_cap + 10 * 60
