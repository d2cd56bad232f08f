"""The changes of a device by the preparation of a standby, an evacuation and a return: pure functions from a row to the
new row.

An evacuation exchanges the two places of a row: the standby becomes the target, and the target becomes the home, where
the registration stays for the return. A device that is ACTIVE in the standby gets its route immediately. Any other
device is commissioned in the standby, as after a claim. A row that is already as required is not changed.
"""

from dataclasses import replace

from lobby.domain.device import Device, Priority
from lobby.domain.standby.standby import Standby, StandbyMode, StandbyStatus
from lobby.domain.states import CLAIM_HELD_STATES, PLACED_STATES, Event, State
from lobby.domain.transitions import entered, state_after
from lobby.names import Target


def prepare(device: Device, standby: Target | None, mode: StandbyMode) -> Device:
    """Return the device prepared for the standby of its target, `standby` (None: the target has no standby). A device
    that is not placed yet is prepared when it is commissioned."""
    if device.devstate not in PLACED_STATES:
        return device
    state_after(device, Event.PREPARE)
    known = device.standby
    if known is not None and known.home:
        return device
    if standby is not None and known is not None and known.target == standby:
        ready = known.status.value == mode.value
        return device if ready or known.wanted else _in_bulk(replace(device, standby=replace(known, wanted=True)))
    after = with_standby(device, standby)
    return device if after == device else _in_bulk(after)


def prepare_again(device: Device) -> Device:
    """Return the device when it must be prepared again, because its registration in the standby differs from the
    registration in the target."""
    known = device.standby
    if device.devstate not in PLACED_STATES or known is None or known.home or known.wanted:
        return device
    return _in_bulk(replace(device, standby=replace(known, wanted=True)))


def with_standby(device: Device, standby: Target | None) -> Device:
    """Return a placed row that needs preparation in `standby`. An earlier preparation elsewhere must be cleared. The
    row of an evacuated device needs no preparation, and since it was commissioned after the evacuation, earlier
    connections no longer count."""
    known = device.standby
    if known is not None and known.home:
        return replace(device, standby=replace(known, leaving=False))
    left = device.targets_to_clear
    if known is not None and known.target != standby:
        left = (*left, known.target)
    if standby is None:
        return replace(device, standby=None, targets_to_clear=tuple(dict.fromkeys(left)))
    kept = known if known is not None and known.target == standby else Standby(standby)
    others = tuple(target for target in dict.fromkeys(left) if target != standby)
    return replace(device, standby=replace(kept, wanted=True), targets_to_clear=others)


def _in_bulk(device: Device) -> Device:
    return replace(device, priority=Priority.BULK, needs_commissioner=True)


def prepared(
    device: Device, generation: int, target: Target, status: StandbyStatus, iotep: str | None, code: str | None = None
) -> Device:
    """Return the device after the work in `target` is done: the device is registered there as `status`, or was refused
    with `code`. Nothing changes if the row has changed since `generation`."""
    state_after(device, Event.PREPARED)
    known = device.standby
    if device.generation != generation or known is None or known.target != target or not known.wanted:
        return device
    leaving = known.leaving and (known.home or code is not None)
    done = replace(known, status=status, iotep=iotep or known.iotep, wanted=False, leaving=leaving, code=code)
    is_new = done.is_named and (done.iotep != known.iotep or not known.is_named)
    return announcing(
        _with_work_left(replace(device, standby=replace(done, device_unaware=known.device_unaware or is_new)))
    )


def announcing(device: Device) -> Device:
    """Return the row of a device that is in its target. If the device may not know its standby, the target's lane has
    to announce the standby."""
    return _in_bulk(device) if device.announces_standby else device


def announced(device: Device, generation: int, endpoint: str | None, *, sent: bool) -> Device:
    """Return the device after the standby at `endpoint` was announced to it in the target, or, with `sent` false, the
    target has refused the message. Nothing changes if the row now names another standby."""
    state_after(device, Event.PREPARED)
    known = device.standby
    if device.generation != generation or known is None or known.iotep != endpoint or not known.device_unaware:
        return device
    return _with_work_left(replace(device, standby=replace(known, device_unaware=False, announced=sent)))


def _with_work_left(device: Device) -> Device:
    """Return the row, which needs the commissioner only if work is left."""
    asks = device.renew_by is not None and bool(device.can_renew)
    elsewhere = device.works_in_standby or device.announces_standby
    left = bool(device.targets_to_clear or device.retiring or asks or elsewhere)
    return replace(device, needs_commissioner=device.needs_commissioner and left)


