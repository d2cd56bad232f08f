"""How long to wait before trying again: exponential backoff with a cap, and jitter, so that a fleet which lost
its broker in the same second does not come back in the same second.

Pure: the draw of the random number is handed in. Equal jitter as in the AWS Architecture Blog, "Exponential Backoff
And Jitter": at least half of the ceiling is waited. Each knock at a door that is still being opened starts another
just-in-time registration, which takes about a second; full jitter would knock twice in it, and get in no sooner.
"""

from collections.abc import Callable
from dataclasses import dataclass

Draw = Callable[[float, float], float]
"""A number between the two, such as `random.uniform`."""


@dataclass(frozen=True)
class Backoff:
    """`base` and `cap` in seconds: the longest wait after the first failure, and after any number of them."""

    base: float
    cap: float

    def ceiling(self, failures: int) -> float:
        """The longest wait after so many failures in a row."""
        return min(self.cap, self.base * 2.0 ** min(max(failures, 1) - 1, 60))

    def wait(self, failures: int, draw: Draw) -> float:
        """Seconds to wait after so many failures in a row."""
        ceiling = self.ceiling(failures)
        return draw(ceiling / 2, ceiling)


def around(seconds: float, draw: Draw) -> float:
    """A period with a tenth of jitter either way."""
    return draw(seconds * 0.9, seconds * 1.1)
