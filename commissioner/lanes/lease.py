"""A worker's lease of its lane: renewed while it works, and checked before each call into a target.

The lease ensures that the calls of two workers in one target never overlap, even if a message is delivered twice or a
worker was stalled: no call begins that could last beyond the lease.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from commissioner.errors import LeaseLost
from commissioner.target_gateway.sessions import CallGuard
from lobby.domain.lanes.lane import Lane, lane_to
from lobby.domain.lanes.lane_pace import LanePace
from lobby.domain.lanes.lane_state import CALL_MARGIN, LEASE, LaneState
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes.lane_register import Lanes, WorkerReport
from lobby.names import Target

BEAT: Final = timedelta(seconds=3)


class LeaseGuard(CallGuard):
    """Allows calls into the target whose lane is leased. The clients of all sessions call it. `clock` returns the time.
    Only one worker runs in a Lambda at a time."""

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
        if self._lane != lane_to(target):
            raise LeaseLost(f"got a call into {target}, want a lease of its lane")
        self.require(target)

    def require(self, target: Target) -> None:
        """Raise `LeaseLost` unless the lease of any lane lasts longer than one attempt of a call."""
        if self._ends is None or self._clock() > self._ends - CALL_MARGIN:
            raise LeaseLost(f"got a call into {target}, want a lease that lasts")

    def throttled(self, target: Target) -> None:
        del target
        self.throttles += 1


class ReadGuard(CallGuard):
    """Allows reading from any target while a lane is leased, because the lane belongs to a device's new target and the
    shadows are in the old one. Throttling in the old target does not slow the lane down."""

    def __init__(self, lease: LeaseGuard) -> None:
        self._lease = lease

    def before_call(self, target: Target) -> None:
        self._lease.require(target)


class Lease:
    """The lease of one lane, and its holder's report: the pace, the time at which the next device may start (`slot`, in
    seconds since 1970), and the time at which a device was last done."""

    def __init__(self, lanes: Lanes, state: LaneState, holder: str, pace: LanePace, guard: LeaseGuard) -> None:
        self._lanes, self._holder, self._guard = lanes, holder, guard
        self.state, self.pace = state, pace
        self.began_at = timestamp(datetime.fromisoformat(state.leased_until or "") - LEASE)
        self.slot = 0.0 if state.slot_at is None else datetime.fromisoformat(state.slot_at).timestamp()
        self.progress_at: str | None = None
        self.done: set[str] = set()
        """Entries whose rows are done, so they can be removed from the lane's row."""
        self.is_lost = False
        """Whether another worker has the lease, or it has expired. It is then not renewed."""
        self.follows_unfinished = (state.unfinished_since or self.began_at) < self.began_at
        """Whether the last worker has left work unfinished, because it was killed or its time was up."""
        guard.begin(state)

    def renew(self) -> None:
        state = self._lanes.renew(self.state.lane, self._holder, self._report(self._announced_and_done))
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
        """Close the lane, because the target does not answer."""
        self.state = self._lanes.close(self.state)

    def reopen(self) -> None:
        """Reopen the lane, because the target answers again."""
        if self.state.silent_since is not None:
            self.state = self._lanes.reopen(self.state.lane)

    def note_throttling(self, at: datetime) -> None:
        """Slow down after throttled calls."""
        if self._guard.throttles:
            self._guard.throttles = 0
            self.pace = self.pace.throttled(at)

    def finish(self) -> bool:
        """Give the lease back when no work is left. Return False if it is lost, or kept because a row was announced at
        the same time."""
        if self._announced_and_done:
            self.renew()
        if not self.is_lost and self._lanes.finish(self.state.lane, self._holder, self._report()):
            self._guard.end()
            return True
        self.read()
        return False

    def leave(self, *, finished: bool, since: str | None = None, left: Iterable[str] = (), keep: bool = False) -> None:
        """Give the lease back before all work is done, unless another worker has it. `finished`: all started work is
        done. `since`: when the earliest unfinished work of earlier workers began, by default the mark that this worker
        has found. The other arguments are passed to `Lanes.leave`."""
        self._guard.end()
        report = self._report(self._announced_and_done)
        mark = None if finished else self._earlier_mark(since or self.state.unfinished_since or self.began_at)
        self._lanes.leave(self.state.lane, self._holder, report, unfinished_since=mark, left=left, keep=keep)

    @staticmethod
    def _earlier_mark(since: str) -> str:
        """Return a time since which work is unfinished. It is before the start of a successor in the same
        millisecond."""
        return timestamp(datetime.fromisoformat(since) - timedelta(milliseconds=1))

    @property
    def _announced_and_done(self) -> frozenset[str]:
        return self.state.announced & self.done

    def _report(self, done: frozenset[str] = frozenset()) -> WorkerReport:
        slot_at = timestamp(datetime.fromtimestamp(self.slot, UTC)) if self.slot else None
        return WorkerReport(self.pace.current, self.progress_at, slot_at, done)
