"""How many devices a technician may claim, and how many wrong presence codes they may enter.

A stolen phone or a script that guesses labels claims faster than a person who scans them. Each window is a minute or an
hour of the clock (UTC), so a user can reach twice the limit across the end of a window. Rejects limits that permit no
claims.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lobby.errors import InvalidInput, RateLimited
from lobby.names import shown

_TEXT: Final = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")
DEFAULT_LIMITS: Final = "60/1000/10"


@dataclass(frozen=True)
class ClaimLimits:
    """The limits of one user: devices in a minute, devices in an hour, and wrong codes in an hour."""

    minute: int
    hour: int
    wrong_codes: int


@dataclass(frozen=True)
class ClaimCounts:
    """What one user has used in this minute and this hour."""

    minute: int = 0
    hour: int = 0
    wrong_codes: int = 0


def parse_limits(text: str) -> ClaimLimits:
    """Return the limits in a text such as `60/1000/10`. Raise `InvalidInput` INVALID_LIMITS."""
    found = _TEXT.fullmatch(text)
    if found is None:
        wanted = "devices a minute/devices an hour/wrong codes an hour, each 1 to 999999, such as 60/1000/10"
        raise InvalidInput("INVALID_LIMITS", f"got the claim limits {shown(text)}, want {wanted}")
    return ClaimLimits(*map(int, found.groups()))


def free(limits: ClaimLimits, counts: ClaimCounts) -> int:
    """Return how many devices the user may claim now."""
    return max(0, min(limits.minute - counts.minute, limits.hour - counts.hour))


def too_many_claims(limits: ClaimLimits, counts: ClaimCounts, now: datetime) -> RateLimited:
    if counts.hour >= limits.hour:
        return _limited(f"{counts.hour} claims in this hour, want at most {limits.hour}", now, timedelta(hours=1))
    return _limited(f"{counts.minute} claims in this minute, want at most {limits.minute}", now, timedelta(minutes=1))


def too_many_codes(limits: ClaimLimits, counts: ClaimCounts, now: datetime) -> RateLimited:
    message = f"{counts.wrong_codes} wrong codes in this hour, want at most {limits.wrong_codes}"
    return _limited(message, now, timedelta(hours=1))


def _limited(message: str, now: datetime, window: timedelta) -> RateLimited:
    seconds = window.total_seconds()
    wait = int(seconds - now.timestamp() % seconds) + 1
    return RateLimited(f"got {message}: try again in {wait} s", wait)
