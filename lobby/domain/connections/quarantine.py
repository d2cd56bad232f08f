"""The changes of a device that is suspected to share its certificate with a copy: pure functions as in `transitions`.

A suspicion is a flag of the row; the device continues to work. A quarantine is a state: the certificate is deactivated
in the lobby and in every target, as by a revocation, but the claim stays, and a user can lift it. Then the certificate
is activated in the lobby, and the device is commissioned again. When evidence is found, the target's policy
decides between the two. A user can start a quarantine at any time. Only a user dismisses a suspicion or lifts a
quarantine. This ends the suspicion, and the same evidence is not used again.
"""

from dataclasses import replace

from lobby.domain import presence
from lobby.domain.connections.clones import CLONE_SUSPECTED, Suspicion, dismissed
from lobby.domain.connections.deactivation_reasons import QUARANTINED
from lobby.domain.device import Device, Priority
from lobby.domain.states import Event, State
from lobby.domain.transitions import entered, leave_places, state_after
from lobby.errors import Conflict


def suspect(device: Device, suspicion: Suspicion) -> Device:
    """Return the device after evidence was found that two devices use its certificate. A suspected device does not
    change."""
    state_after(device, Event.SUSPECT)
    return device if device.is_suspected else replace(device, suspicion=suspicion)


def dismiss(device: Device, at: str) -> Device:
    """Return the device after a user has found that only one device uses the certificate. Raise `Conflict`
    NOT_SUSPECTED. A repeated request changes nothing."""
    state_after(device, Event.DISMISS)
    if device.suspicion is None:
        raise Conflict(
            "NOT_SUSPECTED", f"got {device.certid}, want a device whose certificate is suspected to be copied"
        )
    if not device.is_suspected:
        return device
    reason = None if device.reason == CLONE_SUSPECTED else device.reason
    return replace(device, suspicion=dismissed(device.suspicion, at), reason=reason)


def quarantine(device: Device, message: str, at: str, suspicion: Suspicion | None = None) -> Device:
    """Return the device in quarantine: its certificate is deactivated everywhere until the quarantine is lifted.
    `suspicion`: the evidence, if the device is not suspected yet. A device in quarantine does not change."""
    if device.devstate is State.QUARANTINED:
        return device
    state = state_after(device, Event.QUARANTINE, unproven=False)
    known = device.suspicion if device.is_suspected else suspicion or device.suspicion
    quarantined = replace(
        leave_places(device),
        suspicion=known,
        generation=device.generation + 1,
        priority=Priority.SINGLE,
        campaign=None,
        reason=CLONE_SUSPECTED if known is not None and known.dismissed is None else QUARANTINED,
        message=message,
        iotep=None,
        code=None,
        renew_by=None,
        fallbacks=0,
        reactivate=False,
        needs_commissioner=True,
    )
    return entered(quarantined, state, at)


def lift(device: Device, at: str) -> Device:
    """Return the device after the quarantine: its certificate is activated again, and the device continues with its
    claim or waits in the lobby."""
    state = state_after(device, Event.LIFT)
    suspicion = None if device.suspicion is None else dismissed(device.suspicion, at)
    rest = tuple(target for target in device.targets_to_clear if target != device.target)
    lifted = replace(
        device,
        suspicion=suspicion,
        generation=device.generation + 1,
        priority=Priority.SINGLE,
        campaign=None,
        targets_to_clear=rest if state is State.CLAIMED else device.targets_to_clear,
        reason=None,
        message=None,
        reactivate=True,
        needs_commissioner=True,
    )
    again = entered(lifted, state, at)
    return replace(presence.start_proof(again), needs_commissioner=True) if state is State.PROVING else again
