"""The second place of a device: its text form, and how an evacuation and a return change it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.commissioner_transitions import commission, fail
from lobby.domain.device import Device
from lobby.domain.lanes.lane import has_part, lane_to, main_lane, other_lanes, turn_of
from lobby.domain.standby.standby import Standby, StandbyMode, StandbyStatus, parse_standby
from lobby.domain.standby.standby_transitions import come_back, evacuate, prepare, prepared
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest, claim, configure, move, release, revoke
from lobby.errors import Conflict, InvalidInput
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, C, T, arrived, claimed, inlobby

LATER = "2026-11-23T12:00:00.000Z"
ACTOR = "campaign:tests"
READY = Standby(B, StandbyStatus.ACTIVE, "b.example:8443")


def ready(standby: Standby = READY) -> Device:
    return replace(arrived(), standby=standby)


@given(
    st.builds(
        Standby,
        st.sampled_from([A, B]),
        st.sampled_from(StandbyStatus),
        st.none() | st.just("b.example:8443"),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.none() | st.just("TARGET_LIMIT"),
    )
)
def test_its_text_has_everything(standby: Standby) -> None:
    assert parse_standby(str(standby)) == standby


@pytest.mark.parametrize("text", ["", "x", f"{A}|green|||", f"{A}|active|||||", "1/2|active|||", f"{A}|active||"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_standby(text)


def test_the_route_of_the_standby_is_that_of_the_row_after_the_evacuation() -> None:
    before = ready()
    after = evacuate(before, A, B, ACTOR, LATER)
    assert (after.target, after.devstate, after.route()) == (B, State.COMMISSIONED, before.standby_route())
    assert evacuate(after, A, B, ACTOR, LATER) == after


@pytest.mark.parametrize("status", [StandbyStatus.NONE, StandbyStatus.INACTIVE, StandbyStatus.REFUSED])
def test_a_device_that_is_not_active_there_is_commissioned_first(status: StandbyStatus) -> None:
    before = ready(replace(READY, status=status))
    after = evacuate(before, A, B, ACTOR, LATER)
    assert (before.standby_route(), after.route(), after.devstate) == (None, None, State.CLAIMED)
    assert main_lane(after) == lane_to(B)


def test_a_device_whose_standby_is_out_of_step_is_commissioned_first() -> None:
    changed = configure(ready(), "other", None, LATER)
    before = commission(changed, changed.generation, "a.example", LATER, B)
    after = evacuate(before, A, B, ACTOR, LATER)
    assert (before.standby_route(), after.route(), after.devstate) == (None, None, State.CLAIMED)
    assert main_lane(after) == lane_to(B)
    there = commission(after, after.generation, "b.example", LATER)
    assert (there.target, there.profile, there.route() is not None) == (B, "other", True)


def test_an_expected_device_goes_to_the_standby_and_back_without_any_work() -> None:
    expected = claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    after = evacuate(expected, A, B, ACTOR, LATER)
    assert (after.target, after.devstate, after.needs_commissioner) == (B, State.EXPECTED, False)
    back = come_back(after, A, LATER)
    assert (back.target, back.standby, back.generation) == (A, None, expected.generation + 2)


@pytest.mark.parametrize("device", [claimed(ClaimRequest(B)), replace(arrived(), target=C)])
def test_a_device_of_another_target_stays(device: Device) -> None:
    assert evacuate(device, A, B, ACTOR, LATER) == device
    assert come_back(device, A, LATER) == device


def test_a_device_that_proves_presence_cannot_be_evacuated() -> None:
    proving = claim(inlobby(), CERTID, ClaimRequest(A, presence=True), "user:ann", T)
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        evacuate(proving, A, B, ACTOR, LATER)


def test_the_lane_of_the_standby_has_its_part_after_everything_else() -> None:
    wanted = prepare(ready(replace(READY, status=StandbyStatus.NONE)), B, StandbyMode.ACTIVE)
    assert (main_lane(wanted), turn_of(wanted)) == (lane_to(B), f"commissioner#{B}#2")
    assert has_part(wanted, lane_to(B))
    clearing = replace(wanted, targets_to_clear=(C,))
    assert (main_lane(clearing), other_lanes(clearing)) == (lane_to(C), (lane_to(B),))


def test_a_result_for_an_earlier_generation_changes_nothing() -> None:
    wanted = prepare(ready(replace(READY, status=StandbyStatus.NONE)), B, StandbyMode.ACTIVE)
    moved = replace(wanted, generation=wanted.generation + 1)
    assert prepared(moved, wanted.generation, B, StandbyStatus.ACTIVE, "b.example") == moved
    assert prepared(wanted, wanted.generation, C, StandbyStatus.ACTIVE, "b.example") == wanted


def test_another_mode_or_standby_is_prepared_and_the_same_is_not() -> None:
    device = ready()
    assert prepare(device, B, StandbyMode.ACTIVE) == device
    assert prepare(device, B, StandbyMode.INACTIVE).needs_commissioner
    other = prepare(device, C, StandbyMode.ACTIVE)
    assert (other.targets_to_clear, other.standby) == ((B,), Standby(C, wanted=True))
    none = prepare(device, None, StandbyMode.ACTIVE)
    assert (none.targets_to_clear, none.standby) == ((B,), None)


def test_whoever_leaves_has_both_places_to_clear() -> None:
    released = release(ready(), LATER)
    assert released is not None
    revoked = revoke(ready(), CERTID, "stolen", LATER)
    moved = move(ready(), ClaimRequest(C), "user:ann", LATER)
    assert [each.targets_to_clear for each in (released, revoked, moved)] == [(A, B)] * 3
    assert {each.standby for each in (released, revoked, moved)} == {None}
    assert move(ready(), ClaimRequest(B), "user:ann", LATER).targets_to_clear == (A,)


def configured() -> Device:
    return configure(arrived(), "other", None, LATER)


@pytest.mark.parametrize("device", [configured(), fail(configured(), 2, "UNKNOWN_PROFILE", "got other", LATER)])
def test_a_device_that_is_configured_again_is_asked_to_leave_the_place_where_it_may_be_connected(
    device: Device,
) -> None:
    after = evacuate(device, A, B, ACTOR, LATER)
    assert after.standby == Standby(A, wanted=True, home=True)
    assert (after.devstate, main_lane(after), other_lanes(after)) == (State.CLAIMED, lane_to(B), ())
    there = commission(after, after.generation, "b.example", LATER)
    assert (there.needs_commissioner, main_lane(there)) == (True, lane_to(A))
    changed = replace(device, target=B, standby=Standby(A, StandbyStatus.ACTIVE, home=True))
    back = come_back(changed, A, LATER)
    assert back.standby == Standby(B, wanted=True, leaving=True)
    assert main_lane(commission(back, back.generation, "a.example", LATER, B)) == lane_to(B)
