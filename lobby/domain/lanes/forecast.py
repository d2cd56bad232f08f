"""The forecast of a waiting device: when it will be commissioned, and the cause of the wait as text. The number of
devices before it is an estimate from the number of the lane's devices and the times of the first, the last and this
one. So a forecast is never later than the end of the backlog.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.device import Priority
from lobby.domain.lanes.lane_pace import LIMITING_QUOTA, LanePace
from lobby.domain.lanes.lane_state import LaneState

_QUOTA: Final = f"the rate set for the target, below AWS IoT's quota for {LIMITING_QUOTA}"


@dataclass(frozen=True)
class Backlog:
    """The rows of a lane that come after all single claims: their number, and the times since which the first and the
    last one wait."""

    count: int
    oldest: str | None = None
    newest: str | None = None


@dataclass(frozen=True)
class Forecast:
    """`expected_at` is None while the lane is closed."""

    expected_at: datetime | None
    waits_for: str


def devices_before(since: str, priority: Priority, backlog: Backlog) -> int:
    """Estimate how many devices of the lane come before a device that waits since the time `since`."""
    if priority is Priority.SINGLE or backlog.oldest is None or backlog.newest is None:
        return 0
    first, last, own = (datetime.fromisoformat(each) for each in (backlog.oldest, backlog.newest, since))
    if last <= first:
        return max(0, backlog.count - 1)
    part = min(1.0, max(0.0, (own - first) / (last - first)))
    return round(part * max(0, backlog.count - 1))


def forecast(before: int, state: LaneState, rate: float, now: datetime) -> Forecast:
    """Return the forecast for a device that has `before` devices before it."""
    if why := closed(state):
        return Forecast(None, why)
    pace = LanePace.of(rate, state.pace)
    expected = now + timedelta(seconds=(before + 1) / pace.current)
    slower = f", below {rate:g} since AWS throttled calls or the rate was raised" if pace.current < rate else ""
    if before == 0:
        return Forecast(expected, f"next in its lane, at {pace.current:g} devices per second")
    words = f"{before} devices before it at {pace.current:g} per second{slower}; the limit is {_QUOTA}"
    return Forecast(expected, words)


def forecast_of_work(count: int, state: LaneState, rate: float, now: datetime) -> Forecast:
    """Return the forecast for the end of a campaign, whose slowest lane has work for `count` devices."""
    if why := closed(state):
        return Forecast(None, why)
    pace = LanePace.of(rate, state.pace)
    expected = now + timedelta(seconds=count / pace.current)
    return Forecast(expected, f"{count} devices in {state.lane} at {pace.current:g} per second; the limit is {_QUOTA}")


def closed(state: LaneState) -> str | None:
    """Return why no device of a lane is processed, or None."""
    if state.paused_at is not None:
        return f"the target is paused by {state.paused_by} since {state.paused_at}"
    if state.silent_since is not None:
        return f"the target has not answered since {state.silent_since}; it is tried again"
    return None
