"""Limits for technicians. Counts their claims and presence codes, and reports refusals.

Operators and admins are not limited: they can move and revoke any device, and change many with campaigns. The metric
`ClaimsLimited` counts refusals. The activity log has at most one entry per user and minute for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from admin_api.roles import Caller, Role
from lobby.domain.device import Device
from lobby.domain.events.activity import Activity, partitions_of
from lobby.errors import Conflict, RateLimited
from lobby.ledger.activity.activity_rows import row_of
from lobby.ledger.clock import now, timestamp
from lobby.ledger.users.user_claims import UserClaims
from lobby.names import Fingerprint, Target

NO_DEVICE: Final = Fingerprint("0" * 64)
"""The value in the activity log for a claim by serial number."""
LIMITED: Final = "limited"
"""The event in the activity log. It is not in a history, because the device did not change."""
_WRONG: Final = frozenset({"WRONG_CODE", "PRESENCE_FAILED"})
T = TypeVar("T")


def not_tried(allowed: int) -> RateLimited:
    """Return the refusal for each device that was not tried."""
    return RateLimited(f"got more claims than you may make now, {allowed} of this list were tried: try again later", 60)


@dataclass(frozen=True)
class UserLimits:
    """`clock` returns the time. `report` counts a refusal in a metric."""

    claims: UserClaims
    report: Callable[[], None]
    clock: Callable[[], datetime] = now

    def allowed(self, caller: Caller, certids: list[Fingerprint], target: Target) -> int:
        """Count the claims for these devices, and return how many of them the user may claim. Raise `RateLimited` if
        the user may claim none."""
        if caller.role is not Role.TECHNICIAN or not certids:
            return len(certids)
        try:
            count = self.claims.reserve(caller.name, len(certids))
        except RateLimited as limited:
            self._record(caller, certids[0], str(target), limited)
            raise
        if count < len(certids):
            self._record(caller, certids[count], str(target), RateLimited("", 0))
        return count

    def confirming(self, caller: Caller, device: Device, confirm: Callable[[], T]) -> T:
        """Run `confirm` and count it if the code is wrong. Raise `RateLimited` without running it."""
        if caller.role is not Role.TECHNICIAN:
            return confirm()
        try:
            self.claims.reserve_code(caller.name)
        except RateLimited as limited:
            self._record(caller, device.certid, str(device.target) if device.target else None, limited)
            raise
        try:
            confirmed = confirm()
        except Conflict as conflict:
            if conflict.code not in _WRONG:
                self.claims.give_back_code(caller.name)
            raise
        self.claims.give_back_code(caller.name)
        return confirmed

    def _record(self, caller: Caller, certid: Fingerprint, target: str | None, limited: RateLimited) -> None:
        """Write the entry of this minute. A repeated entry has the same key."""
        self.report()
        minute = timestamp(self.clock().replace(second=0, microsecond=0))
        entry = Activity(minute, caller.actor, LIMITED, certid, 0, None, None, None, target, None, limited.code)
        for partition in partitions_of(entry):
            row = row_of(entry, partition)
            row.place = f"{minute}#{LIMITED}#{caller.name}"
            row.save()
