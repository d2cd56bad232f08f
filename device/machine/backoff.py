"""Retry delays: exponential backoff with a cap and jitter, so that devices that lose their broker at the same time do
not reconnect at the same time.

The random function is a parameter. The jitter is "equal jitter" of the AWS Architecture Blog, "Exponential Backoff And
Jitter": each wait is at least half of the ceiling. Just-in-time registration takes about a second, and each connection
attempt in that second starts another registration. Full jitter would connect twice in that time for no benefit.
"""

from collections.abc import Callable
from dataclasses import dataclass

Uniform = Callable[[float, float], float]
"""Returns a random number between its two arguments, like `random.uniform`."""


@dataclass(frozen=True)
class Backoff:
    """`base` and `cap` are the longest waits, in seconds, after the first failure and after any number of failures."""

    base: float
    cap: float

    def ceiling(self, failures: int) -> float:
        """Return the longest wait, in seconds, after this many failures in a row."""
        return min(self.cap, self.base * 2.0 ** min(max(failures, 1) - 1, 60))

    def wait(self, failures: int, uniform: Uniform) -> float:
        """Return the wait, in seconds, after this many failures in a row."""
        ceiling = self.ceiling(failures)
        return uniform(ceiling / 2, ceiling)


def jittered(seconds: float, uniform: Uniform) -> float:
    """Return the interval with up to 10 % of jitter in either direction."""
    return uniform(seconds * 0.9, seconds * 1.1)
