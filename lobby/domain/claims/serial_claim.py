"""A claim of a device whose certificate is not known yet, by its serial number, which is its thing name.

It is kept until a certificate with this name is admitted, at any door. The same transaction then claims the device for
the user, as if the user had claimed its fingerprint before; a rule's allocation does not apply. If the claim has become
impossible, the device is admitted without it and waits with the reason.
"""

from dataclasses import dataclass, replace
from typing import Final

from lobby.domain import transitions
from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment import ALLOCATION_FAILED
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget, require_open
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError, NotFound
from lobby.names import Fingerprint, ThingName

RESERVED: Final = Fingerprint("claimed")
"""The holder of a name whose serial number is claimed and that has no certificate yet."""


class SerialNumberClaimed(Exception):
    """The serial number is claimed, and no certificate has its name yet. The caller admits the device with the
    claim."""


@dataclass(frozen=True)
class SerialClaim:
    """`actor` is who claims it. `at` is when: ISO 8601 UTC with milliseconds."""

    serial: ThingName
    request: ClaimRequest
    actor: str
    at: str

    def same_as(self, request: ClaimRequest) -> bool:
        """Return whether `request` is the same claim. Priority and proof of presence are not compared, because they
        follow from other values. Claims of an earlier version did not record which values they leave open."""
        held = self.request
        if held.omitted is not None and not held.omitted.same_as(request.omitted):
            return False
        return replace(request, priority=held.priority, presence=held.presence, omitted=held.omitted) == held


def applies(admitted: Device) -> bool:
    """Return whether the claim of the serial number applies to the device that was just admitted. It does not apply if
    the device's fingerprint was claimed before; that claim stays."""
    return admitted.devstate is State.KNOCKING


def admitted_and_claimed(admitted: Device, claim: SerialClaim, registered: RegisteredTarget, at: str) -> Device:
    """Return the device that was just admitted, with the claim. `registered` is the claim's target, which may have
    started to require proof of presence after the claim. Raise `Conflict` TARGET_ARCHIVED or TARGET_EVACUATED, and
    `NotFound` UNKNOWN_PROFILE if the target does not offer the default profile of the enrolment."""
    presence = claim.request.presence or require_open(registered).presence
    request = replace(claim.request, presence=presence)
    return transitions.claim(admitted, admitted.certid, request, claim.actor, at)


def admitted_only(admitted: Device, claim: SerialClaim, why: LobbyError) -> Device:
    """Return the device that was just admitted, without the claim. It waits, because the claim is refused."""
    message = f"{claim.actor} claimed the serial number, but the claim is refused: {why.message}"
    return replace(admitted, reason=ALLOCATION_FAILED, message=f"{message}; claim the device")


def already_claimed(found: SerialClaim) -> Conflict:
    """Return the error for a serial number that has a claim. Like the message for a claimed device, the message names
    neither target nor user, because a technician may not read other targets' claims."""
    message = f"got a claim for serial number {found.serial}, which has another claim, want that one withdrawn first"
    return Conflict("ALREADY_CLAIMED", message)


def unknown_claim(serial: ThingName) -> NotFound:
    message = f"got serial number {serial}, want one that is claimed and whose device has not joined"
    return NotFound("UNKNOWN_SERIAL_CLAIM", message)
