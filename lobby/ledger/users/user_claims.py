"""Counts the claims of users, and refuses those beyond the limits (`lobby.domain.claims.claim_limits`).

One conditional write counts a claim before it is tried. So concurrent claims cannot exceed a limit, and failed attempts
also count. A presence code is counted before it is checked; a right code is then removed from the count.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist, UpdateError

from lobby.domain.claims.claim_limits import ClaimCounts, ClaimLimits, free, too_many_claims, too_many_codes
from lobby.ledger.clock import now, timestamp
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.ledger.users.user_rows import UserHourRow

_KEPT: Final = timedelta(hours=2)
_HOUR: Final = len("2026-11-30T12")
_ATTEMPTS: Final = 5


class UserClaims:
    """The counts of all users. `clock` returns the time."""

    def __init__(self, limits: ClaimLimits, clock: Callable[[], datetime] = now) -> None:
        self._limits, self._clock = limits, clock

    def reserve(self, user: str, wanted: int) -> int:
        """Count claims of a user and return how many of them are allowed, at least one. Raise `RateLimited` if none is
        allowed."""
        at = self._clock()
        for _ in range(_ATTEMPTS):
            if self._count_claims(user, wanted, at):
                return wanted
            counts = self._counts(user, at)
            left = free(self._limits, counts)
            if left == 0:
                raise too_many_claims(self._limits, counts, at)
            wanted = min(wanted, left)
        raise too_many_claims(self._limits, counts, at)

    def reserve_code(self, user: str) -> None:
        """Count a presence code of a user. Raise `RateLimited`."""
        at = self._clock()
        codes: Any = UserHourRow.codes
        if not self._add(user, at, [codes.add(1)], codes.does_not_exist() | (codes < self._limits.wrong_codes)):
            raise too_many_codes(self._limits, self._counts(user, at), at)

    def give_back_code(self, user: str) -> None:
        """Remove a right code from the count. If this fails, the code stays counted."""
        codes: Any = UserHourRow.codes
        self._add(user, self._clock(), [codes.add(-1)], codes > 0)

    def _count_claims(self, user: str, wanted: int, at: datetime) -> bool:
        hour: Any = UserHourRow.number
        minute = UserHourRow.minute(at.minute)
        within = (hour.does_not_exist() | (hour <= self._limits.hour - wanted)) & (
            minute.does_not_exist() | (minute <= self._limits.minute - wanted)
        )
        possible = wanted <= min(self._limits.hour, self._limits.minute)
        return possible and self._add(user, at, [hour.add(wanted), minute.add(wanted)], within)

    def _add(self, user: str, at: datetime, actions: list[Any], condition: Any) -> bool:
        deleteat = int((at + _KEPT).timestamp())
        try:
            UserHourRow(*_key(user, at)).update([*actions, UserHourRow.deleteat.set(deleteat)], condition=condition)
        except UpdateError as error:
            if not is_condition_unmet(error):
                raise
            return False
        return True

    def _counts(self, user: str, at: datetime) -> ClaimCounts:
        try:
            row = UserHourRow.get(*_key(user, at), consistent_read=True)
        except DoesNotExist:
            return ClaimCounts()
        used = (getattr(row, f"m{at.minute:02}"), row.number, row.codes)
        return ClaimCounts(*(int(each or 0) for each in used))


def _key(user: str, at: datetime) -> tuple[str, str]:
    return f"user#{user}", timestamp(at)[:_HOUR]
