"""The lane in which a row waits, the lanes that have a part of its work, and the keys of the index."""

from dataclasses import replace

import pytest

from lobby.domain.device import Device, Priority
from lobby.domain.lanes.lane import (
    LOBBY,
    has_part,
    lane_to,
    main_lane,
    other_lanes,
    parse_lane,
    parse_turn,
    target_of,
    turn_key,
    turn_of,
)
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_target

A, B, C = (parse_target(digit * 12, "eu-west-1") for digit in "123")
AT = "2026-11-22T12:00:00.000Z"


def device(state: State, *left: object, target: object = None, needs: bool = True) -> Device:
    row = Device(Fingerprint("a" * 64), state, AT, needs_commissioner=needs)
    return replace(row, target=target, targets_to_clear=left)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "home", "others"),
    [
        (device(State.CLAIMED, target=A), lane_to(A), ()),
        (device(State.CLAIMED, B, target=A), lane_to(A), ()),
        (device(State.COMMISSIONED, B, C, target=A), lane_to(B), (lane_to(C),)),
        (device(State.INLOBBY, A), lane_to(A), ()),
        (device(State.INLOBBY), LOBBY, ()),
        (device(State.REVOKED, target=A), LOBBY, ()),
        (device(State.REVOKED, A, B, target=A), lane_to(A), (lane_to(B), LOBBY)),
        (device(State.PROVING, B, target=A), lane_to(B), (LOBBY,)),
        (device(State.REFUSED, target=A), LOBBY, ()),
    ],
    ids=str,
)
def test_a_row_waits_in_one_lane_and_others_have_parts_that_need_not_wait(
    row: Device, home: object, others: tuple[object, ...]
) -> None:
    assert (main_lane(row), other_lanes(row)) == (home, others)
    assert all(has_part(row, lane) for lane in (main_lane(row), *other_lanes(row)))
    assert not has_part(row, lane_to(parse_target("9" * 12, "eu-west-1")))


def test_a_target_is_not_cleared_before_the_new_one_is_ready() -> None:
    assert not has_part(device(State.CLAIMED, B, target=A), lane_to(B))
    assert not has_part(device(State.FAILED, B, target=A, needs=False), lane_to(B))
    assert has_part(device(State.COMMISSIONED, B, target=A), lane_to(B))


def test_a_row_without_work_has_no_key() -> None:
    assert turn_of(device(State.INLOBBY, needs=False)) is None


@pytest.mark.parametrize("lane", [LOBBY, lane_to(A)])
@pytest.mark.parametrize("priority", Priority)
def test_a_key_names_lane_and_priority(lane: object, priority: Priority) -> None:
    assert parse_turn(turn_key(lane, priority)) == (lane, priority)  # type: ignore[arg-type]


def test_the_key_of_an_earlier_version_names_no_lane() -> None:
    assert parse_turn("commissioner") is None


@pytest.mark.parametrize(
    "text",
    ["", "commissioner#", "commissioner#lobby", "commissioner#lobby#3", "commissioner#nowhere#1", "x#lobby#1"],
)
def test_other_keys_are_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_LANE"):
        parse_turn(text)


def test_a_lane_is_a_target_or_the_lobbys() -> None:
    assert target_of(parse_lane(str(A))) == A
    assert target_of(parse_lane("lobby")) is None
    for wrong in (None, 1, "", "1/2"):
        with pytest.raises(InvalidInput, match="INVALID_LANE"):
            parse_lane(wrong)
