"""The validity period of a certificate, and the check whether the wall clock is within it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Validity:
    """A validity period. Times are in UTC."""

    not_before: datetime
    not_after: datetime

    def clock_error(self, now: datetime) -> str:
        """Return why `now` is outside the certificate's validity (wrong clock or expired), or an empty string."""
        if now < self.not_before:
            return f"got clock {now:%Y-%m-%d %H:%M}, want {self.not_before:%Y-%m-%d %H:%M} UTC (not before) or later"
        if now > self.not_after:
            return f"got clock {now:%Y-%m-%d %H:%M}, want {self.not_after:%Y-%m-%d %H:%M} UTC (not after) or earlier"
        return ""
