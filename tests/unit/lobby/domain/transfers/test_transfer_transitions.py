"""Offers, completed transfers and acceptances: what they change, in which states, and what repeating them does."""

from dataclasses import replace
from typing import Any, Final

import pytest

from lobby.domain import transitions
from lobby.domain.commissioner_transitions import may_be_active_in, retire
from lobby.domain.connections import quarantine
from lobby.domain.connections.clones import LOBBY, Signal, Suspicion
from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.lanes.lane import LOBBY as LOBBY_LANE
from lobby.domain.lanes.lane import has_part, lane_to, main_lane
from lobby.domain.states import State
from lobby.domain.transfers import transfer_transitions
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.names import Fingerprint, ThingName, parse_region
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, T, arrived, claimed, commissioned, inlobby, knocking

HERE: Final = parse_region("eu-west-1")
OFFER, OTHER = "a" * 32, "b" * 32
AT, END, AFTER = "2026-11-23T00:00:00.000Z", "2026-12-01T00:00:00.000Z", "2026-12-02T00:00:00.000Z"
OFFERED = Transfer(TransferStep.OFFERED, OFFER, "Bob", T, "user:ann", END, certificate=CERTID)
NEW: Final = Fingerprint("9" * 64)
"""A certificate that a device gets by a renewal."""
COMPLETED = Transfer(
    TransferStep.COMPLETED, OFFER, "2" * 12 + "/eu-west-1", AT, "user:eve", "", endpoint="b.example", until=AFTER
)
ACCEPTED = Transfer(TransferStep.ACCEPTED, OFFER, "1" * 12 + "/eu-west-1", AT, "user:bob", END)
IDENTITY = Identity(CERTID, ThingName("thing-1"), "-----PEM-----", "2030-01-01")


def offered(device: Device) -> Device:
    return transfer_transitions.offer(device, OFFERED, T)


def transferred(device: Device) -> Device:
    return transfer_transitions.complete(offered(device), COMPLETED, AT)


def code_of(decide: Any, *arguments: Any) -> str:
    with pytest.raises(Conflict) as conflict:
        decide(*arguments)
    return conflict.value.code


@pytest.mark.parametrize("make", [knocking, inlobby, claimed, commissioned, arrived])
def test_an_offered_device_works_on_until_the_offer_is_withdrawn(make: Any) -> None:
    before = make()
    after = offered(before)
    assert after == replace(before, transfer=OFFERED)
    assert after.route() == before.route()
    assert offered(after) == after
    assert transfer_transitions.withdraw(after, AT) == before
    assert code_of(transfer_transitions.withdraw, before, AT) == "NOT_OFFERED"


def test_a_device_has_one_open_offer_and_an_expired_one_is_replaced() -> None:
    other = replace(OFFERED, offer=OTHER, partner="Eve")
    assert code_of(transfer_transitions.offer, offered(arrived()), other, AT) == "ALREADY_OFFERED"
    assert transfer_transitions.offer(offered(arrived()), other, END).transfer == other


SUSPICION = Suspicion(Signal.TAKEOVERS, T, LOBBY)
UNFIT: Final[list[tuple[str, Device, str]]] = [
    ("suspected", replace(arrived(), suspicion=SUSPICION), "SUSPECTED"),
    ("in renewal", replace(arrived(), pending=Fingerprint("9" * 64)), "IN_RENEWAL"),
    ("with a former certificate", replace(arrived(), retiring=(Fingerprint("9" * 64),)), "IN_RENEWAL"),
    ("in quarantine", quarantine.quarantine(arrived(), "why", T), "QUARANTINED"),
    ("revoked", transitions.revoke(arrived(), CERTID, "why", T), "REVOKED"),
    ("refused", transitions.refuse(None, CERTID, None, HERE, "EXPIRED", "", T), "NOT_ALLOWED"),
    ("only expected", transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T), "NOT_ALLOWED"),
    ("proving", transitions.claim(inlobby(), CERTID, ClaimRequest(A, presence=True), "user:ann", T), "NOT_ALLOWED"),
    ("transferred already", transferred(arrived()), "TRANSFERRED"),
]


