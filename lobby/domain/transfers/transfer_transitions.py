"""The changes of a device that is transferred to another lobby, or accepted from one: pure functions as in
`transitions`.

An offer changes nothing but its own record, so the device continues to work. A completed transfer is a state: the
device leaves its target as at a release, and hellos are answered with the new lobby's endpoint. Repeating a step
returns the same row. These functions reject a device that is suspected or in renewal, an offer that is not the row's,
and an expired offer.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lobby.domain.device import Device
from lobby.domain.states import Event, State
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.domain.transitions import (
    CERTIFICATE_RENEWED,
    entered,
    leave_places,
    state_after,
    was_admitted,
    with_identity,
    without_claim,
)
from lobby.errors import Conflict
from lobby.names import Region

if TYPE_CHECKING:
    from lobby.domain.identity import Identity

ENDED: Final = "TRANSFER_ENDED"
"""The reason in the history when the old lobby deactivates the certificate of a device that was transferred."""


def offer(device: Device, offered: Transfer, at: str) -> Device:
    """Return the device after it was offered to another lobby, with the certificate in use. Raise `Conflict` SUSPECTED,
    IN_RENEWAL, ALREADY_OFFERED if another offer is open, or CERTIFICATE_RENEWED if the certificate was renewed after
    the same offer."""
    state_after(device, Event.OFFER, unproven=False)
    known = device.transfer
    if known is not None and known.step is TransferStep.OFFERED:
        if known.offer == offered.offer and known.partner == offered.partner:
            _require_same_certificate(device, known)
            return device
        if known.is_open(at):
            message = f"got {device.certid}, which is offered to {known.partner} until {known.expires}; withdraw that"
            raise Conflict("ALREADY_OFFERED", message)
    _require_transferable(device)
    return replace(device, transfer=replace(offered, certificate=device.current))


def withdraw(device: Device, at: str) -> Device:
    """Return the device after its offer was withdrawn. A device that was transferred waits in this lobby again. Raise
    `Conflict` NOT_OFFERED."""
    state = state_after(device, Event.WITHDRAW, unproven=False)
    if device.devstate is State.TRANSFERRED:
        back = replace(
            device,
            transfer=None,
            generation=device.generation + 1,
            reason=None,
            message=None,
            reactivate=True,
            needs_commissioner=True,
        )
        return entered(back, state, at)
    if device.transfer is None or device.transfer.step is not TransferStep.OFFERED:
        raise Conflict("NOT_OFFERED", f"got {device.certid}, want a device that is offered or transferred")
    return replace(device, transfer=None)


def require_offer(device: Device, offer: str) -> None:
    """Raise `Conflict` NOT_OFFERED for a device that does not have this offer, or whose transfer is completed."""
    if _offer_of(device, offer) is None:
        raise Conflict("NOT_OFFERED", f"got {device.certid}, want a device with the offer {offer}")


def complete(device: Device, completed: Transfer, at: str) -> Device:
    """Return the device after another lobby has accepted it: the device leaves this lobby. A repeated completion with
    the same endpoint changes at most the time until which hellos are answered. Raise `Conflict` NOT_OFFERED,
    OFFER_EXPIRED, SAME_USER, SUSPECTED, IN_RENEWAL, CERTIFICATE_RENEWED since the offer, or ALREADY_TRANSFERRED to
    another endpoint or by another offer."""
    known = device.transfer
    if device.devstate is State.TRANSFERRED and known is not None:
        if (known.offer, known.endpoint, known.partner) != (completed.offer, completed.endpoint, completed.partner):
            message = f"got {device.certid}, which was transferred to {known.partner} at {known.endpoint}"
            raise Conflict("ALREADY_TRANSFERRED", message)
        return device if known.ended else replace(device, transfer=replace(known, until=completed.until))
    state = state_after(device, Event.TRANSFER, unproven=False)
    offered = _offer_of(device, completed.offer)
    if offered is None:
        message = f"got an acceptance of offer {completed.offer}, which is not an open offer of {device.certid}"
        raise Conflict("NOT_OFFERED", message)
    if not offered.is_open(at):
        raise Conflict("OFFER_EXPIRED", f"got an acceptance at {at}, want one until {offered.expires}: offer it again")
    if offered.actor == completed.actor:
        message = f"got a completion by {completed.actor}, who has made the offer; want another admin"
        raise Conflict("SAME_USER", message)
    _require_transferable(device)
    _require_same_certificate(device, offered)
    left = without_claim(leave_places(device, None))
    gone = replace(
        left,
        transfer=replace(completed, offered_by=offered.actor, expires=offered.expires),
        renew_by=None,
        reason=None,
        message=None,
        needs_commissioner=True,
    )
    return entered(gone, state, at)


def end(device: Device, at: str) -> Device:
    """Return the device after the time for which hellos are answered: its certificate becomes INACTIVE in this
    lobby."""
    known = device.transfer
    if device.devstate is not State.TRANSFERRED or known is None or known.ended or (known.until or at) > at:
        return device
    state_after(device, Event.DEACTIVATE)
    ended = replace(known, ended=True)
    return replace(device, transfer=ended, generation=device.generation + 1, needs_commissioner=True)


def accept(
    device: Device | None, identity: "Identity", accepted: Transfer, issued: str, region: Region, at: str
) -> Device:
    """Return the device of another lobby, admitted by an offer that was issued at `issued`. A claim on the row applies.
    Nothing changes if the same offer was accepted before. Raise `Conflict` ALREADY_ADMITTED for a device that this
    lobby has by other means, or OFFER_OUTDATED if this lobby has transferred the device since the offer."""
    if device is not None and was_admitted(device) and device.devstate is not State.TRANSFERRED:
        if device.transfer is not None and device.transfer.offer == accepted.offer:
            return device
        message = f"got certificate {identity.certid}, which this lobby has already ({device.devstate})"
        raise Conflict("ALREADY_ADMITTED", message)
    if device is not None and identity.certid != device.current:
        message = f"got certificate {identity.certid}, which the device has renewed here, want {device.current}"
        raise Conflict(CERTIFICATE_RENEWED, message)
    returns = device is not None and device.devstate is State.TRANSFERRED
    if device is not None and returns and issued <= device.enteredat:
        got = f"got an offer of {issued} for {device.certid}, which was transferred at {device.enteredat}"
        raise Conflict("OFFER_OUTDATED", f"{got}, want a later offer, by its present lobby")
    admitted = with_identity(device, Event.ACCEPT, identity, region, at)
    return replace(
        admitted,
        transfer=accepted,
        generation=admitted.generation + returns,
        needs_commissioner=admitted.needs_commissioner or bool(admitted.targets_to_clear),
    )


def _offer_of(device: Device, offer: str) -> Transfer | None:
    """Return the device's transfer if it is this offer and is not completed."""
    known = device.transfer
    return known if known is not None and known.step is TransferStep.OFFERED and known.offer == offer else None


def _require_transferable(device: Device) -> None:
    if device.is_suspected:
        message = f"got {device.certid}, whose certificate may be in use twice; dismiss the suspicion or revoke it"
        raise Conflict("SUSPECTED", message)
    if device.pending is not None or device.retiring:
        raise Conflict("IN_RENEWAL", f"got {device.certid}, which is renewing its certificate; want it finished first")
    if device.reactivate:
        raise Conflict("CHANGED_MEANWHILE", f"got {device.certid}, whose certificate is being activated; try again")


def _require_same_certificate(device: Device, offered: Transfer) -> None:
    """Require the certificate in the offer. The other lobby admits only this one and would refuse a later one."""
    if offered.certificate != device.current:
        message = f"got {device.certid}, which has renewed its certificate since the offer; withdraw it and offer again"
        raise Conflict(CERTIFICATE_RENEWED, message)
