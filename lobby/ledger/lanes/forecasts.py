"""Forecasts for waiting devices, from the counts, the lanes' rows and the ends of each lane.

Each request reads its data once: one query for all counts, one for all lanes, and for each lane one each for the
first row, the last row and the number of rows. Rows are counted because the ledger's counts contain neither devices
that are released nor those that are prepared in a standby. Above `MOST_COUNTED` rows, the claims of the target count.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

from lobby.domain.campaigns.campaign_rules import Estimate, estimate
from lobby.domain.device import Device, Priority
from lobby.domain.lanes.forecast import Backlog, Forecast, devices_before, forecast, forecast_of_work
from lobby.domain.lanes.lane import Lane, lane_to, main_lane, parse_turn, priority_of, target_of
from lobby.domain.lanes.lane_pace import DEFAULT_RATE, LanePace
from lobby.domain.lanes.lane_state import LaneState
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from lobby.errors import InvalidInput
from lobby.ledger.clock import now
from lobby.ledger.lanes.lane_register import Lanes, newest, waiting, waiting_count
from lobby.ledger.lists.counts import read_counts
from lobby.names import Target

MOST_COUNTED: Final = 10_000
"""The maximum number of a lane's rows that are counted for a request."""


@dataclass
class Forecasts:
    """Makes the forecasts of one request. `targets` returns the registered targets."""

    targets: Callable[[], list[RegisteredTarget]]
    clock: Callable[[], datetime] = now
    _backlogs: dict[Lane, Backlog] = field(default_factory=dict)

    def of(self, device: Device) -> Forecast | None:
        """Return the forecast of a device; None if it waits for no work."""
        if not device.needs_commissioner:
            return None
        lane, priority = _place(device)
        before = devices_before(device.enteredat, priority, self.backlog(lane)) if priority is Priority.BULK else 0
        return forecast(before, self.state(lane), self._rate(lane), self.clock())

    def estimate(self, work: Mapping[str, int]) -> Estimate:
        """Return how long the lanes take for these numbers of devices at their present pace."""
        return estimate(work, lambda lane: LanePace.of(self._rate(lane), self.state(lane).pace).current)

    def of_work(self, work: Mapping[str, int]) -> Forecast | None:
        """Return when the lanes will be done with these numbers of devices; None if no lane has work."""
        lane = self.estimate(work).lane
        return forecast_of_work(work[lane], self.state(lane), self._rate(lane), self.clock()) if lane else None

    def state(self, lane: Lane) -> LaneState:
        return self._states.get(lane, LaneState(lane))

    def waiting_for(self, target: Target) -> int:
        """Return how many claimed devices wait for a target."""
        return self._claimed.get(target, 0)

    def backlog(self, lane: Lane) -> Backlog:
        if lane not in self._backlogs:
            self._backlogs[lane] = self._read_backlog(lane)
        return self._backlogs[lane]

    def _read_backlog(self, lane: Lane) -> Backlog:
        first = waiting(lane, Priority.BULK, 1).rows
        last = newest(lane, Priority.BULK)
        if not first or last is None:
            return Backlog(0)
        target, count = target_of(lane), waiting_count(lane, Priority.BULK, MOST_COUNTED)
        claimed = self.waiting_for(target) if target and count >= MOST_COUNTED else 0
        return Backlog(max(count, claimed), first[0].since, last.since)

    def _rate(self, lane: Lane) -> float:
        return self._rates.get(lane, DEFAULT_RATE)

    @cached_property
    def _states(self) -> dict[Lane, LaneState]:
        return {state.lane: state for state in Lanes(self.clock).all()}

    @cached_property
    def _rates(self) -> dict[Lane, float]:
        return {lane_to(each.target): each.rate for each in self.targets()}

    @cached_property
    def _claimed(self) -> dict[Target, int]:
        tallies = [tally for tally in read_counts() if tally.bucket.state is State.CLAIMED]
        counts: Counter[Target] = Counter()
        for tally in tallies:
            if tally.bucket.target:
                counts[tally.bucket.target] += tally.count
        return dict(counts)


def _place(device: Device) -> tuple[Lane, Priority]:
    """Return lane and priority of a row, which may come from an index without the row's priority."""
    try:
        found = parse_turn(device.turn or "")
    except InvalidInput:
        found = None
    return found or (main_lane(device), priority_of(device))
