"""Prints the progress of a long measurement to standard error, so that a stuck measurement is noticed.

The count is read only when a line is due, because reading it may take requests that disturb the measurement.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TextIO

EVERY: Final = 10.0
"""Seconds between two lines."""


@dataclass
class Progress:
    """`what` is counted, up to `total`. `clock` returns seconds."""

    what: str
    total: int
    clock: Callable[[], float] = time.monotonic
    out: TextIO = field(default_factory=lambda: sys.stderr)

    def __post_init__(self) -> None:
        self._began = self._last = self.clock()

    def report(self, done: Callable[[], int]) -> None:
        """Print a line if one is due."""
        now = self.clock()
        if now - self._last >= EVERY:
            self._last = now
            seconds = now - self._began
            print(f"{seconds:8.0f} s   {done():,} of {self.total:,} {self.what}", file=self.out, flush=True)
