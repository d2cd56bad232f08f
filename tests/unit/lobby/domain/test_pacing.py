"""The pace of calls: bursts, the steady rate, and idle times."""

import pytest

from lobby.domain.pacing import Pace

ONCE = float("-inf")


def starts(pace: Pace, times: list[float]) -> list[float]:
    """Return when calls that are wanted at these times may start."""
    following, found = ONCE, []
    for now in times:
        wait, following = pace.reserve(following, now)
        found.append(round(now + wait, 6))
    return found


def test_a_burst_passes_at_once_and_then_calls_follow_at_the_rate() -> None:
    assert starts(Pace(5, 3), [100.0] * 6) == [100.0, 100.0, 100.0, 100.2, 100.4, 100.6]


def test_an_idle_time_allows_one_burst_however_long_it_was() -> None:
    assert starts(Pace(5, 2), [0.0, 0.0, 0.0, 1000.0, 1000.0, 1000.0]) == [0.0, 0.0, 0.2, 1000.0, 1000.0, 1000.2]


def test_a_late_caller_gets_back_only_the_time_that_it_lost() -> None:
    assert starts(Pace(10, 2), [0.0, 0.0, 0.15, 0.15, 0.15]) == [0.0, 0.0, 0.15, 0.2, 0.3]


@pytest.mark.parametrize("burst", [1, 5])
@pytest.mark.parametrize("rate", [0.5, 10])
def test_no_window_contains_more_than_the_burst_and_the_rate_allow(rate: float, burst: int) -> None:
    wanted = sorted((number * 7919 % 1000) / 25 for number in range(400))
    found = starts(Pace(rate, burst), wanted)
    for first in range(0, 400, 7):
        for last in range(first, 400, 11):
            assert last - first + 1 <= burst + (found[last] - found[first]) * rate + 1e-3


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (5, 0.5)])
def test_a_pace_that_never_allows_a_call_is_an_error(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="calls per second"):
        Pace(rate, burst)
