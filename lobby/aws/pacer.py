"""Delays calls, so that the threads of a process together stay within a quota of AWS."""

import threading
import time
from collections.abc import Callable

from lobby.domain.pacing import Pace


class Pacer:
    """Delays calls so that they conform to `pace`. The times of `monotonic` and `sleep` are in seconds."""

    def __init__(
        self,
        pace: Pace,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pace, self._monotonic, self._sleep = pace, monotonic, sleep
        self._following = float("-inf")
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call conforms to the pace."""
        with self._lock:
            delay, self._following = self._pace.reserve(self._following, self._monotonic())
        if delay:
            self._sleep(delay)

    def give_back(self) -> None:
        """Give back the time of a call that was waited for and is not made. A later call uses it."""
        with self._lock:
            self._following -= self._pace.interval
