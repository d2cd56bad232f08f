"""Suspicion, quarantine, and what follows after either: which certificates are active where."""

from dataclasses import replace

import pytest

from lobby.domain import presence, transitions
from lobby.domain.commissioner_transitions import commission, may_be_active_in, retire
from lobby.domain.connections import quarantine
from lobby.domain.connections.clones import CLONE_SUSPECTED, LOBBY, Signal, Suspicion
from lobby.domain.connections.deactivation_reasons import QUARANTINED
from lobby.domain.device import Device, PresenceProof
from lobby.domain.lanes.lane import LOBBY as LOBBY_LANE
from lobby.domain.lanes.lane import has_part, lane_to, main_lane
from lobby.domain.states import ADMITTED_STATES, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.names import CampaignName
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, T, arrived, claimed, commissioned, inlobby, knocking

LATER = "2026-11-22T13:00:00.000Z"
FOUND = Suspicion(Signal.TAKEOVERS, T, LOBBY, ("192.0.2.1", "198.51.100.7"))


def proving() -> Device:
    return transitions.claim(inlobby(), CERTID, ClaimRequest(A, presence=True), "user:ann", T)


ADMITTED = [knocking, inlobby, proving, claimed, commissioned, arrived]


@pytest.mark.parametrize("device", ADMITTED)
def test_a_suspicion_is_a_flag_with_which_the_device_works_on(device: type) -> None:
    before = device()
    after = quarantine.suspect(before, FOUND)
    assert after == replace(before, suspicion=FOUND)
    assert after.is_suspected
    assert after.route() == before.route()
    again = replace(FOUND, at=LATER)
    assert quarantine.suspect(after, again) == after


def test_a_dismissed_suspicion_is_replaced_by_new_evidence() -> None:
    dismissed = quarantine.dismiss(quarantine.suspect(arrived(), FOUND), LATER)
    assert not dismissed.is_suspected
    assert dismissed.suspicion is not None
    assert dismissed.suspicion.dismissed == LATER
    assert quarantine.dismiss(dismissed, "2026-11-22T14:00:00.000Z") == dismissed
    assert quarantine.suspect(dismissed, FOUND).is_suspected


def test_a_device_that_was_never_suspected_cannot_be_dismissed() -> None:
    with pytest.raises(Conflict, match="want a device whose certificate") as conflict:
        quarantine.dismiss(arrived(), T)
    assert conflict.value.code == "NOT_SUSPECTED"


@pytest.mark.parametrize("device", ADMITTED)
def test_a_quarantined_device_gets_no_route_and_keeps_its_claim(device: type) -> None:
    before = device()
    quarantined = quarantine.quarantine(before, "why", LATER, FOUND)
    assert quarantined.devstate is State.QUARANTINED
    assert (quarantined.target, quarantined.profile, quarantined.config) == (
        before.target,
        before.profile,
        before.config,
    )
    assert (quarantined.reason, quarantined.message, quarantined.suspicion) == (CLONE_SUSPECTED, "why", FOUND)
    assert quarantined.route() is None
    assert quarantined.presence_challenge() is None
    assert quarantined.generation == before.generation + 1
    assert quarantined.needs_commissioner
    assert has_part(quarantined, LOBBY_LANE)
    assert quarantine.quarantine(quarantined, "again", T) == quarantined


def test_a_quarantine_clears_every_target_in_which_the_certificate_may_be_active() -> None:
    moved = transitions.move(arrived(), ClaimRequest(B), "user:ann", T)
    quarantined = quarantine.quarantine(moved, "why", LATER)
    assert set(quarantined.targets_to_clear) == {A, B}
    assert quarantined.reason == QUARANTINED
    assert {has_part(quarantined, lane_to(place)) for place in (A, B)} == {True}
    assert may_be_active_in(quarantined, B)
    cleared = retire(retire(quarantined, quarantined.generation, A), quarantined.generation, B)
    assert not may_be_active_in(cleared, B)
    assert cleared.needs_commissioner is False or main_lane(cleared) == LOBBY_LANE


def test_a_target_that_cannot_be_cleared_is_the_reason_until_it_is() -> None:
    quarantined = quarantine.quarantine(arrived(), "why", LATER, FOUND)
    failed = retire(quarantined, quarantined.generation, A, "TARGET_ROLE_DENIED", "denied")
    assert (failed.reason, failed.message) == ("TARGET_ROLE_DENIED", "why; TARGET_ROLE_DENIED: denied")
    again = transitions.retry(failed, LATER)
    assert (again.devstate, again.reason, again.message) == (State.QUARANTINED, CLONE_SUSPECTED, "why")
    assert retire(again, again.generation, A).reason == CLONE_SUSPECTED


