"""The rows of a lane's worker: the next one, those in progress, and those to retry.

Announced rows and single claims are urgent, and come before bulk claims, each in order of time. The by-turn index is
eventually consistent, so a row that was just served is ignored if the index still shows it. An announcement is newer
than earlier reads: if its row is in progress, the row is served again afterwards.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from commissioner.lanes.serving import Attempt
from lobby.contracts.lane_tokens import row_of
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import Lane
from lobby.ledger.lanes.lane_register import StartKey, WaitingRow, waiting
from lobby.names import Fingerprint

PAGE: Final = 50
_PENDING: Final = float("inf")
_AGAIN_AFTER: Final = 3.0
"""Seconds until a served row may be served again, because the index may show it until then."""


class LaneRows:
    """The rows of one run. Times are in seconds of one clock."""

    def __init__(self, lane: Lane, *, exhausted: bool) -> None:
        self._lane = lane
        self.exhausted = exhausted
        """Whether the last reading of the index has found no further row."""
        self._urgent: deque[Attempt] = deque()
        self._ready: deque[Attempt] = deque()
        self._recovered: deque[Attempt] = deque()
        self._recovered_at: dict[Fingerprint, str] = {}
        self._later: list[tuple[float, int, Attempt]] = []
        self._again_at: dict[Fingerprint, float] = {}
        self._started: set[Fingerprint] = set()
        self._unfinished: set[Fingerprint] = set()
        self._entries: dict[Fingerprint, set[str]] = {}
        self._taken: set[str] = set()
        self._order: Iterator[int] = count()
        self._cursor: StartKey | None = None

    # Known rows.

    @property
    def urgent(self) -> int:
        return len(self._urgent)

    @property
    def ready(self) -> int:
        return len(self._ready)

    @property
    def recovered(self) -> int:
        return len(self._recovered)

    @property
    def known(self) -> int:
        """Return the number of rows that this run has seen."""
        return len(self._again_at)

    @property
    def retry_at(self) -> float | None:
        """Return when the next failed row is tried again."""
        return self._later[0][0] if self._later else None

    @property
    def is_finished(self) -> bool:
        """Return whether all work that was begun is finished."""
        return not self._unfinished

    @property
    def recovered_since(self) -> str | None:
        """Return the time of the earliest recovered row that is not done."""
        return min(self._recovered_at.values(), default=None)

    def left_of(self, entries: Iterable[str]) -> list[str]:
        """Return the entries whose rows are not done."""
        return [entry for entry in entries if self._again_at.get(row_of(entry), _PENDING) == _PENDING]

    # New rows.

    def recover(self, rows: Iterable[tuple[Fingerprint, str]]) -> None:
        """Add rows that an interrupted worker may not have finished, each with the time of its result."""
        for certid, at in rows:
            self._unfinished.add(certid)
            self._again_at[certid], self._recovered_at[certid] = _PENDING, at
            self._recovered.append(Attempt(certid, unfinished=True))

    def announce(self, entries: Iterable[str]) -> None:
        """Add announced rows. Entries of rows in progress are added by a later call."""
        for entry in sorted(entries):
            certid = row_of(entry)
            if entry in self._taken or certid in self._started:
                continue
            self._taken.add(entry)
            self._entries.setdefault(certid, set()).add(entry)
            if self._again_at.get(certid) != _PENDING:
                self._again_at[certid] = _PENDING
                self._urgent.append(Attempt(certid))
            else:
                self._prefer(certid)

    def _prefer(self, certid: Fingerprint) -> None:
        """Make a row urgent if it waits."""
        for rows in (self._recovered, self._ready):
            if waits := next((each for each in rows if each.certid == certid), None):
                rows.remove(waits)
                self._urgent.append(waits)

    def read_singles(self, now: float) -> None:
        """Read the single claims of the index, in case an announcement was lost."""
        self._urgent += self._new(waiting(self._lane, Priority.SINGLE, PAGE).rows, now)

    def read(self, now: float) -> None:
        """Read more rows: single claims, and then the next page of bulk claims. After the last page, the index is
        exhausted if this pass has found nothing new."""
        self.read_singles(now)
        page = waiting(self._lane, Priority.BULK, PAGE, self._cursor)
        self._ready += self._new(page.rows, now)
        self._cursor = page.next_key
        self.exhausted = not self._urgent and not self._ready and page.next_key is None

    def _new(self, rows: Iterable[WaitingRow], now: float) -> list[Attempt]:
        """Return attempts for the rows that are not in progress, and were not served a moment ago."""
        new = [row.certid for row in rows if self._again_at.get(row.certid, 0.0) <= now]
        self._again_at.update(dict.fromkeys(new, _PENDING))
        return [Attempt(certid) for certid in new]

    # Progress.

    def due(self, now: float) -> None:
        """Make failed rows ready if their time has come."""
        while self._later and self._later[0][0] <= now:
            self._ready.appendleft(heapq.heappop(self._later)[2])

    def start(self, *, urgent: bool) -> Attempt:
        """Return the next row, which is then in progress."""
        return self._begin(self._urgent if urgent else self._ready)

    def start_recovered(self) -> Attempt:
        """Return the next recovered row, which is then in progress."""
        return self._begin(self._recovered)

    def _begin(self, rows: deque[Attempt]) -> Attempt:
        attempt = rows.popleft()
        self._started.add(attempt.certid)
        self._unfinished.add(attempt.certid)
        return attempt

    def done(self, attempt: Attempt, now: float) -> set[str]:
        """Record that the row is done. Return its entries that were taken before the work on it started."""
        self._started.discard(attempt.certid)
        self._unfinished.discard(attempt.certid)
        self._recovered_at.pop(attempt.certid, None)
        self._again_at[attempt.certid] = now + _AGAIN_AFTER
        return self._entries.pop(attempt.certid, set())

    def later(self, attempt: Attempt, at: float) -> None:
        """Record that the row has failed, and is tried again at the time `at`."""
        self._started.discard(attempt.certid)
        heapq.heappush(self._later, (at, next(self._order), attempt))
