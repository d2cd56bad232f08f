"""The proof of presence, decided: who has to give one, what each code makes of a device, and no way around it."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lobby.domain import presence, transitions
from lobby.domain.commissioner_transitions import arrive, commission, retire
from lobby.domain.device import Device, PresenceProof
from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.items import attributes_of, device_of_image
from lobby.ledger.models import LISTED, LedgerRow
from lobby.names import Fingerprint, PresenceCode, Region, ThingName, parse_code, parse_target
from lobby.wire import PresenceChallenge

CERTID = Fingerprint("ab" * 32)
HERE = Region("eu-west-1")
A, B, C = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))
WHO = Identity(CERTID, ThingName("sensor-1"), "PEM")
T = "2026-11-22T12:00:00.000Z"
SOON, LATER = "2026-11-22T12:09:59.999Z", "2026-11-22T12:10:00.000Z"
CODE = PresenceCode("48291375")
BOUND = ClaimRequest(A, presence=True)
HOSTILE_CODES = [
    "",
    " ",
    "4829137",
    "482913755",
    "4829137a",
    "４８２９１３７５",
    "٤٨٢٩١٣٧٥",
    "48291375\x00",
    "+4829137",
    "-4829137 ",
    "0x48291375",
    "4829 1375 0",
    "48291375; drop",
    "48.291.375",
    "4" * 1_000_000,
    " " * 1_000_000,
    None,
    48291375,
    48291375.0,
    True,
    b"48291375",
    ["48291375"],
    {"code": "48291375"},
]


def inlobby(*, shows: bool | None = True) -> Device:
    return transitions.hello(transitions.admit(None, WHO, HERE, T), T, None, shows)


def proving(claim: ClaimRequest = BOUND, *, shows: bool | None = True) -> Device:
    return with_code(transitions.claim(inlobby(shows=shows), CERTID, claim, "user:ann", T))


def with_code(device: Device, code: PresenceCode = CODE) -> Device:
    asked = presence.with_code(device, lambda: code)
    assert asked is not None
    return asked


def confirmed() -> Device:
    return presence.confirm(proving(), 1, T)


def arrived(claim: ClaimRequest = BOUND) -> Device:
    claimed = confirmed() if claim.presence else transitions.claim(inlobby(), CERTID, claim, "user:ann", T)
    return arrive(commission(claimed, claimed.generation, "a.example", T), T)


def dropped() -> Device:
    device = proving()
    for _ in range(presence.MAX_WRONG_CODES):
        device = presence.mismatch(device, device.generation, T)
    return device


@pytest.mark.parametrize("text", ["48291375", "4829 1375", "4829-1375", " 48291375\n", "4 8 2 9 1 3 7 5"])
def test_a_code_is_parsed_in_every_notation(text: str) -> None:
    assert parse_code(text) == CODE


@pytest.mark.parametrize("text", HOSTILE_CODES, ids=lambda text: repr(text)[:24])
def test_an_invalid_code_is_rejected_without_being_quoted(text: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_code(text)
    assert refused.value.code == "INVALID_CODE"
    assert "want the 8 digits" in refused.value.message
    assert len(refused.value.message) < 120
    assert "4829" not in refused.value.message


def test_codes_are_eight_random_digits() -> None:
    codes = [presence.new_code() for _ in range(200)]
    assert all(re.fullmatch("[0-9]{8}", code) for code in codes)
    assert len(set(codes)) > 190


def test_a_claim_that_requires_proof_waits_with_a_code_and_is_not_registered() -> None:
    device = proving()
    assert (device.devstate, device.target, device.presence_proof) == (State.PROVING, A, PresenceProof.WANTED)
    assert (device.code, device.failed_codes, device.needs_commissioner, device.iotep) == (CODE, 0, True, None)
    assert device.presence_challenge() == PresenceChallenge(CODE, 1)
    assert device.route() is None


def test_an_expected_device_proves_presence_after_its_admission() -> None:
    expected = transitions.claim(None, CERTID, BOUND, "user:ann", T)
    assert (expected.devstate, expected.presence_proof, expected.code) == (State.EXPECTED, PresenceProof.WANTED, None)
    device = transitions.admit(expected, WHO, HERE, T)
    assert (device.devstate, device.needs_commissioner, device.target) == (State.PROVING, False, A)
    assert with_code(device).code == CODE


def test_a_device_that_was_refused_meanwhile_still_has_to_prove_presence() -> None:
    expected = transitions.claim(None, CERTID, BOUND, "user:ann", T)
    refused = transitions.refuse(expected, CERTID, WHO.name, HERE, "CRL_STALE", "old", T)
    assert transitions.admit(refused, WHO, HERE, T).devstate is State.PROVING


def test_only_the_device_s_code_is_right() -> None:
    assert presence.is_right(proving(), CODE)
    assert not presence.is_right(proving(), PresenceCode("48291376"))
    assert not presence.is_right(replace(proving(), code=None), CODE)


def test_the_right_code_needs_the_commissioner_and_is_removed() -> None:
    device = confirmed()
    assert (device.devstate, device.needs_commissioner, device.presence_proof) == (
        State.CLAIMED,
        True,
        PresenceProof.GIVEN,
    )
    assert (device.code, device.failed_codes, device.generation) == (None, 0, 1)
    assert (device.target, device.claimedby) == (A, "user:ann")


def test_wrong_codes_are_counted_and_the_fifth_drops_the_claim() -> None:
    device = proving()
    for tries in range(1, presence.MAX_WRONG_CODES):
        device = presence.mismatch(device, 1, T)
        assert (device.devstate, device.failed_codes, device.code) == (State.PROVING, tries, CODE)
        assert (presence.wrong_code(device).code, f"left: {5 - tries}" in presence.wrong_code(device).message) == (
            "WRONG_CODE",
            True,
        )
    device = presence.mismatch(device, 1, T)
    assert (device.devstate, device.reason, device.target, device.code) == (
        State.INLOBBY,
        "PRESENCE_FAILED",
        None,
        None,
    )
    assert (device.presence_proof, device.claimedby, device.needs_commissioner, device.generation) == (
        None,
        None,
        False,
        2,
    )
    assert presence.wrong_code(device).code == "PRESENCE_FAILED"


@pytest.mark.parametrize("say", [presence.confirm, presence.mismatch])
def test_a_code_for_an_earlier_claim_is_rejected(say: Callable[[Device, int, str], Device]) -> None:
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        say(transitions.retry(proving(), T), 1, T)


@pytest.mark.parametrize("device", [inlobby(), dropped(), confirmed(), arrived(), transitions.release(arrived(), T)])
def test_a_code_is_rejected_if_none_is_expected(device: Device) -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        presence.is_right(device, CODE)


def test_after_wrong_codes_only_a_claim_that_requires_proof_has_to_wait() -> None:
    with pytest.raises(Conflict, match=r"PRESENCE_FAILED.*after 2026-11-22T12:10:00Z"):
        transitions.claim(dropped(), CERTID, BOUND, "user:ann", SOON)
    assert transitions.claim(dropped(), CERTID, BOUND, "user:ann", LATER).devstate is State.PROVING
    assert transitions.claim(dropped(), CERTID, ClaimRequest(B), "user:bob", SOON).devstate is State.CLAIMED


def test_the_reason_of_a_dropped_claim_stays_when_older_targets_are_cleared() -> None:
    device = replace(dropped(), targets_to_clear=(B,), needs_commissioner=True)
    cleared = retire(device, device.generation, B)
    assert (cleared.reason, cleared.needs_commissioner, cleared.targets_to_clear) == ("PRESENCE_FAILED", False, ())


@pytest.mark.parametrize("shows", [None, False])
def test_a_device_that_cannot_show_a_code_gets_no_challenge(shows: bool | None) -> None:
    device = proving(shows=shows)
    assert device.presence_challenge() is None
    assert not device.needs_commissioner


def test_the_row_has_a_reason_while_the_client_cannot_show_codes() -> None:
    blind = proving(shows=False)
    assert (blind.reason, "update it" in (blind.message or "")) == ("CODE_NOT_SHOWN", True)
    seeing = presence.record_shows_code(blind, True)
    assert (seeing.reason, seeing.message, seeing.code, seeing.presence_challenge()) == (
        None,
        None,
        CODE,
        PresenceChallenge(CODE, 1),
    )
    assert presence.record_shows_code(seeing, False).reason == "CODE_NOT_SHOWN"
    assert presence.record_shows_code(inlobby(shows=None), False) == inlobby(shows=False)


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


def test_a_target_to_clear_stays_so_while_a_claim_for_it_is_unproven() -> None:
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
        assert device_of_image(row.serialize()) == device


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
