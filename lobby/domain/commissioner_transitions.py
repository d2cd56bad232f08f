"""The changes of a device by events of the commissioner, the sweeper, the reconciler and the arrivals queue.

As in `transitions`: pure functions from a row to the new row. A result that equals the given device means that the
event changes nothing; a forbidden event raises `Conflict`.
"""

from dataclasses import replace

from lobby.domain import presence
from lobby.domain.connections.clones import CLONE_SUSPECTED
from lobby.domain.connections.deactivation_reasons import without_failed_clearing
from lobby.domain.device import Device
from lobby.domain.renewals.renewal_transitions import prove
from lobby.domain.shadows.shadow_choices import NOT_MIGRATED, ShadowOutcome
from lobby.domain.shadows.shadow_transitions import settled
from lobby.domain.standby.standby_transitions import announcing, at_its_target, with_standby
from lobby.domain.states import CLAIM_HELD_STATES, DEACTIVATED_STATES, PLACED_STATES, Event, State
from lobby.domain.transitions import entered, state_after
from lobby.errors import Conflict
from lobby.names import Fingerprint, Target


def commission(
    device: Device,
    generation: int,
    iotep: str,
    at: str,
    standby: Target | None = None,
    shadows: ShadowOutcome | None = None,
) -> Device:
    """Return the device after the commissioner has registered its certificate in the target, with the endpoint of the
    route. Raise `Conflict` CHANGED_MEANWHILE if the claim is not of this `generation`. The row still needs the
    commissioner if targets must be cleared, certificates retired, or the device prepared in the target's `standby`.
    `shadows`: what was done with the device's shadows."""
    require_same_claim(device, generation)
    if device.devstate in PLACED_STATES:
        return device
    state = state_after(device, Event.COMMISSION)
    ready = device if standby is None and device.standby is None else with_standby(device, standby)
    done = entered(replace(ready, iotep=iotep, reason=None, message=None, reactivate=False), state, at)
    done = settled(done, shadows)
    return replace(done, needs_commissioner=bool(done.targets_to_clear or done.retiring or done.works_in_standby))


def fail(device: Device, generation: int, code: str, message: str, at: str) -> Device:
    """Return the device after the target has refused it permanently. The operator corrects the cause and retries."""
    require_same_claim(device, generation)
    if device.devstate is State.FAILED and device.reason == code:
        return device
    failed = replace(device, reason=code, message=message, needs_commissioner=False, reactivate=False)
    return entered(failed, state_after(device, Event.FAIL), at)


def arrive(device: Device, at: str, certificate: Fingerprint | None = None) -> Device:
    """Return the device after its target has reported a connection with `certificate` (None: the awaited one). The
    arrival proves a new certificate. Later connections, and connections with a certificate that is being replaced,
    change nothing."""
    if device.devstate is State.ARRIVED or certificate not in (None, device.awaited):
        return device
    arrived = entered(device, state_after(device, Event.ARRIVE), at)
    return announcing(prove(at_its_target(arrived), at))


def retire(
    device: Device, generation: int, cleared: Target | None, code: str | None = None, message: str | None = None
) -> Device:
    """Return the device after the target `cleared`, which it has left, was cleared. With `code`, the target could not
    be cleared and stays on the row. Without `cleared`, the commissioner has nothing left to do.

    Nothing changes if the claim has changed since `generation`: the device may have been registered in the target again
    since. The row still needs the commissioner if the device was admitted with a claim, or if another target is to be
    cleared first. A revoked or quarantined device whose certificate may still be active in a target has the code as its
    reason until every target is cleared. When no work is left, the certificate of a device whose quarantine was lifted
    is active again, because every lane activates it first."""
    state_after(device, Event.RETIRE)
    if device.generation != generation:
        return device
    current = device.devstate is not State.CLAIMED
    if code is None:
        rest = tuple(target for target in device.targets_to_clear if target != cleared)
        elsewhere = device.works_in_standby or device.announces_standby
        left_over = elsewhere or (bool(rest or device.retiring) and cleared is not None)
        more = device.needs_commissioner and (not current or left_over)
        active = device.reactivate and more
        left = replace(device, targets_to_clear=rest, needs_commissioner=more, reactivate=active)
        return left if rest else _all_cleared(left)
    if not current:
        return device
    refused = device.devstate is State.REFUSED
    if refused or device.devstate in DEACTIVATED_STATES:
        why = device.message if refused else without_failed_clearing(device).message
        message = f"{why}; {code}: {message}"[:1000]
    others = device.needs_commissioner and (
        device.works_in_standby
        or (device.announces_standby and cleared != device.target)
        or device.targets_to_clear[:1] not in ((), (cleared,))
    )
    return replace(device, reason=device.reason if refused else code, message=message, needs_commissioner=others)


