"""The register of claims by serial number: claim, withdraw, list.

A serial number can be claimed only while no certificate has its name. Both need the same conditional item. So if a
device is admitted at the same time, either its admission applies the claim, or this module finds its certificate, and
the device is claimed like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pynamodb.exceptions import DoesNotExist

from lobby.domain.claims.serial_claim import RESERVED, SerialClaim, already_claimed, unknown_claim
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.clock import now, timestamp
from lobby.ledger.commits import Delete, Put, committed
from lobby.ledger.enrolments.serial_claim_rows import KIND, SerialClaimRow, claim_of, row_of
from lobby.ledger.models import NameRow
from lobby.names import Fingerprint, Target, ThingName

_ATTEMPTS: Final = 4


@dataclass(frozen=True)
class ClaimPage:
    """`following` is the last serial number of the page, if others follow."""

    claims: tuple[SerialClaim, ...]
    following: ThingName | None


class SerialClaims:
    """`clock` returns the time."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock

    def claim(self, serial: ThingName, request: ClaimRequest, actor: str) -> SerialClaim | Fingerprint:
        """Claim a serial number, and return the claim. Repeating the request changes nothing. If a certificate already
        has the name, return its fingerprint; the caller then claims this device. Raise `Conflict` ALREADY_CLAIMED or
        CHANGED_MEANWHILE."""
        for _ in range(_ATTEMPTS):
            found = find_claim(serial)
            if found is not None:
                if found.same_as(request):
                    return found
                raise already_claimed(found)
            new = SerialClaim(serial, request, actor, timestamp(self._clock()))
            if committed(
                Put(row_of(new), SerialClaimRow.kind.does_not_exist()),
                Put(NameRow(serial, certid=RESERVED), NameRow.devicename.does_not_exist()),
            ):
                return new
            holder = _holder(serial)
            if holder not in (None, RESERVED):
                return Fingerprint(str(holder))
        raise Conflict("CHANGED_MEANWHILE", f"got serial number {serial}, whose claim keeps changing; try again")

    def withdraw(self, serial: ThingName) -> SerialClaim:
        """Withdraw a claim, and return it. Raise `NotFound` UNKNOWN_SERIAL_CLAIM, for example if its device has
        joined."""
        found = find_claim(serial)
        if found is None or not committed(
            Delete(SerialClaimRow(KIND, serial), SerialClaimRow.at == found.at),
            Delete(NameRow(serial), NameRow.certid == RESERVED),
        ):
            raise unknown_claim(serial)
        return found

    def page(self, first: int, after: ThingName | None) -> ClaimPage:
        """Return the claims whose devices have not joined, in the order of serial numbers."""
        beyond = SerialClaimRow.name > after if after else None
        rows = [claim_of(row) for row in SerialClaimRow.query(KIND, beyond, limit=first + 1)]
        return ClaimPage(tuple(rows[:first]), rows[first - 1].serial if len(rows) > first else None)


def claims_of(target: Target) -> int:
    """Return how many serial numbers are claimed for a target."""
    rows = SerialClaimRow.query(KIND, consistent_read=True)
    return sum(claim_of(row).request.target == target for row in rows)


def find_claim(serial: ThingName) -> SerialClaim | None:
    try:
        return claim_of(SerialClaimRow.get(KIND, serial, consistent_read=True))
    except DoesNotExist:
        return None


def _holder(serial: ThingName) -> str | None:
    try:
        return NameRow.get(serial, consistent_read=True).certid
    except DoesNotExist:
        return None
