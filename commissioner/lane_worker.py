"""The worker of a lane: takes the lease, and serves the lane's rows at the target's pace until the lane is empty.

Rows that are announced come first, then single claims, then bulk claims, each in order of time. The worker ends after
20 s, and its successor continues, so that every lane gets its turn and no run lasts long. A device that failed is tried
again later in the run, and does not delay the others. If the target does not answer, the lane is closed for a while.
`lane_steps` decides what to do next.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Final

from commissioner.lane_lease import BEAT, Lease
from commissioner.serving import FINAL, Attempt, Result, Server
from lobby.domain.device import Priority
from lobby.domain.lane_pace import next_slot
from lobby.domain.lane_steps import Action, Situation, next_step
from lobby.domain.lanes import Lane, target_of
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes import StartKey, commissioned_since, waiting
from lobby.names import Fingerprint

SLICE: Final = timedelta(seconds=20)
THREADS: Final = 8
PAGE: Final = 50
LOOK_INTERVAL: Final = 0.25
"""Seconds between two looks at the lane's row, which announces single claims."""
SINGLES_INTERVAL: Final = 5.0
"""Seconds between two queries for single claims, in case that an announcement was lost."""
RETRY_SECONDS: Final = (2.0, 4.0, 8.0)
SILENT_ATTEMPTS: Final = 3
"""Devices in a row without an answer, after which the lane is closed. A lane that was closed before is closed at the
first."""
RECOVERY_MARGIN: Final = timedelta(seconds=5)


_PENDING: Final = float("inf")
_AGAIN_AFTER: Final = 3.0
"""Seconds after which a row that was served may be served again: until then the index may still show it."""


class Ending(StrEnum):
    """Why a worker has ended."""

    DRAINED = "drained"
    TIME_UP = "time is up"
    CLOSED = "closed"
    LOST = "lease lost"


@dataclass
class Tally:
    """What a worker did, for its log and its metrics."""

    served: int = 0
    throttled: int = 0
    failed: int = 0


