"""Lanes: each target has a separate queue for the commissioner's work, so that no target delays another.

A row that needs the commissioner waits in one lane at a time, in order of priority and time. Its key in the by-turn
index is `commissioner#<lane>#<priority>`. A lane is a target, or `lobby` for work that calls no target. All calls into
a target for a device belong to that target's lane, which one worker processes at a time, so they never overlap. Rows of
earlier versions have the key `commissioner`, without a lane.
"""

from typing import Final, NewType

from lobby.domain.device import Device, Priority
from lobby.domain.renewals.renewal_transitions import has_work_in_target, is_renewed_in_target
from lobby.domain.states import DEACTIVATED_STATES, PLACED_STATES, State
from lobby.errors import InvalidInput
from lobby.names import Target, parse_target_key, shown

Lane = NewType("Lane", str)
LOBBY: Final = Lane("lobby")
"""The lane of work in the lobby's own account."""
UNSORTED: Final = "commissioner"
"""The key of rows that an earlier version wrote."""
_PREFIX: Final = f"{UNSORTED}#"


def lane_to(target: Target) -> Lane:
    return Lane(str(target))


def target_of(lane: Lane) -> Target | None:
    """Return the lane's target, or None for the lobby's lane."""
    return None if lane == LOBBY else parse_target_key(lane)


def parse_lane(text: object) -> Lane:
    """Return the lane named in a token. Raise `InvalidInput` INVALID_LANE."""
    try:
        return LOBBY if text == LOBBY else lane_to(parse_target_key(text))
    except InvalidInput:
        raise InvalidInput("INVALID_LANE", f"got {shown(text)}, want `{LOBBY}` or account/Region") from None


def main_lane(device: Device) -> Lane:
    """Return the lane in which the row waits: the lane of the claim's target comes first, because a new target must be
    ready before the old one is cleared. The lanes of the targets to clear follow, in order, and last the lane of the
    device's standby."""
    if device.devstate is State.CLAIMED and device.target is not None:
        return lane_to(device.target)
    if device.devstate is not State.REFUSED and not device.targets_to_clear and has_work_in_target(device):
        return lane_to(_target(device))
    if not device.targets_to_clear and device.standby is not None and device.works_in_standby:
        return lane_to(device.standby.target)
    if device.devstate is State.REFUSED or not device.targets_to_clear:
        return LOBBY
    return lane_to(device.targets_to_clear[0])


def other_lanes(device: Device) -> tuple[Lane, ...]:
    """Return the other lanes that have a part of the row's work. Their work does not wait for the main lane, because an
    unreachable target must not delay the lobby's part of a revocation or quarantine, or the clearing of another
    target."""
    if device.devstate in (State.CLAIMED, State.REFUSED, State.FAILED):
        return ()
    lanes = [lane_to(target) for target in device.targets_to_clear]
    if has_work_in_target(device):
        lanes.append(lane_to(_target(device)))
    if device.standby is not None and device.works_in_standby:
        lanes.append(lane_to(device.standby.target))
    if device.devstate in (*DEACTIVATED_STATES, State.PROVING, State.TRANSFERRED) or device.reactivate:
        lanes.append(LOBBY)
    return tuple(lane for lane in lanes if lane != main_lane(device))


def has_part(device: Device, lane: Lane) -> bool:
    """Return whether the row has work in this lane."""
    if device.devstate is State.CLAIMED:
        return lane == main_lane(device)
    if device.devstate is not State.REFUSED and lane in map(str, device.targets_to_clear):
        return device.devstate is not State.FAILED
    return device.needs_commissioner and (lane == main_lane(device) or lane in other_lanes(device))


def _target(device: Device) -> Target:
    if device.target is None:
        raise AssertionError(f"a device that is placed has a target: {device.certid}")
    return device.target


def turn_key(lane: Lane, priority: Priority) -> str:
    return f"{_PREFIX}{lane}#{priority.value}"


def turn_of(device: Device) -> str | None:
    """Return the row's key in the by-turn index; None if it does not need the commissioner."""
    return turn_key(main_lane(device), priority_of(device)) if device.needs_commissioner else None


def priority_of(device: Device) -> Priority:
    """Return the priority of the row in its lane. Work for its standby comes after all single claims, even if its own
    claim was single, because the device does not wait for this work."""
    if device.targets_to_clear or device.devstate not in PLACED_STATES or is_renewed_in_target(device):
        return device.priority
    return Priority.BULK if device.works_in_standby or device.announces_standby else device.priority


def parse_turn(text: str) -> tuple[Lane, Priority] | None:
    """Return lane and priority of a key; None for the key of an earlier version. Raise `InvalidInput`."""
    if text == UNSORTED:
        return None
    lane, _, priority = text.removeprefix(_PREFIX).partition("#")
    if not text.startswith(_PREFIX) or priority not in {str(each.value) for each in Priority}:
        raise InvalidInput("INVALID_LANE", f"got {shown(text)}, want commissioner#<lane>#<priority>")
    return parse_lane(lane), Priority(int(priority))