@pytest.mark.parametrize(("device", "code"), [pytest.param(*row[1:], id=row[0]) for row in UNFIT])
def test_a_device_in_another_condition_cannot_be_offered(device: Device, code: str) -> None:
    assert code_of(transfer_transitions.offer, device, replace(OFFERED, offer=OTHER), T) == code


@pytest.mark.parametrize(("device", "code"), [pytest.param(*row[1:], id=row[0]) for row in UNFIT[:6]])
def test_a_device_that_got_into_it_after_the_offer_is_not_transferred(device: Device, code: str) -> None:
    assert code_of(transfer_transitions.complete, replace(device, transfer=OFFERED), COMPLETED, AT) == code


def test_a_transferred_device_leaves_its_target_and_has_no_claim() -> None:
    gone = transferred(arrived())
    assert (gone.devstate, gone.target, gone.targets_to_clear) == (State.TRANSFERRED, None, (A,))
    assert gone.needs_commissioner
    assert gone.route() is None
    assert gone.transfer == replace(COMPLETED, offered_by="user:ann", expires=END)
    assert (main_lane(gone), has_part(gone, LOBBY_LANE)) == (lane_to(A), True)
    assert may_be_active_in(gone, A)
    cleared = retire(gone, gone.generation, A)
    assert not may_be_active_in(cleared, A)
    assert not retire(cleared, cleared.generation, None).needs_commissioner


@pytest.mark.parametrize(
    ("completed", "at", "code"),
    [
        pytest.param(replace(COMPLETED, offer=OTHER), AT, "NOT_OFFERED", id="of another offer"),
        pytest.param(COMPLETED, END, "OFFER_EXPIRED", id="after its end"),
        pytest.param(replace(COMPLETED, actor="user:ann"), AT, "SAME_USER", id="by the user who has offered it"),
    ],
)
def test_an_acceptance_that_does_not_fit_the_offer_changes_nothing(completed: Transfer, at: str, code: str) -> None:
    assert code_of(transfer_transitions.complete, offered(arrived()), completed, at) == code


def test_a_device_that_has_renewed_its_certificate_since_the_offer_is_not_transferred() -> None:
    renewed = replace(offered(arrived()), certificate=NEW)
    assert code_of(transfer_transitions.complete, renewed, COMPLETED, AT) == "CERTIFICATE_RENEWED"
    assert code_of(offered, renewed) == "CERTIFICATE_RENEWED"
    again = transfer_transitions.offer(transfer_transitions.withdraw(renewed, AT), replace(OFFERED, offer=OTHER), AT)
    assert again.transfer == replace(OFFERED, offer=OTHER, certificate=NEW)
    gone = transfer_transitions.complete(again, replace(COMPLETED, offer=OTHER), AT)
    assert gone.devstate is State.TRANSFERRED


def test_a_withdrawn_offer_cannot_be_completed() -> None:
    withdrawn = transfer_transitions.withdraw(offered(arrived()), AT)
    assert code_of(transfer_transitions.complete, withdrawn, COMPLETED, AT) == "NOT_OFFERED"


@pytest.mark.parametrize(
    "other",
    [replace(COMPLETED, offer=OTHER), replace(COMPLETED, endpoint="c.example"), replace(COMPLETED, partner="x")],
)
def test_the_first_completion_wins_and_repeating_it_changes_nothing(other: Transfer) -> None:
    gone = transferred(arrived())
    assert transfer_transitions.complete(gone, replace(COMPLETED, at=END, actor="user:joe"), AFTER) == gone
    longer = transfer_transitions.complete(gone, replace(COMPLETED, until="2030-01-01T00:00:00.000Z"), AFTER)
    assert longer.transfer is not None
    assert longer.transfer.until == "2030-01-01T00:00:00.000Z"
    assert code_of(transfer_transitions.complete, gone, other, AT) == "ALREADY_TRANSFERRED"


def test_a_completed_transfer_can_be_withdrawn_also_after_its_end() -> None:
    gone = transferred(arrived())
    for device in (gone, transfer_transitions.end(gone, AFTER)):
        back = transfer_transitions.withdraw(device, AFTER)
        assert (back.devstate, back.transfer, back.targets_to_clear) == (State.INLOBBY, None, (A,))
        assert (back.reactivate, back.needs_commissioner) == (True, True)


