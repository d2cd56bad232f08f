"""The worker of a lane: takes the lease, and serves the lane's rows at the target's pace until the lane is empty.

The worker ends after 40 s, and its successor continues, so that every lane gets its turn and no run lasts long. A
device that failed is tried again later in the run, and does not delay the others. If the target does not answer, the
lane is closed for a while. A worker that was started for announced rows serves only these, and leaves those that fail
to its successor, so that the next announcement of the lane does not wait. `lane_steps` decides what to do next,
`rows` which row comes next.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from commissioner.lanes.lease import BEAT, Lease
from commissioner.lanes.rows import LaneRows
from commissioner.lanes.serving import FINAL, Attempt, Result, Server
from lobby.domain.lanes.lane import Lane, target_of
from lobby.domain.lanes.lane_pace import URGENT_EARLY, next_slot, resumed_slot
from lobby.domain.lanes.lane_steps import Action, Step, WorkerState, next_step
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes.lane_register import commissioned_since

SLICE: Final = timedelta(seconds=40)
"""Between two runs, a lane stands still while the last devices are finished: about a second, if each of ten calls takes
0.1 s in a distant target. With this slice, the lane loses 2 % of its pace."""
DEVICES: Final = 32
"""The maximum number of devices in progress: at the default rate, each may take three seconds."""
URGENT_DEVICES: Final = 8
"""The number of urgent rows that may be in progress in addition."""
THREADS: Final = DEVICES + URGENT_DEVICES
POLL_INTERVAL: Final = 0.02
"""Seconds between two reads of the lane's row, which announces single claims. The reads are strongly consistent. At the
default rate, there are five or six for each device of a bulk claim, which cost 0.70 USD per million devices."""
EXPRESS_POLL_INTERVAL: Final = 0.25
"""The same for a worker that was started for announced rows. Longer, because the worker usually ends before others are
announced."""
SINGLES_INTERVAL: Final = 5.0
"""Seconds between two queries for single claims, in case an announcement was lost."""
RETRY_SECONDS: Final = (2.0, 4.0, 8.0)
SILENT_ATTEMPTS: Final = 3
"""After this many consecutive devices without an answer, the lane is closed. A lane that was closed before is closed
again after the first one."""
RECOVERY_MARGIN: Final = timedelta(seconds=5)


class Ending(StrEnum):
    """Why a worker has ended."""

    DRAINED = "drained"
    """The lease has been returned."""
    TIME_UP = "time is up"
    CLOSED = "closed"
    LOST = "lease lost"


@dataclass
class Tally:
    """The results of a worker, for its log and its metrics."""

    served: int = 0
    throttled: int = 0
    failed: int = 0


@dataclass
class LaneWorker:
    """Serves one lane in one invocation. `wait` waits for a future for at most this many seconds; `clock` returns the
    time; `heartbeat` is called when the worker first waits, and then at least every three seconds. With `only`, the
    worker serves only the rows of these entries and rows that are announced in the meantime. `poll_interval` applies to
    a worker without `only`."""

    lane: Lane
    lease: Lease
    server: Server
    executor: Executor
    wait: Callable[[list[Future[Result]], float], None]
    clock: Callable[[], datetime]
    heartbeat: Callable[[], None] = lambda: None
    slice: timedelta = SLICE
    only: tuple[str, ...] = ()
    poll_interval: float = POLL_INTERVAL
    tally: Tally = field(default_factory=Tally)
    _running: dict[Future[Result], Attempt] = field(default_factory=dict)
    _silent: int = 0
    _answered: bool = False
    _renew_at: float = 0.0
    _heartbeat_at: float = 0.0
    _poll_at: float = 0.0
    _singles_at: float = 0.0

    def __post_init__(self) -> None:
        self.rows = LaneRows(self.lane, exhausted=bool(self.only))
        self._poll_interval = EXPRESS_POLL_INTERVAL if self.only else self.poll_interval

    def run(self) -> Ending:
        """Work until there is a reason to end, and return the reason. The worker still has the lease, unless the lane
        is drained."""
        began = self._now()
        self.lease.slot = resumed_slot(self.lease.slot, self.lease.pace.interval, began)
        self._renew_at, self._poll_at = began + BEAT.total_seconds(), began + self._poll_interval
        self._recover()
        self.rows.announce({*self.only, *self.lease.state.announced})
        ends = began + self.slice.total_seconds()
        while True:
            self._collect()
            self._keep()
            step = next_step(self._worker_state(ends))
            if step.action is Action.END:
                ending = self._ending(ends)
                if ending is not Ending.DRAINED or self.lease.finish():
                    return ending
                self.rows.announce(self.lease.state.announced)
            else:
                self._take(step)

    @property
    def unfinished_since(self) -> str:
        """When the earliest unfinished work began: that of earlier workers, or of this one. So each successor repeats
        less, even if a lane never ends with all work finished."""
        return min(self.rows.recovered_since or self.lease.began_at, self.lease.began_at)

    def left(self) -> list[str]:
        """Return the entries of this worker's own message that its successor must serve."""
        return self.rows.left_of(self.only)

    def _now(self) -> float:
        return self.clock().timestamp()

    def _worker_state(self, ends: float) -> WorkerState:
        now, rows = self._now(), self.rows
        rows.due(now)
        is_probing = self._is_probing() and not self._answered
        return WorkerState(
            now=now,
            ends_at=ends,
            slot_at=self.lease.slot,
            ready=rows.ready,
            recovered=rows.recovered,
            running=len(self._running),
            limit=1 if is_probing else DEVICES,
            drained=rows.exhausted,
            stopped=self.lease.is_lost or self._is_closed(),
            retry_at=None if self.only else rows.retry_at,
            urgent=rows.urgent,
            urgent_limit=1 if is_probing else THREADS,
            urgent_at=self.lease.slot - URGENT_EARLY,
        )

    def _take(self, step: Step) -> None:
        if step.action is Action.READ:
            self.rows.read(self._now())
        elif step.action is Action.START_RECOVERED:
            self._submit(self.rows.start_recovered())  # only repeats messages in the lobby, so it needs no slot
        elif step.action is not Action.WAIT:
            self._start(urgent=step.action is Action.START_URGENT)
        elif self._now() >= self._heartbeat_at:
            self.heartbeat()
            self._heartbeat_at = self._now() + BEAT.total_seconds()
        else:
            self.wait(list(self._running), min(step.seconds, self._poll_interval))

    def _ending(self, ends: float) -> Ending:
        if self.lease.is_lost:
            return Ending.LOST
        if self._is_closed():
            return Ending.CLOSED
        return Ending.TIME_UP if self._now() >= ends or self.rows.retry_at is not None else Ending.DRAINED

    def _is_closed(self) -> bool:
        return self.lease.state.is_closed(timestamp(self.clock()))

    def _is_probing(self) -> bool:
        return self.lease.state.silent_since is not None

    def _keep(self) -> None:
        """Renew the lease, or read the lane's row, if it is time."""
        now = self._now()
        if self.lease.is_lost:
            return
        if now >= self._renew_at:
            self.lease.pace = self.lease.pace.recovered(BEAT.total_seconds())
            self.lease.renew()
            self._renew_at = now + BEAT.total_seconds()
        elif now >= self._poll_at:
            self.lease.read()
        else:
            return
        self._poll_at = self._now() + self._poll_interval
        self.rows.announce(self.lease.state.announced)
        if not self.only and now >= self._singles_at:
            self.rows.read_singles(now)
            self._singles_at = now + SINGLES_INTERVAL

    def _recover(self) -> None:
        """Finish the work of a killed worker: send the routes that it has recorded and may not have sent."""
        target, since = target_of(self.lane), self.lease.state.unfinished_since
        if target is not None and since is not None and self.lease.follows_unfinished:
            earliest = timestamp(datetime.fromisoformat(since) - RECOVERY_MARGIN)
            self.rows.recover(commissioned_since(target, earliest))

    def _start(self, *, urgent: bool) -> None:
        self.lease.slot = next_slot(self.lease.slot, self.lease.pace.interval, self._now())
        self._submit(self.rows.start(urgent=urgent))

    def _submit(self, attempt: Attempt) -> None:
        self.rows.exhausted = bool(self.only)
        self._running[self.executor.submit(self.server.serve, attempt, self.lane)] = attempt

    def _collect(self) -> None:
        for future in [each for each in self._running if each.done()]:
            self._note(self._running.pop(future), future.result())
        self.lease.note_throttling(self.clock())

    def _note(self, attempt: Attempt, result: Result) -> None:
        if result in FINAL:
            self.lease.done |= self.rows.done(attempt, self._now())
            self.tally.served += 1
            self.lease.progress_at = timestamp(self.clock())
        if result is Result.LEASE_LOST:
            self.lease.is_lost = True
        elif result is Result.NO_ANSWER:
            self._note_silence()
        elif result is not Result.FAILED:
            self._answered, self._silent = True, 0
            self.lease.reopen()
        if result not in FINAL:
            self._try_later(attempt, result)

    def _note_silence(self) -> None:
        self._silent += 1
        if self._is_probing() or self._silent >= SILENT_ATTEMPTS or not (self._answered or self.rows.known > 1):
            self.lease.close()

    def _try_later(self, attempt: Attempt, result: Result) -> None:
        """Schedule another attempt for the device. A throttled attempt does not count."""
        throttled = result is Result.THROTTLED
        self.tally.throttled += throttled
        self.tally.failed += not throttled
        if throttled:
            self.lease.pace = self.lease.pace.throttled(self.clock())
        number = attempt.number if throttled else attempt.number + 1
        wait = RETRY_SECONDS[min(attempt.number, len(RETRY_SECONDS)) - 1]
        self.rows.later(Attempt(attempt.certid, number, unfinished=True), self._now() + wait)
