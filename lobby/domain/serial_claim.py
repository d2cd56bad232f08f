"""A claim of a device whose certificate is not known yet, by its serial number, which is its thing name.

It is kept until a certificate with this name is admitted, at any door. Then the device is claimed for its user in the
same transaction, as if the user had claimed its fingerprint before; a rule's allocation does not apply.
"""

from dataclasses import dataclass, replace
from typing import Final

from lobby.domain import transitions
from lobby.domain.device import Device
from lobby.domain.enrolment import ALLOCATION_FAILED
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, NotFound
from lobby.names import Fingerprint, ThingName

RESERVED: Final = Fingerprint("claimed")
"""The holder of a name while its serial number is claimed and there is no certificate."""


class SerialNumberClaimed(Exception):
    """The name has no certificate, and its serial number is claimed: admit the device with the claim."""


@dataclass(frozen=True)
class SerialClaim:
    """`actor` is who claims it. `at` is when: ISO 8601 UTC with milliseconds."""

    serial: ThingName
    request: ClaimRequest
    actor: str
    at: str

    def same_as(self, request: ClaimRequest) -> bool:
        """Return whether `request` is the same claim. Priority and proof of presence are not compared, because they
        follow from other values. A claim of an earlier version did not record what it names."""
        held = self.request
        if held.unnamed is not None and not held.unnamed.same_as(request.unnamed):
            return False
        return replace(request, priority=held.priority, presence=held.presence, unnamed=held.unnamed) == held


def admitted_and_claimed(admitted: Device, claim: SerialClaim, at: str) -> Device | None:
    """Return the device that was just admitted, with the claim. None: its fingerprint was claimed before, and that
    claim stays. Raise `NotFound` UNKNOWN_PROFILE if the target does not offer the default profile of the enrolment."""
    if admitted.devstate is not State.KNOCKING:
        return None
    return transitions.claim(admitted, admitted.certid, claim.request, claim.actor, at)


def admitted_and_waiting(admitted: Device, refused: NotFound) -> Device:
    """Return the device that was just admitted and whose claim was refused, with the reason."""
    return replace(admitted, reason=ALLOCATION_FAILED, message=f"{refused.message}; claim the device with a profile")


def already_claimed(found: SerialClaim) -> Conflict:
    message = f"got serial number {found.serial}, claimed for {found.request.target} by {found.actor}"
    return Conflict("ALREADY_CLAIMED", f"{message}; withdraw that claim first")


def unknown_claim(serial: ThingName) -> NotFound:
    message = f"got serial number {serial}, want one that is claimed and whose device has not joined"
    return NotFound("UNKNOWN_SERIAL_CLAIM", message)
