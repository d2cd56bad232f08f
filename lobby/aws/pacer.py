"""Delays calls, so that the threads of a process together stay within a quota of AWS."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lobby.domain.pacing import Pace


@dataclass(eq=False)
class _Waiting:
    """A call that waits until `at`, on the pacer's clock."""

    at: float


class Pacer:
    """Delays calls so that they conform to `pace`. The times of `monotonic` and `sleep` are in seconds. `sleep` returns
    whether it was woken before they were over; the default is woken when a time is given back."""

    def __init__(
        self,
        pace: Pace,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool | None] | None = None,
    ) -> None:
        self._pace, self._monotonic = pace, monotonic
        self._following = float("-inf")
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._sleep = sleep or self._changed.wait

    def wait(self) -> None:
        """Return when the next call conforms to the pace."""
        with self._changed:
            now = self._monotonic()
            delay, self._following = self._pace.reserve(self._following, now)
            if not delay:
                return
            own = _Waiting(now + delay)
            self._waiting.append(own)
            while delay > 0 and self._sleep(delay):
                delay = own.at - self._monotonic()
            self._waiting.remove(own)

    def give_back(self) -> None:
        """Return the reservation of a call that is not made after all. The calls that wait now move up by one; if none
        waits, a later call uses it."""
        with self._changed:
            self._following -= self._pace.interval
            for each in self._waiting:
                each.at -= self._pace.interval
            self._changed.notify_all()