def test_the_certificate_is_deactivated_when_the_time_is_over_and_not_before() -> None:
    gone = transferred(inlobby())
    assert transfer_transitions.end(gone, END) == gone
    ended = transfer_transitions.end(gone, AFTER)
    assert ended.transfer is not None
    assert (ended.transfer.ended, ended.needs_commissioner, ended.generation) == (True, True, gone.generation + 1)
    assert transfer_transitions.end(ended, AFTER) == ended
    assert transfer_transitions.end(arrived(), AFTER) == arrived()


@pytest.mark.parametrize("request_", [lambda d: transitions.claim(d, CERTID, ClaimRequest(B), "user:ann", AT)])
def test_a_transferred_device_cannot_be_claimed_but_revoked(request_: Any) -> None:
    gone = transferred(arrived())
    assert code_of(request_, gone) == "TRANSFERRED"
    assert transitions.revoke(gone, CERTID, "lost", AT).devstate is State.REVOKED
    assert transitions.admit(gone, IDENTITY, HERE, AT) == gone


def test_an_accepted_device_waits_here_or_continues_with_its_claim() -> None:
    new = transfer_transitions.accept(None, IDENTITY, ACCEPTED, T, HERE, AT)
    assert (new.devstate, new.devicename, new.transfer) == (State.KNOCKING, "thing-1", ACCEPTED)
    assert transfer_transitions.accept(new, IDENTITY, replace(ACCEPTED, at=END), T, HERE, END) == new
    expected = transitions.claim(None, CERTID, ClaimRequest(A), "user:bob", T)
    going = transfer_transitions.accept(expected, IDENTITY, ACCEPTED, T, HERE, AT)
    assert (going.devstate, going.target, going.needs_commissioner) == (State.CLAIMED, A, True)
    guarded = transitions.claim(None, CERTID, ClaimRequest(A, presence=True), "user:bob", T)
    assert transfer_transitions.accept(guarded, IDENTITY, ACCEPTED, T, HERE, AT).devstate is State.PROVING


@pytest.mark.parametrize(
    ("device", "code"),
    [
        (inlobby(), "ALREADY_ADMITTED"),
        (replace(arrived(), transfer=replace(ACCEPTED, offer=OTHER)), "ALREADY_ADMITTED"),
        (transitions.revoke(inlobby(), CERTID, "why", T), "REVOKED"),
        (quarantine.quarantine(inlobby(), "why", T), "QUARANTINED"),
    ],
)
def test_a_device_that_this_lobby_has_or_has_revoked_is_not_accepted(device: Device, code: str) -> None:
    assert code_of(transfer_transitions.accept, device, IDENTITY, ACCEPTED, T, HERE, AT) == code


def test_a_transferred_device_returns_by_an_offer_of_the_other_lobby_with_its_current_certificate_only() -> None:
    gone = transferred(inlobby())
    back = transfer_transitions.accept(gone, IDENTITY, replace(ACCEPTED, offer=OTHER), END, HERE, AFTER)
    assert (back.devstate, back.generation) == (State.KNOCKING, gone.generation + 1)
    renewed = replace(gone, certificate=Fingerprint("9" * 64))
    assert code_of(transfer_transitions.accept, renewed, IDENTITY, ACCEPTED, AFTER, HERE, AT) == "CERTIFICATE_RENEWED"


@pytest.mark.parametrize("issued", [T, AT])
def test_an_offer_from_before_a_device_was_transferred_onward_does_not_take_it_back(issued: str) -> None:
    came = transfer_transitions.accept(None, IDENTITY, replace(ACCEPTED, offer=OTHER), T, HERE, T)
    onward = transferred(came)
    again = (transfer_transitions.accept, onward, IDENTITY, replace(ACCEPTED, offer=OTHER), issued, HERE, AFTER)
    assert code_of(*again) == "OFFER_OUTDATED"


def test_a_transfer_is_stored_and_read() -> None:
    for each in (OFFERED, COMPLETED, ACCEPTED, replace(COMPLETED, ended=True)):
        assert Transfer.decode(each.encode()) == each
