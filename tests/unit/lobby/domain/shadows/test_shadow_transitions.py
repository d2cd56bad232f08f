"""The choice of what a move does with shadows: its text, from which target they are copied, and when it is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.commissioner_transitions import commission, fail, retire
from lobby.domain.device import Device
from lobby.domain.shadows.shadow_choices import (
    NOT_MIGRATED,
    ShadowChoice,
    ShadowOutcome,
    Shadows,
    named,
    parse_choice,
    parse_shadows,
)
from lobby.domain.shadows.shadow_transitions import choose, choose_return, keeps_thing
from lobby.domain.standby.standby import Standby, StandbyStatus
from lobby.domain.standby.standby_transitions import come_back, evacuate
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest, claim, configure, move, release, retry, revoke
from lobby.errors import Conflict, InvalidInput
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, C, T, arrived, claimed, commissioned

LATER = "2026-11-23T12:00:00.000Z"
LEAVE, MIGRATE, RESET = ShadowChoice
SILENT = ShadowOutcome("shadows: not migrated", "TARGET_UNREACHABLE", f"moved without its shadows, which are in {A}")


def moved(device: Device, choice: ShadowChoice, goal: object = B, at: str = T) -> Device:
    return choose(device, move(device, ClaimRequest(goal), "user:ann", at), choice, at)  # type: ignore[arg-type]


def in_b(outcome: ShadowOutcome | None = None, choice: ShadowChoice = MIGRATE) -> Device:
    waiting = moved(arrived(), choice)
    return commission(waiting, waiting.generation, "b.example", T, shadows=outcome)


CODES = st.sampled_from([None, "X"])


@given(st.builds(Shadows, st.sampled_from(ShadowChoice), st.just(T), st.sampled_from([None, A]), CODES))
def test_its_text_has_everything(shadows: Shadows) -> None:
    assert parse_shadows(str(shadows)) == shadows


@pytest.mark.parametrize("text", ["", "migrate", f"keep|{T}||", f"migrate|{T}|1/2|", f"migrate|{T}|{A}||"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_shadows(text)


@pytest.mark.parametrize("value", ["", "MIGRATE", "copy", None, 7, ["migrate"]])
def test_another_choice_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_choice(value)
    assert error.value.code == "INVALID_SHADOWS"


@pytest.mark.parametrize(
    ("why", "choice", "text"),
    [
        (None, None, None),
        ("Region up", None, "Region up"),
        (None, RESET, "shadows: reset"),
        ("Region up", MIGRATE, "Region up; shadows: migrate"),
    ],
)
def test_the_entry_names_the_choice(why: str | None, choice: ShadowChoice | None, text: str | None) -> None:
    assert named(why, choice) == text


@pytest.mark.parametrize("device", [arrived, commissioned])
def test_shadows_are_copied_from_the_target_where_the_device_is(device: object) -> None:
    row = device()  # type: ignore[operator]
    assert moved(row, MIGRATE).shadows == Shadows(MIGRATE, T, A)
    assert moved(row, RESET).shadows == Shadows(RESET, T, A)
    assert moved(row, LEAVE) == move(row, ClaimRequest(B), "user:ann", T)


def test_a_move_on_copies_from_where_the_device_was_last_registered() -> None:
    waiting = moved(arrived(), MIGRATE)
    failed = fail(waiting, waiting.generation, "TARGET_LIMIT", "full", T)
    for row in (waiting, failed):
        assert moved(row, MIGRATE, C).shadows == Shadows(MIGRATE, T, A)
        assert moved(row, MIGRATE, A).shadows is None
        assert moved(row, RESET, C).shadows == Shadows(RESET, T, A)
    assert moved(moved(arrived(), RESET), MIGRATE, C).shadows == Shadows(MIGRATE, T, A)


def test_a_copy_is_refused_if_it_is_not_known_where_the_shadows_are() -> None:
    waiting = moved(arrived(), LEAVE)
    evacuated = evacuate(replace(arrived(), standby=Standby(B)), A, B, "user:ann", T)
    for row in (waiting, evacuated):
        with pytest.raises(Conflict) as error:
            moved(row, MIGRATE, C)
        assert error.value.code == "SHADOWS_UNKNOWN"
        assert moved(row, RESET, C).shadows == Shadows(RESET, T)


def test_a_reset_where_the_device_may_be_is_refused() -> None:
    waiting = moved(arrived(), MIGRATE)
    for row in (waiting, moved(arrived(), LEAVE)):
        with pytest.raises(Conflict) as error:
            moved(row, RESET, A)
        assert error.value.code == "SHADOWS_IN_USE"
    with pytest.raises(Conflict):
        choose(arrived(), move(arrived(), ClaimRequest(A, "camera"), "user:ann", T), RESET, T)


def test_a_device_that_never_was_in_a_target_has_nothing_to_copy() -> None:
    expected = claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    assert moved(expected, MIGRATE).shadows is None
    assert moved(expected, RESET).shadows == Shadows(RESET, T)
    assert moved(claimed(), MIGRATE).shadows == Shadows(MIGRATE, T, A)


def test_a_move_that_was_carried_out_is_not_repeated() -> None:
    row = in_b(ShadowOutcome("shadows: 1 of 1 migrated"))
    assert row.shadows is None
    for choice in ShadowChoice:
        assert moved(row, choice) == row


def test_a_move_that_waits_takes_another_choice() -> None:
    waiting = moved(arrived(), MIGRATE)
    assert moved(waiting, MIGRATE, at=LATER) == waiting
    again = moved(waiting, LEAVE, at=LATER)
    assert (again.shadows, again.generation, again.target) == (None, waiting.generation + 1, B)
    failed = fail(waiting, waiting.generation, "TARGET_PERMISSION_MISSING", "old role", T)
    continued = moved(failed, RESET, at=LATER)
    assert (continued.shadows, continued.devstate) == (Shadows(RESET, LATER, A), State.CLAIMED)
    assert (continued.reason, continued.needs_commissioner) == (None, True)


def test_another_claim_discards_the_choice() -> None:
    waiting = moved(arrived(), MIGRATE)
    released = release(waiting, T)
    assert released is not None
    for after in (released, revoke(waiting, CERTID, "stolen", T), move(waiting, ClaimRequest(C), "user:ann", T)):
        assert after.shadows is None


def test_the_choice_stays_until_the_device_is_commissioned() -> None:
    waiting = moved(arrived(), MIGRATE)
    failed = fail(waiting, waiting.generation, "TARGET_LIMIT", "full", T)
    for row in (failed, retry(failed, LATER), configure(waiting, "camera", None, LATER)):
        assert row.shadows == Shadows(MIGRATE, T, A)


def test_a_copy_that_the_old_target_prevented_stays_on_the_row_until_its_retry() -> None:
    row = in_b(SILENT)
    assert (row.reason, row.message, row.shadows) == (
        NOT_MIGRATED,
        SILENT.message,
        Shadows(MIGRATE, T, A, "TARGET_UNREACHABLE"),
    )
    cleared = retire(row, row.generation, A)
    assert (cleared.targets_to_clear, cleared.reason) == ((), NOT_MIGRATED)
    assert keeps_thing(cleared, A)
    assert not keeps_thing(cleared, B)
    changed = configure(cleared, "camera", None, LATER)
    assert commission(changed, changed.generation, "b.example", LATER).shadows == row.shadows
    again = retry(cleared, LATER)
    assert again.shadows == Shadows(MIGRATE, T, A)
    done = commission(again, again.generation, "b.example", LATER, shadows=ShadowOutcome("shadows: 2 of 2 migrated"))
    assert (done.shadows, done.reason) == (None, None)


def test_a_return_takes_the_shadows_of_the_standby() -> None:
    ready = replace(arrived(), standby=Standby(B, StandbyStatus.ACTIVE, "b.example"))
    away = evacuate(ready, A, B, "user:ann", T)
    assert away.devstate is State.COMMISSIONED
    back = come_back(away, A, LATER)
    assert choose_return(away, back, MIGRATE, LATER).shadows == Shadows(MIGRATE, LATER, B)
    assert choose_return(away, back, None, LATER) == choose_return(away, back, LEAVE, LATER) == back
    never_there = evacuate(replace(arrived(), standby=Standby(B)), A, B, "user:ann", T)
    assert choose_return(never_there, come_back(never_there, A, LATER), MIGRATE, LATER).shadows is None
    assert choose_return(ready, come_back(ready, A, LATER), MIGRATE, LATER) == ready