def _all_cleared(device: Device) -> Device:
    """Return the device after its last target was cleared, without the reason why a target could not be cleared. A
    reason of the current target, which its message names, stays."""
    if device.devstate in DEACTIVATED_STATES:
        return without_failed_clearing(device)
    of_target = device.target is not None and str(device.target) in (device.message or "")
    kept = (presence.FAILED, presence.NOT_SHOWN, CLONE_SUSPECTED, NOT_MIGRATED)
    stays = device.devstate is State.REFUSED or device.reason in kept
    return device if of_target or stays else replace(device, reason=None, message=None)


def leave_uncleared(device: Device, target: Target) -> Device:
    """Return the device with `target` among the targets to clear: a superseded claim has registered the certificate
    there, and it cannot be deactivated now. Nothing changes if the current claim is for `target`, or if no claim was
    carried out yet. The generation increases, so that a clearing in progress does not count: it may have deactivated
    the certificate before the last registration. A failed device keeps the target to clear until its retry."""
    state_after(device, Event.RETIRE)
    if (
        is_claimed_for(device, target)
        or is_other_place(device, target)
        or device.devstate in (State.KNOCKING, State.REFUSED)
    ):
        return device
    return replace(
        device,
        targets_to_clear=tuple(dict.fromkeys((*device.targets_to_clear, target))),
        generation=device.generation + 1,
        needs_commissioner=device.devstate is not State.FAILED,
    )


def is_claimed_for(device: Device, target: Target) -> bool:
    """Return whether the current claim decides about the certificate in `target`."""
    return device.target == target and device.devstate in CLAIM_HELD_STATES


def is_other_place(device: Device, target: Target) -> bool:
    """Return whether `target` is the standby of the device, or the target that it was evacuated from."""
    return device.standby is not None and device.standby.target == target and device.devstate in CLAIM_HELD_STATES


def wake(device: Device) -> Device:
    """Return the device when the commissioner is started again, because it has not processed the row in time. Only the
    history changes, which is enough to start the commissioner. Raise `Conflict` NOT_ALLOWED if the row no longer needs
    the commissioner."""
    state_after(device, Event.WAKE)
    if not device.needs_commissioner:
        raise Conflict("NOT_ALLOWED", f"got wake for {device.certid}, which no longer needs the commissioner")
    return device


def deactivate(device: Device, target: Target) -> Device:
    """Return the device when its certificate, which is active in a target without a claim, is deactivated there. Raise
    `Conflict` CHANGED_MEANWHILE if the row now permits the certificate in the target."""
    state_after(device, Event.DEACTIVATE)
    if may_be_active_in(device, target):
        raise Conflict("CHANGED_MEANWHILE", f"got {target} for {device.certid}, which has a claim for it by now")
    return device


def may_be_active_in(device: Device, target: Target) -> bool:
    """Return whether the ledger accounts for the device's certificate in `target`: by a claim, because the target is
    not cleared yet, or because it is the device's standby or home."""
    claimed = device.target == target and device.devstate not in DEACTIVATED_STATES
    return claimed or target in device.targets_to_clear or is_other_place(device, target)


def require_same_claim(device: Device, generation: int) -> None:
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got claim {generation}, want {device.generation}: the claim has changed")