@dataclass
class LaneWorker:
    """Serves one lane in one invocation. `wait` waits for a future or for so many seconds; `clock` returns the time;
    `heartbeat` is called each time that the lease is renewed. With `only`, only these rows are served."""

    lane: Lane
    lease: Lease
    server: Server
    executor: Executor
    wait: Callable[[list[Future[Result]], float], None]
    clock: Callable[[], datetime]
    heartbeat: Callable[[], None] = lambda: None
    slice: timedelta = SLICE
    only: tuple[Fingerprint, ...] = ()
    tally: Tally = field(default_factory=Tally)
    _ready: list[Attempt] = field(default_factory=list)
    _running: dict[Future[Result], Attempt] = field(default_factory=dict)
    _later: list[tuple[float, int, Attempt]] = field(default_factory=list)
    _again_at: dict[Fingerprint, float] = field(default_factory=dict)
    _unfinished: set[Fingerprint] = field(default_factory=set)
    _order: Iterator[int] = field(default_factory=count)
    _silent: int = 0
    _answered: bool = False
    _drained: bool = False
    _cursor: StartKey | None = None
    _slot: float = 0.0
    _beat: float = 0.0
    _look: float = 0.0
    _singles: float = 0.0

    def run(self) -> Ending:
        """Work until there is a reason to end, and return it. The lease is still held."""
        began = self._now()
        self._slot, self._beat, self._look = began, began + BEAT.total_seconds(), began + LOOK_INTERVAL
        self._recover()
        self._offer(self.only)
        self._drained = bool(self.only)
        ends = began + self.slice.total_seconds()
        while True:
            self._collect()
            self._keep()
            step = next_step(self._situation(ends))
            if step.action is Action.END:
                return self._ending(ends)
            if step.action is Action.START:
                self._start(self._ready.pop(0))
            elif step.action is Action.READ:
                self._read()
            else:
                self.wait(list(self._running), min(step.seconds, LOOK_INTERVAL))

    @property
    def is_finished(self) -> bool:
        """Whether nothing that was begun is left undone."""
        return not self._unfinished

    def _now(self) -> float:
        return self.clock().timestamp()

    def _situation(self, ends: float) -> Situation:
        now = self._now()
        while self._later and self._later[0][0] <= now:
            self._ready.insert(0, heapq.heappop(self._later)[2])
        return Situation(
            now=now,
            ends_at=ends,
            slot_at=self._slot,
            ready=len(self._ready),
            running=len(self._running),
            limit=THREADS if self._answered or not self._is_probing() else 1,
            drained=self._drained,
            stopped=self.lease.is_lost or self.lease.state.is_closed(timestamp(self.clock())),
            retry_at=self._later[0][0] if self._later else None,
        )

    def _ending(self, ends: float) -> Ending:
        if self.lease.is_lost:
            return Ending.LOST
        if self.lease.state.is_closed(timestamp(self.clock())):
            return Ending.CLOSED
        return Ending.TIME_UP if self._now() >= ends or self._later else Ending.DRAINED

    def _is_probing(self) -> bool:
        return self.lease.state.silent_since is not None

    # The lease and the lane's row.

    def _keep(self) -> None:
        now = self._now()
        if now >= self._beat:
            self.lease.pace = self.lease.pace.recovered(BEAT.total_seconds())
            self.lease.renew()
            self.heartbeat()
            self._beat, self._look = now + BEAT.total_seconds(), now + LOOK_INTERVAL
        elif now >= self._look:
            self.lease.read()
            self._look = now + LOOK_INTERVAL
        else:
            return
        announced = [Fingerprint(certid) for certid in sorted(self.lease.state.announced - self.lease.taken)]
        self._offer(announced)
        self.lease.taken.update(announced)
        if not self.only and now >= self._singles:
            self._offer_singles(now)

    def _recover(self) -> None:
        """Finish what a worker that was killed may have left: routes that it has recorded and not sent."""
        state, target = self.lease.state, target_of(self.lane)
        since, until = state.unfinished_since, state.leased_until
        if target is None or since is None or until is None or since >= self.lease.began_at:
            return
        earliest = timestamp(datetime.fromisoformat(since) - RECOVERY_MARGIN)
        for certid in commissioned_since(target, earliest):
            self._unfinished.add(certid)
            self._again_at[certid] = _PENDING
            self._ready.append(Attempt(certid, unfinished=True))

    # Rows.

    def _new(self, certids: Iterable[Fingerprint]) -> list[Attempt]:
        """Return attempts for the rows that are not in progress, and were not served a moment ago."""
        now = self._now()
        new = [certid for certid in certids if self._again_at.get(certid, 0.0) <= now]
        self._again_at.update(dict.fromkeys(new, _PENDING))
        return [Attempt(certid) for certid in new]

    def _offer(self, certids: Iterable[Fingerprint]) -> None:
        """Put rows in front."""
        self._ready[:0] = self._new(certids)

    def _offer_singles(self, now: float) -> None:
        self._singles = now + SINGLES_INTERVAL
        self._offer(row.certid for row in waiting(self.lane, Priority.SINGLE, PAGE).rows)

    def _read(self) -> None:
        """Read more rows: single claims, and then the next page of bulk claims. After the last page, the lane is
        drained if this pass found nothing that was not seen before."""
        self._offer_singles(self._now())
        page = waiting(self.lane, Priority.BULK, PAGE, self._cursor)
        self._ready += self._new(row.certid for row in page.rows)
        self._cursor = page.next_key
        self._drained = not self._ready and page.next_key is None

    def _start(self, attempt: Attempt) -> None:
        now = self._now()
        self._slot = next_slot(self._slot, self.lease.pace.interval, now)
        self._unfinished.add(attempt.certid)
        self._drained = bool(self.only)
        self._running[self.executor.submit(self.server.serve, attempt, self.lane)] = attempt

    def _collect(self) -> None:
        for future in [each for each in self._running if each.done()]:
            self._note(self._running.pop(future), future.result())
        self.lease.note_throttling(self.clock())

    def _note(self, attempt: Attempt, result: Result) -> None:
        if result in FINAL:
            self._unfinished.discard(attempt.certid)
            self._again_at[attempt.certid] = self._now() + _AGAIN_AFTER
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
        if self._is_probing() or self._silent >= SILENT_ATTEMPTS or not (self._answered or len(self._again_at) > 1):
            self.lease.close()

    def _try_later(self, attempt: Attempt, result: Result) -> None:
        """A throttled device waits without using up its attempts."""
        throttled = result is Result.THROTTLED
        self.tally.throttled += throttled
        self.tally.failed += not throttled
        if throttled:
            self.lease.pace = self.lease.pace.throttled(self.clock())
        number = attempt.number if throttled else attempt.number + 1
        wait = RETRY_SECONDS[min(attempt.number, len(RETRY_SECONDS)) - 1]
        again = Attempt(attempt.certid, number, unfinished=True)
        heapq.heappush(self._later, (self._now() + wait, next(self._order), again))
