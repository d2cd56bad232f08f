"""A cache of the enrolments for the doors, which saves a read for each device.

A new enrolment applies after `CACHE_TIME` at the latest. All other changes apply immediately: a transaction admits a
device only if its enrolment is unchanged, and the enrolments are read again before a device is refused.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.enrolments.enrolment import Enrolment
from lobby.ledger.clock import now
from lobby.ledger.enrolments.enrolment_register import Enrolments

CACHE_TIME: Final = timedelta(seconds=10)
EMPTY_CACHE_TIME: Final = timedelta(seconds=30)
"""A lobby without enrolments reads them every 30 seconds, while devices arrive."""


class RecentEnrolments:
    """Threads share it, and one of them reads for all."""

    def __init__(self, enrolments: Enrolments, clock: Callable[[], datetime] = now) -> None:
        self._enrolments, self._clock = enrolments, clock
        self._cached: tuple[datetime, list[Enrolment]] | None = None
        self._reading = threading.Lock()

    def all(self, read_after: datetime | None = None) -> list[Enrolment]:
        """Return all enrolments from the cache; with `read_after`, only if they were read after this time."""
        with self._reading:
            if self._cached is None or not self._is_usable(*self._cached, read_after):
                self._cached = (self._clock(), self._enrolments.all())
            return self._cached[1]

    def _is_usable(self, at: datetime, enrolments: list[Enrolment], read_after: datetime | None) -> bool:
        if read_after is not None and at <= read_after:
            return False
        return at > self._clock() - (CACHE_TIME if enrolments else EMPTY_CACHE_TIME)
