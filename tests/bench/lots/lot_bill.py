"""Counts the runs of a lot in virtual time.

A call to AWS takes `prices.SECONDS_PER_CALL`, waits take as long as the code waits, and the duration of each run is
counted. Times are in seconds since the lot began.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.aws import Clock
from tests.bench import prices
from tests.bench.onboarding_count import Bill, Item, Written

LEDGER = "device-lobby-ledger"


class LotBill(Bill):
    """`claims` has each write of a row that waits for the commissioner: its time and its fingerprint."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._began = clock()
        self.claims: list[tuple[float, str]] = []

    @property
    def now(self) -> float:
        return self.seconds_at(self._clock())

    def seconds_at(self, at: datetime) -> float:
        return (at - self._began).total_seconds()

    def move_to(self, at: float) -> None:
        self._clock.time = self._began + timedelta(seconds=at)

    def add(self, service: str, operation: str, params: Item, response: Any, before: Written) -> None:
        super().add(service, operation, params, response, before)
        self._clock.advance(seconds=prices.SECONDS_PER_CALL)
        for table, new in self.items(operation, params) if before else ():
            if table == LEDGER and new is not None and "turn" in new:
                self.claims.append((self.now, new["certid"]["S"]))

    def run_at(self, at: float, step: str, work: Callable[[], object], *, parallel: int = 1, **billed: int) -> float:
        """Count a run that begins at this time, and return when it ends. `parallel`: calls that the run makes at the
        same time."""
        self.move_to(at)
        self.run(step, work, after=0, **billed)
        seconds = prices.SECONDS_PER_RUN + (self.now - at) / parallel
        self.charge(step, seconds=seconds)
        return at + seconds

    def charge(self, step: str, **billed: float) -> None:
        """Count items without a run."""
        counts: Counter[str] = self.steps.setdefault(step, Counter())
        for name, number in billed.items():
            counts[name] += number  # type: ignore[assignment]
