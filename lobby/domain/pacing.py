"""The pace of calls to a service with a quota: a token bucket, in the form of the generic cell rate algorithm (GCRA).

GCRA needs one number, the time at which the next call conforms to the rate, instead of a number of tokens and a time.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """At most `per_second` calls a second, after at most `burst` calls at once."""

    per_second: float
    burst: float = 1.0

    def __post_init__(self) -> None:
        if not (self.per_second > 0 and self.burst >= 1):
            raise ValueError(f"got {self.per_second} calls per second, burst {self.burst}, want > 0 and >= 1")

    @property
    def interval(self) -> float:
        """Return the seconds between two calls."""
        return 1 / self.per_second

    def reserve(self, following: float, now: float) -> tuple[float, float]:
        """Reserve one call. `following` is the result of the previous reservation (initially minus infinity), `now` the
        time, both in seconds. Return how many seconds to wait, and the next `following`."""
        conforming = max(following, now - (self.burst - 1) * self.interval)
        return max(0.0, conforming - now), conforming + self.interval
