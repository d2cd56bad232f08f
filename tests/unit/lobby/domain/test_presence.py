"""Proof of presence: which claims need it, and the effects of right and wrong codes."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lobby.domain import presence, transitions
from lobby.domain.commissioner_transitions import retire
from lobby.domain.device import Device, PresenceProof
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput
from lobby.names import CampaignName, PresenceCode, parse_code
from lobby.wire import PresenceChallenge
from tests.unit.lobby.domain.proving_devices import (
    BOUND,
    CERTID,
    CODE,
    HERE,
    LATER,
    SOON,
    WHO,
    A,
    B,
    T,
    arrived,
    confirmed,
    dropped,
    inlobby,
    proving,
    with_code,
)

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


def test_a_claim_that_wrong_codes_drop_is_no_longer_its_campaigns() -> None:
    last = replace(proving(), campaign=CampaignName("claims"), failed_codes=presence.MAX_WRONG_CODES - 1)
    assert presence.mismatch(last, 1, T).campaign is None


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


@pytest.mark.parametrize("enter", [presence.confirm, presence.mismatch])
def test_a_code_for_an_earlier_claim_is_rejected(enter: Callable[[Device, int, str], Device]) -> None:
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        enter(transitions.retry(proving(), T), 1, T)


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