def _without_home_work(device: Device) -> Device:
    known = device.standby
    if known is None or not known.home or not (known.wanted or known.leaving):
        return device
    return _with_work_left(replace(device, standby=replace(known, wanted=False, leaving=False)))


def _status_in_target(device: Device) -> StandbyStatus:
    return StandbyStatus.ACTIVE if device.devstate in PLACED_STATES else StandbyStatus.NONE


def _may_be_connected(device: Device) -> bool:
    """Return whether the device may be connected to its target. A claimed or failed device can be connected since an
    earlier claim, for example while it is configured again. A device that is not connected just misses the message."""
    return device.devstate in CLAIM_HELD_STATES


def evacuate(device: Device, home: Target, standby: Target, actor: str, at: str) -> Device:
    """Return the device of `home` assigned to `standby`. A device of another target does not change."""
    if device.target != home or (device.standby is not None and device.standby.home):
        return device
    known = device.standby
    at_once = known is not None and known.target == standby and known.is_usable
    state = state_after(device, Event.EVACUATE, at_once=at_once)
    back = Standby(home, _status_in_target(device), device.iotep, wanted=_may_be_connected(device), home=True)
    back = replace(back, leaving=state is State.COMMISSIONED)
    if device.devstate is State.EXPECTED:
        return replace(device, generation=device.generation + 1, target=standby, standby=back, campaign=None)
    left = [*device.targets_to_clear, *([known.target] if known is not None else [])]
    to_clear = tuple(dict.fromkeys(each for each in left if each not in (standby, home)))
    moved = replace(_exchanged(device, standby, back, to_clear), claimedby=device.claimedby or actor)
    return entered(replace(moved, iotep=known.iotep) if known and state is State.COMMISSIONED else moved, state, at)


def come_back(device: Device, home: Target, at: str) -> Device:
    """Return the device when it is commissioned again in `home`, from which it was evacuated. Its current target
    becomes its standby again."""
    known = device.standby
    if known is None or not known.home or known.target != home or device.target is None:
        return device
    state = state_after(device, Event.RETURN)
    if device.devstate is State.EXPECTED:
        return replace(device, generation=device.generation + 1, target=home, standby=None, campaign=None)
    leaving = _may_be_connected(device)
    other = Standby(device.target, _status_in_target(device), device.iotep, wanted=True, leaving=leaving)
    to_clear = tuple(each for each in device.targets_to_clear if each != home)
    return entered(_exchanged(device, home, other, to_clear), state, at)


def _exchanged(device: Device, target: Target, other: Standby, to_clear: tuple[Target, ...]) -> Device:
    """Return the row with `target` as its target, where the device must be commissioned, and with `other` as its other
    place."""
    return replace(
        device,
        target=target,
        standby=other,
        targets_to_clear=to_clear,
        generation=device.generation + 1,
        priority=Priority.BULK,
        campaign=None,
        iotep=None,
        reason=None,
        message=None,
        needs_commissioner=True,
    )


def visit(device: Device, standby: Target, at: str) -> Device:
    """Return the device after it has connected to its standby without an evacuation, because it reached neither its
    target nor the lobby. The claim stays, because the device returns without an operation. As after a fallback to the
    lobby, the target's next report counts as an arrival."""
    known = device.standby
    if known is None or known.target != standby or not known.is_usable or known.visited:
        return device
    state = state_after(device, Event.STANDBY)
    return _with_work_left(entered(replace(device, standby=replace(known, visited=True)), state, at))


def at_its_target(device: Device) -> Device:
    """Return the row of a device that has arrived in its target. The device is neither in its standby nor connected to
    its home, so no message has to call it back."""
    known = device.standby
    if known is not None and known.visited:
        return replace(device, standby=replace(known, visited=False))
    return _without_home_work(device)


def call_back(device: Device, standby: Target, actor: str, at: str) -> Device:
    """Return the device when it is connected to its standby although its target is not evacuated. The device is
    commissioned in the target again, and then asked to leave the standby. Nothing changes while the standby's lane has
    work, which may be exactly this."""
    home, known = device.target, device.standby
    if home is None or known is None or known.target != standby or not known.is_usable:
        return device
    return come_back(evacuate(device, home, standby, actor, at), home, at)
