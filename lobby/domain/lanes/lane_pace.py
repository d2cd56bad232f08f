"""The pace of a lane: how many devices per second its worker starts.

A target's rate is set by an operator and stays below the target's quotas (10 registrations per second by default, AWS
IoT quotas, "RegisterCertificateWithoutCA API"). If AWS still throttles, because others use the quota as well, the pace
decreases by a factor, and then increases again slowly (additive increase, multiplicative decrease).
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

DEFAULT_RATE: Final = 9.0
"""Devices per second: a tenth below AWS's default quota."""
MIN_RATE: Final = 0.1
MAX_RATE: Final = 500.0
LIMITING_QUOTA: Final = "RegisterCertificateWithoutCA"
"""The operation with the lowest quota among those of a commissioning. UpdateCertificate, which a clearing uses, has the
same quota."""
_DECREASE: Final = 0.7
_RECOVERY_PER_SECOND: Final = 0.02
"""Part of the rate that the pace regains in a second."""
_LOWEST: Final = 0.1
"""The lowest pace, as a part of the rate."""
_MAKES_UP_FOR: Final = 0.5
_BETWEEN_RUNS: Final = 5.0
"""Seconds between the last slot of a run and a run that continues it. In a distant target, a run needs some seconds to
finish its last devices."""
URGENT_EARLY: Final = 0.5
"""Seconds before its slot at which a single claim may start. The later slots are moved, so the rate is the same.
Together with the half second that a late worker makes up for, a burst has at most one second's calls, which AWS's token
bucket allows.
"""
_BETWEEN_DECREASES: Final = timedelta(seconds=1)


def parse_rate(value: object) -> float:
    """Return a target's rate in devices per second. Raise `InvalidInput` INVALID_RATE."""
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not MIN_RATE <= number <= MAX_RATE:
        raise InvalidInput("INVALID_RATE", f"got {shown(value)}, want {MIN_RATE} to {MAX_RATE:g} devices per second")
    return round(number, 3)


@dataclass(frozen=True)
class LanePace:
    """The current pace of a lane and its upper limit, in devices per second."""

    rate: float
    current: float
    decreased_at: datetime | None = None

    @classmethod
    def of(cls, rate: float, current: float | None) -> "LanePace":
        """Return the pace of a worker that starts. `current` is the last worker's pace."""
        return cls(rate, min(rate, max(rate * _LOWEST, current if current is not None else rate)))

    @property
    def interval(self) -> float:
        """Return the seconds between two devices."""
        return 1 / self.current

    def throttled(self, at: datetime) -> "LanePace":
        """Return the pace after AWS has throttled a call. Calls that were throttled together count once."""
        if self.decreased_at is not None and at < self.decreased_at + _BETWEEN_DECREASES:
            return self
        return replace(self, current=max(self.rate * _LOWEST, self.current * _DECREASE), decreased_at=at)

    def recovered(self, seconds: float) -> "LanePace":
        """Return the pace after this many seconds without throttling."""
        return replace(self, current=min(self.rate, self.current + self.rate * _RECOVERY_PER_SECOND * seconds))


def next_slot(last: float, interval: float, now: float) -> float:
    """Return when the next device may start, in seconds. A late worker makes up for at most half a second, which AWS's
    token bucket of one second's calls allows."""
    return max(last + interval, now - _MAKES_UP_FOR)


def resumed_slot(saved: float, interval: float, now: float) -> float:
    """Return when the first device of a run may start. `saved` is the next slot of the previous run. If that run has
    just ended, this run makes up for the time between the two, as a late worker does. If an operator has raised the
    rate since, the saved slot can be too late and is brought forward."""
    if saved < now - _BETWEEN_RUNS:
        return now
    return min(max(saved, now - _MAKES_UP_FOR), now + interval + URGENT_EARLY)
