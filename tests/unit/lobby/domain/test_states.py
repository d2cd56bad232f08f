"""The state table: complete, every state reachable, and no way out of revoked."""

import itertools

import pytest

from lobby.domain.states import (
    ABSENT,
    AT_ONCE,
    OPERATOR_EVENTS,
    SPENT,
    TRANSITIONS,
    UNPROVEN,
    Event,
    State,
    allowed_events,
    next_state,
)
from lobby.errors import Conflict

EVERY_STATE = [ABSENT, *State]
CODES = {"REVOKED", "QUARANTINED", "TRANSFERRED", "ALREADY_CLAIMED", "NOT_ALLOWED"}


@pytest.mark.parametrize(("state", "event"), [*itertools.product(EVERY_STATE, Event)])
def test_an_event_is_either_listed_for_a_state_or_a_conflict(state: State | None, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) in EVERY_STATE
        return
    with pytest.raises(Conflict) as conflict:
        next_state(state, event)
    assert conflict.value.code in CODES
    assert event in conflict.value.message or "claim" in conflict.value.message
    assert "want" in conflict.value.message


@pytest.mark.parametrize(
    ("state", "event", "code"),
    [
        (State.EXPECTED, Event.CLAIM, "ALREADY_CLAIMED"),
        (State.CLAIMED, Event.CLAIM, "ALREADY_CLAIMED"),
        (State.ARRIVED, Event.CLAIM, "ALREADY_CLAIMED"),
        (State.FAILED, Event.CLAIM, "ALREADY_CLAIMED"),
        (State.PROVING, Event.CLAIM, "ALREADY_CLAIMED"),
        (State.PROVING, Event.COMMISSION, "NOT_ALLOWED"),
        (State.INLOBBY, Event.CONFIRM, "NOT_ALLOWED"),
        (State.REVOKED, Event.CONFIRM, "REVOKED"),
        (State.REFUSED, Event.CLAIM, "NOT_ALLOWED"),
        (State.REVOKED, Event.CLAIM, "REVOKED"),
        (State.REVOKED, Event.ADMIT, "REVOKED"),
        (State.REVOKED, Event.REVOKE, "REVOKED"),
        (State.REVOKED, Event.QUARANTINE, "REVOKED"),
        (State.QUARANTINED, Event.ADMIT, "QUARANTINED"),
        (State.QUARANTINED, Event.CLAIM, "QUARANTINED"),
        (State.TRANSFERRED, Event.CLAIM, "TRANSFERRED"),
        (State.QUARANTINED, Event.TRANSFER, "QUARANTINED"),
        (State.REVOKED, Event.OFFER, "REVOKED"),
        (State.INLOBBY, Event.ACCEPT, "NOT_ALLOWED"),
        (ABSENT, Event.MOVE, "NOT_ALLOWED"),
        (State.INLOBBY, Event.RELEASE, "NOT_ALLOWED"),
        (State.FAILED, Event.COMMISSION, "NOT_ALLOWED"),
        (State.INLOBBY, Event.ARRIVE, "NOT_ALLOWED"),
    ],
)
def test_a_forbidden_event_has_its_stable_code(state: State | None, event: Event, code: str) -> None:
    with pytest.raises(Conflict) as conflict:
        next_state(state, event)
    assert conflict.value.code == code


def test_every_state_can_be_reached() -> None:
    reached: set[State | None] = {ABSENT}
    ways = [*TRANSITIONS.items(), *UNPROVEN.items(), *SPENT.items(), *AT_ONCE.items()]
    while True:
        more = {to for (source, _), to in ways if source in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(EVERY_STATE)


def test_no_event_leads_out_of_revoked() -> None:
    assert {to for (source, _), to in TRANSITIONS.items() if source is State.REVOKED} == {State.REVOKED}


def test_only_releasing_an_expected_device_removes_the_row() -> None:
    assert [pair for pair, to in TRANSITIONS.items() if to is ABSENT] == [(State.EXPECTED, Event.RELEASE)]


def test_only_claimed_devices_are_commissioned() -> None:
    """An arrived device that falls back, or goes to its standby by itself, was commissioned before."""
    leading = {pair for pair, to in TRANSITIONS.items() if to is State.COMMISSIONED and pair[0] is not to}
    assert leading == {
        (State.CLAIMED, Event.COMMISSION),
        (State.ARRIVED, Event.HELLO),
        (State.ARRIVED, Event.STANDBY),
    }


def test_a_device_admitted_with_a_claim_is_claimed() -> None:
    assert next_state(State.REFUSED, Event.ADMIT, claimed=True) is State.CLAIMED
    assert next_state(State.REFUSED, Event.ADMIT) is State.KNOCKING
    assert next_state(State.EXPECTED, Event.ADMIT, claimed=True) is State.CLAIMED


def test_transitions_with_a_pending_or_failed_proof_are_in_the_table() -> None:
    assert {*UNPROVEN, *SPENT} <= set(TRANSITIONS)
    assert {to for (source, event), to in TRANSITIONS.items() if (source, event) in UNPROVEN} <= {
        State.CLAIMED,
        State.KNOCKING,
        State.INLOBBY,
    }


@pytest.mark.parametrize(("state", "event"), sorted(UNPROVEN, key=str))
def test_a_claim_that_requires_proof_is_never_claimed_without_it(state: State, event: Event) -> None:
    assert next_state(state, event, claimed=True, unproven=True) is State.PROVING
    assert next_state(state, event, claimed=True) is State.CLAIMED


def test_only_confirm_or_move_leads_from_proving_to_claimed() -> None:
    leading = {event for (state, event), to in TRANSITIONS.items() if state is State.PROVING and to is State.CLAIMED}
    assert leading == {Event.CONFIRM, Event.MOVE}


@pytest.mark.parametrize("state", EVERY_STATE)
def test_the_offered_actions_are_the_allowed_events(state: State | None) -> None:
    offered = allowed_events(state, unfinished=True, suspected=True)
    assert set(offered) == {event for event in OPERATOR_EVENTS if (state, event) in TRANSITIONS}


def test_only_a_suspicion_can_be_dismissed() -> None:
    assert Event.DISMISS not in allowed_events(State.ARRIVED)
    assert Event.DISMISS in allowed_events(State.ARRIVED, suspected=True)
    assert Event.DISMISS not in allowed_events(State.QUARANTINED, suspected=True)


def test_retry_is_offered_only_with_work_left() -> None:
    assert Event.RETRY not in allowed_events(State.INLOBBY)
    assert Event.RETRY in allowed_events(State.INLOBBY, unfinished=True)
    assert Event.RETRY in allowed_events(State.FAILED)
    assert Event.RETRY in allowed_events(State.ARRIVED)


def test_a_refused_device_is_released_only_with_a_claim() -> None:
    assert Event.RELEASE in allowed_events(State.REFUSED)
    assert allowed_events(State.REFUSED, claimed=False) == (Event.RETRY, Event.REVOKE)


@pytest.mark.parametrize(("state", "event"), sorted(AT_ONCE, key=str))
def test_only_a_device_that_is_ready_in_the_standby_goes_there_immediately(state: State, event: Event) -> None:
    assert next_state(state, event, at_once=True) is State.COMMISSIONED
    assert next_state(state, event) is State.CLAIMED
    assert next_state(State.FAILED, event, at_once=True) is State.CLAIMED
