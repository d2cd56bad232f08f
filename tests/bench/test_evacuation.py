"""Tests of the evacuation benchmark's own computations, with few devices."""

from dataclasses import replace

import pytest

from device.machine.plan import Timing
from tests.bench.evacuation import fallbacks, reception
from tests.bench.evacuation.__main__ import Figures, simulate

GOOD = Figures(10, 1, 10, 1.01, 0, 2.0, 150.0, 150.3, 250.0, 400.0, 380.0, 1.05, 7, 2, 2, 0.6, 0.8, 0.9)


def test_the_fallback_is_that_of_the_reference_client_from_a_target_that_does_not_answer() -> None:
    retry, limit = Timing().retry, Timing().fallback_seconds
    found = [fallbacks.own_fallback(seed) for seed in range(20)]
    assert limit <= min(found)
    assert max(found) <= limit + retry.cap + retry.base


def test_below_the_quota_each_device_arrives_at_its_own_time() -> None:
    found = fallbacks.arrivals([1.0, 2.0, 3.0], rate=10)
    assert [round(at, 3) for at in found.after] == [1.3, 2.3, 3.3]
    assert (found.hellos, found.refused) == ([1.0, 2.0, 3.0], 0)


def test_above_the_quota_devices_are_refused_and_arrive_at_its_rate() -> None:
    found = fallbacks.arrivals([0.0] * 100, rate=10)
    assert (len(found.after), found.refused > 0) == (100, True)
    assert found.after[-1] >= fallbacks.ideal([0.0] * 100, rate=10) - 1  # the bucket is full at the start


def test_a_quota_grants_its_rate_and_the_operations_of_a_second_at_once() -> None:
    quota = fallbacks.Quota(5)
    assert [quota.take(0) for _ in range(6)] == [True] * 5 + [False]
    assert [quota.take(0.2), quota.take(0.2), quota.take(9)] == [True, False, True]


@pytest.mark.slow
def test_the_simulation_counts_one_write_and_one_read_for_each_hello() -> None:
    figures = Figures(devices=120)
    simulate(figures, seed=2)
    assert (figures.writes, figures.routed, figures.writes_of_hellos) == (1, 120, 0)
    assert figures.writes_per_row == 2
    assert 1 < figures.reads_per_hello <= 1.3
    assert reception.writes_of(reception.evacuate([0.0]).evacuate) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"writes": 2},
        {"routed": 9},
        {"reads_per_hello": 1.2},
        {"writes_of_hellos": 1},
        {"first_arrival": 151.2},
        {"last_arrival": 419.0},
        {"real_arrived": 1},
        {"real_first": 1.3},
    ],
)
def test_each_limit_is_applied(bad: dict[str, float]) -> None:
    assert GOOD.is_within
    assert not replace(GOOD, **bad).is_within  # type: ignore[arg-type]
