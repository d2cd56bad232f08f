"""Claims that require proof of presence: retry, release, move and the stored row."""

from dataclasses import replace

import pytest

from lobby.domain import presence, transitions
from lobby.domain.device import Device, PresenceProof
from lobby.domain.lanes.lane import turn_of
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.indexes import LISTED
from lobby.ledger.items import attributes_of, device_of_image
from lobby.ledger.models import LedgerRow
from lobby.names import PresenceCode
from lobby.wire import PresenceChallenge
from tests.unit.lobby.domain.proving_devices import (
    BOUND,
    CERTID,
    CODE,
    A,
    B,
    C,
    T,
    arrived,
    confirmed,
    dropped,
    proving,
    with_code,
)


def test_a_retry_gives_a_new_code_but_no_additional_attempts() -> None:
    tried = presence.mismatch(proving(), 1, T)
    again = transitions.retry(tried, T)
    assert (again.devstate, again.code, again.failed_codes, again.generation, again.needs_commissioner) == (
        State.PROVING,
        None,
        1,
        2,
        True,
    )
    code = PresenceCode("00000000")
    assert with_code(again, code).presence_challenge() == PresenceChallenge(code, 2)


def test_releasing_or_revoking_a_proving_device_leaves_nothing_to_clear() -> None:
    released = transitions.release(proving(), T)
    assert released is not None
    assert (released.devstate, released.targets_to_clear, released.code, released.presence_proof) == (
        State.INLOBBY,
        (),
        None,
        None,
    )
    revoked = transitions.revoke(proving(), CERTID, "stolen", T)
    assert (revoked.devstate, revoked.targets_to_clear, revoked.code) == (State.REVOKED, (), None)


def test_a_target_stays_to_be_cleared_while_a_claim_for_it_is_unproven() -> None:
    left = transitions.release(arrived(), T)
    device = with_code(transitions.claim(left, CERTID, BOUND, "user:ann", T))
    assert (device.devstate, device.targets_to_clear, device.needs_commissioner) == (State.PROVING, (A,), True)
    assert presence.confirm(device, device.generation, T).targets_to_clear == ()


def test_repeating_a_claim_changes_nothing_and_another_claim_is_rejected() -> None:
    device = proving()
    assert transitions.claim(device, CERTID, BOUND, "user:bob", T) is device
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        transitions.claim(device, CERTID, ClaimRequest(B, presence=True), "user:bob", T)


@pytest.mark.parametrize(
    ("device", "claim", "state"),
    [
        (arrived(), ClaimRequest(B, presence=True), State.CLAIMED),
        (arrived(ClaimRequest(C)), ClaimRequest(B), State.CLAIMED),
        (arrived(ClaimRequest(C)), ClaimRequest(C, "cam", presence=True), State.CLAIMED),
        (proving(), ClaimRequest(B), State.CLAIMED),
        (proving(), ClaimRequest(A), State.CLAIMED),
        (transitions.claim(None, CERTID, BOUND, "user:ann", T), ClaimRequest(B), State.EXPECTED),
        (transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T), BOUND, State.EXPECTED),
    ],
    ids=["was proven", "none wanted", "stays, wanted since", "to where none is", "wanted no more", "freed", "bound"],
)
def test_a_move_without_a_pending_proof_is_allowed(device: Device, claim: ClaimRequest, state: State) -> None:
    moved = transitions.move(device, claim, "user:ann", T)
    assert (moved.devstate, moved.target, moved.needs_commissioner) == (state, claim.target, state is State.CLAIMED)
    owed = PresenceProof.WANTED if claim.presence and state is State.EXPECTED else None
    assert moved.presence_proof is (PresenceProof.GIVEN if device.presence_proof is PresenceProof.GIVEN else owed)
    assert moved.code is None


@pytest.mark.parametrize(
    ("device", "claim"),
    [
        (arrived(ClaimRequest(C)), ClaimRequest(B, presence=True)),
        (proving(), ClaimRequest(B, presence=True)),
        (proving(), ClaimRequest(A, "cam", presence=True)),
        (replace(arrived(ClaimRequest(C)), devstate=State.FAILED), ClaimRequest(B, presence=True)),
    ],
    ids=["never proven", "elsewhere while proving", "another profile while proving", "failed elsewhere"],
)
def test_a_move_cannot_replace_the_proof(device: Device, claim: ClaimRequest) -> None:
    with pytest.raises(Conflict, match=r"PRESENCE_REQUIRED.*release the device"):
        transitions.move(device, claim, "user:ann", T)


def test_repeating_a_move_changes_nothing() -> None:
    for device, claim in (
        (proving(), BOUND),
        (arrived(ClaimRequest(C)), ClaimRequest(C, presence=True)),
        (arrived(), ClaimRequest(A)),
    ):
        assert transitions.move(device, claim, "user:ann", T) is device


def test_the_proof_is_stored_in_the_row() -> None:
    for device in (proving(), presence.mismatch(proving(), 1, T), confirmed(), dropped(), proving(shows=False)):
        row = LedgerRow(**attributes_of(device))
        assert device_of_image(row.serialize()) == replace(device, turn=turn_of(device))


def test_a_row_older_than_the_proof_requires_none() -> None:
    kept = {
        name: value for name, value in attributes_of(arrived()).items() if name not in ("presence_proof", "shows_code")
    }
    older = device_of_image(LedgerRow(**kept).serialize())
    assert (older.presence_proof, older.code, older.failed_codes, older.shows_code) == (None, None, 0, None)
    assert {"presence_proof", "code", "failed_codes", "shows_code"}.isdisjoint(attributes_of(older))


def test_no_index_and_no_repr_contains_the_code() -> None:
    assert "code" not in LISTED
    assert CODE not in repr(proving())