@pytest.mark.parametrize(
    ("device", "state"),
    [
        (knocking, State.INLOBBY),
        (inlobby, State.INLOBBY),
        (proving, State.PROVING),
        (claimed, State.CLAIMED),
        (commissioned, State.CLAIMED),
        (arrived, State.CLAIMED),
    ],
)
def test_a_lifted_device_continues_with_its_claim(device: type, state: State) -> None:
    lifted = quarantine.lift(quarantine.quarantine(device(), "why", T, FOUND), LATER)
    assert lifted.devstate is state
    assert lifted.reactivate
    assert lifted.needs_commissioner
    assert not lifted.is_suspected
    assert lifted.reason in (None, presence.NOT_SHOWN)
    assert lifted.target == device().target
    assert lifted.target not in lifted.targets_to_clear


def test_the_campaign_of_a_quarantine_does_not_lift_it() -> None:
    quarantined = replace(quarantine.quarantine(arrived(), "why", T), campaign=CampaignName("copies"))
    assert quarantine.lift(quarantined, LATER).campaign is None


def test_the_certificate_is_activated_in_the_lobby_while_a_former_target_does_not_answer() -> None:
    quarantined = quarantine.quarantine(replace(inlobby(), targets_to_clear=(B,)), "why", T)
    lifted = quarantine.lift(quarantined, LATER)
    assert main_lane(lifted) == lane_to(B)
    assert has_part(lifted, LOBBY_LANE)
    done = retire(lifted, lifted.generation, B)
    assert not done.reactivate


def test_the_certificate_is_active_when_a_lifted_device_is_commissioned() -> None:
    lifted = quarantine.lift(quarantine.quarantine(arrived(), "why", T), LATER)
    assert not commission(lifted, lifted.generation, "a.example", LATER).reactivate


def test_a_claim_that_wrong_codes_drop_still_activates_the_certificate() -> None:
    lifted = quarantine.lift(quarantine.quarantine(proving(), "why", T), LATER)
    assert lifted.presence_proof is PresenceProof.WANTED
    tried = replace(lifted, failed_codes=presence.MAX_WRONG_CODES - 1)
    dropped = presence.mismatch(tried, tried.generation, LATER)
    assert (dropped.devstate, dropped.needs_commissioner, dropped.reactivate) == (State.INLOBBY, True, True)


def test_a_quarantined_device_can_be_revoked_and_then_not_be_lifted() -> None:
    quarantined = quarantine.quarantine(arrived(), "why", T, FOUND)
    revoked = transitions.revoke(quarantine.lift(quarantined, LATER), CERTID, "stolen", LATER)
    assert (revoked.devstate, revoked.reactivate, revoked.reason) == (State.REVOKED, False, "REVOKED")
    with pytest.raises(Conflict, match="revocation is final"):
        quarantine.lift(transitions.revoke(quarantined, CERTID, "stolen", LATER), LATER)


@pytest.mark.parametrize(
    "change",
    [
        lambda device: transitions.release(device, T),
        lambda device: transitions.move(device, ClaimRequest(B), "user:ann", T),
        lambda device: transitions.configure(device, None, "new", T),
        lambda device: transitions.claim(device, CERTID, ClaimRequest(B), "user:ann", T),
        lambda device: quarantine.dismiss(device, T),
        lambda device: quarantine.suspect(device, FOUND),
    ],
)
def test_a_quarantined_device_cannot_be_used(change: type) -> None:
    quarantined = quarantine.quarantine(arrived(), "why", T)
    with pytest.raises(Conflict) as conflict:
        change(quarantined)
    assert conflict.value.code == "QUARANTINED"


def test_only_devices_with_an_active_certificate_are_quarantined() -> None:
    expected = transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    assert expected.devstate not in ADMITTED_STATES
    with pytest.raises(Conflict) as conflict:
        quarantine.quarantine(expected, "why", T)
    assert conflict.value.code == "NOT_ALLOWED"


def test_a_reason_of_the_suspicion_stays_when_a_former_target_is_cleared() -> None:
    suspected = replace(quarantine.suspect(arrived(), FOUND), reason=CLONE_SUSPECTED, targets_to_clear=(B,))
    assert retire(suspected, suspected.generation, B).reason == CLONE_SUSPECTED
