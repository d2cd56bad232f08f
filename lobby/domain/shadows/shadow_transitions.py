"""The changes of a device by the choice of what a move does with its shadows: pure functions, as in `transitions`.

Only a row that waits to be commissioned has work to do with shadows. The shadows to copy are in the target where the
device was last registered. If an earlier move is not carried out yet, that target is known only if the earlier move
recorded it. Otherwise a copy is refused, because it could copy outdated shadows.
"""

from dataclasses import replace

from lobby.domain import presence
from lobby.domain.device import Device, Priority
from lobby.domain.shadows.shadow_choices import NOT_MIGRATED, ShadowChoice, ShadowOutcome, Shadows
from lobby.domain.states import PLACED_STATES, Event, State
from lobby.domain.transitions import entered, state_after
from lobby.errors import Conflict
from lobby.names import Target


def choose(before: Device, after: Device, choice: ShadowChoice, at: str) -> Device:
    """Return the row `after` a move, with the work on the shadows. A move that was carried out is not repeated. While a
    move waits, the same move with another choice changes the choice. Raise `Conflict` SHADOWS_UNKNOWN, or
    SHADOWS_IN_USE for a reset in a target where the device may be."""
    if after == before and before.devstate in PLACED_STATES:
        return before
    wanted = _wanted(before, after.target, choice, at)
    if after != before:
        return replace(after, shadows=wanted)
    known = before.shadows
    if (known.choice if known else None) == (wanted.choice if wanted else None):
        return before
    return _chosen_again(before, wanted, at)


def choose_return(before: Device, after: Device, choice: ShadowChoice | None, at: str) -> Device:
    """Return the row `after` the return from a standby. Only a device that was registered in the standby has shadows
    there."""
    if choice in (None, ShadowChoice.LEAVE) or after == before or before.devstate not in PLACED_STATES:
        return after
    return replace(after, shadows=Shadows(ShadowChoice(choice), at, before.target))


def settled(device: Device, outcome: ShadowOutcome | None) -> Device:
    """Return the row of a device that is being commissioned, after the work with its shadows. `outcome`: None if there
    was none."""
    if outcome is None or device.shadows is None or not device.shadows.is_pending:
        return device
    if outcome.code is None:
        return replace(device, shadows=None)
    return replace(
        device,
        shadows=replace(device.shadows, code=outcome.code),
        reason=NOT_MIGRATED,
        message=outcome.message,
    )


def keeps_thing(device: Device, target: Target) -> bool:
    """Return whether the thing in a target that the device has left has shadows that are not copied yet."""
    shadows = device.shadows
    return shadows is not None and shadows.choice is ShadowChoice.MIGRATE and shadows.source == target


def _wanted(before: Device, goal: Target | None, choice: ShadowChoice, at: str) -> Shadows | None:
    if choice is ShadowChoice.LEAVE:
        return None
    places = (*before.targets_to_clear, before.standby.target if before.standby else None)
    source, is_known = _source(before)
    if choice is ShadowChoice.MIGRATE:
        if not is_known:
            message = f"got {choice} for a device of which an earlier move is not carried out, want a retry of it first"
            raise Conflict("SHADOWS_UNKNOWN", f"{message}, or `leave`")
        return Shadows(choice, at, source) if source not in (None, goal) else None
    if goal is not None and (source == goal or (not is_known and goal in places)):
        raise Conflict("SHADOWS_IN_USE", f"got {choice} in {goal}, where the device may be, want another target")
    return Shadows(choice, at, source)


def _source(device: Device) -> tuple[Target | None, bool]:
    """Return the target where the device was last registered (None: nowhere), and whether this is known."""
    if device.devstate in PLACED_STATES:
        return device.target, True
    if not device.has_certificate or device.devstate in (State.EXPECTED, State.PROVING):
        return None, True
    if device.shadows is not None and device.shadows.is_pending:
        return device.shadows.source, True
    is_evacuated = device.standby is not None and device.standby.home
    if device.targets_to_clear or is_evacuated:
        return None, False
    return device.target, True


def _chosen_again(device: Device, wanted: Shadows | None, at: str) -> Device:
    """Return a waiting row with another choice. A worker that has started with the previous choice records no
    result."""
    if device.devstate is State.EXPECTED:
        return replace(device, shadows=wanted)
    again = replace(
        device, shadows=wanted, generation=device.generation + 1, priority=Priority.SINGLE, campaign=None, iotep=None
    )
    if device.devstate is State.PROVING:
        return presence.start_proof(again)
    again = replace(again, reason=None, message=None, needs_commissioner=True)
    return entered(again, state_after(device, Event.MOVE), at)
