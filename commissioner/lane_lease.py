"""A worker's lease of its lane: renewed while it works, and checked before each call into a target.

The lease makes the calls of two workers in one target never overlap, also if a message is delivered twice or a worker
was stalled: no call begins that could last beyond the lease.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from commissioner.errors import LeaseLost
from commissioner.target_gateway.sessions import CallGuard
from lobby.domain.lane_pace import LanePace
from lobby.domain.lane_state import CALL_MARGIN, LEASE, LaneState
from lobby.domain.lanes import Lane, lane_to
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes import Lanes
from lobby.names import Fingerprint, Target

BEAT: Final = timedelta(seconds=5)


class LeaseGuard(CallGuard):
    """Allows calls into the target whose lane is leased; the clients of all sessions ask it. `clock` returns the time.
    One worker runs in a Lambda at a time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lane: Lane | None = None
        self._ends: datetime | None = None
        self.throttles = 0
        """Calls that AWS has throttled since the lease began."""

    def begin(self, state: LaneState) -> None:
        self._lane, self.throttles = state.lane, 0
        self.extend(state)

    def extend(self, state: LaneState) -> None:
        self._ends = datetime.fromisoformat(state.leased_until) if state.leased_until else None

    def end(self) -> None:
        self._ends = None

    def before_call(self, target: Target) -> None:
        """Raise `LeaseLost` unless the lease lasts longer than one attempt of a call."""
        if self._ends is None or self._clock() > self._ends - CALL_MARGIN or self._lane != lane_to(target):
            raise LeaseLost(f"got a call into {target}, want a lease of its lane")

    def throttled(self, target: Target) -> None:
        del target
        self.throttles += 1


class Lease:
    """The lease of one lane, with what its holder reports: the pace, and when a device was last done."""

    def __init__(self, lanes: Lanes, state: LaneState, holder: str, pace: LanePace, guard: LeaseGuard) -> None:
        self._lanes, self._holder, self._guard = lanes, holder, guard
        self.state, self.pace = state, pace
        self.began_at = timestamp(datetime.fromisoformat(state.leased_until or "") - LEASE)
        self.progress_at: str | None = None
        self.taken: set[Fingerprint] = set()
        """Announced rows that are no longer to be announced."""
        self.is_lost = False
        guard.begin(state)

    def renew(self) -> None:
        state = self._lanes.renew(self.state.lane, self._holder, self.pace.current, self.progress_at, self.taken)
        self.taken.clear()
        if state is None:
            self.is_lost = True
            self._guard.end()
        else:
            self.state = state
            self._guard.extend(state)

    def read(self) -> None:
        """Read the lane's row, which an operator or an announcement may have changed."""
        state = self._lanes.get(self.state.lane)
        self.is_lost = state.holder != self._holder
        self.state = state

    def close(self) -> None:
        """The target does not answer."""
        self.state = self._lanes.close(self.state)

    def reopen(self) -> None:
        """The target answers again."""
        if self.state.silent_since is not None:
            self.state = self._lanes.reopen(self.state.lane)

    def note_throttling(self, at: datetime) -> None:
        """Slow down after throttled calls."""
        if self._guard.throttles:
            self._guard.throttles = 0
            self.pace = self.pace.throttled(at)

    def end(self, *, finished: bool) -> None:
        self._guard.end()
        if not self.is_lost:
            self._lanes.end(self.state.lane, self._holder, self.pace.current, self.progress_at, finished=finished)
