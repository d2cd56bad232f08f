"""The pace of a lane: the rate, the reduction after throttling, and the slots of devices."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from lobby.domain.lanes.lane_pace import DEFAULT_RATE, URGENT_EARLY, LanePace, next_slot, parse_rate, resumed_slot
from lobby.errors import InvalidInput

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize("rate", [0.1, 1, 9.0, 500])
def test_a_rate_is_a_number_of_devices_per_second(rate: float) -> None:
    assert parse_rate(rate) == rate


@pytest.mark.parametrize("rate", [0, 0.09, 500.1, -1, math.nan, math.inf, "9", None, True])
def test_other_rates_are_rejected(rate: object) -> None:
    with pytest.raises(InvalidInput, match="INVALID_RATE"):
        parse_rate(rate)


def test_throttling_slows_the_lane_down_once_a_second_and_never_to_a_stop() -> None:
    pace = LanePace.of(DEFAULT_RATE, None)
    slower = pace.throttled(NOW)
    assert slower.current < pace.current
    assert slower.throttled(NOW + timedelta(milliseconds=999)) == slower
    for second in range(100):
        slower = slower.throttled(NOW + timedelta(seconds=second))
    assert slower.current == pytest.approx(DEFAULT_RATE / 10)


def test_the_pace_recovers_up_to_the_rate() -> None:
    pace = LanePace.of(DEFAULT_RATE, 3.0)
    assert pace.current == 3.0
    assert pace.current < pace.recovered(5).current < DEFAULT_RATE
    assert pace.recovered(60).current == DEFAULT_RATE


def test_a_changed_rate_applies_immediately() -> None:
    assert LanePace.of(2.0, 9.0).current == 2.0


def test_slots_are_an_interval_apart_and_a_late_worker_makes_no_burst() -> None:
    slots, now = [0.0], 0.0
    for _ in range(10):
        slots.append(next_slot(slots[-1], 0.1, now))
        now = slots[-1]
    assert [round(later - earlier, 6) for earlier, later in pairwise(slots)] == [0.1] * 10
    late = next_slot(1.0, 0.1, 100.0)
    assert 100.0 - late <= 0.5


@pytest.mark.parametrize(
    ("saved", "resumed"),
    [
        (0.0, 100.0),
        (94.9, 100.0),
        (95.1, 99.5),
        (99.4, 99.5),
        (99.6, 99.6),
        (100.05, 100.05),
        (109.0, 100.1 + URGENT_EARLY),
    ],
    ids=["first run", "old run", "long gap", "gap of half a second", "short gap", "slot to come", "lower rate before"],
)
def test_a_run_keeps_its_distance_from_the_last_device_of_the_run_before(saved: float, resumed: float) -> None:
    assert resumed_slot(saved, 0.1, 100.0) == pytest.approx(resumed)


def test_urgent_devices_and_a_late_worker_together_stay_within_a_second_of_the_rate() -> None:
    """The worst case: the worker is late and catches up, and single claims start early."""
    slot, started = next_slot(0.0, 1 / DEFAULT_RATE, 100.0), 0
    while slot - URGENT_EARLY <= 100.0:
        slot, started = next_slot(slot, 1 / DEFAULT_RATE, 100.0), started + 1
    assert started <= DEFAULT_RATE + 1
