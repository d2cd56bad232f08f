"""Changes of one device or many: results, conditions on the generation, repetition, conflicts, previews."""

from dataclasses import replace

import pytest

from lobby.domain.changes import Change, Chosen, Configure, Move, Release, Retry, Revoke
from lobby.domain.device import Device, Priority
from lobby.domain.states import Event, State
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.bulk import Outcome
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import aws
from tests.aws import Calls
from tests.functional.lobby.ledger.bulk_claims import ANN, REQUEST, A, B, T, fingerprints, in_lobby, is_valid, never

TO_B = Move(RegisteredTarget(B, "There", "id", ("default",), ANN, T))
CHANGES: dict[str, Change] = {
    "move": TO_B,
    "configure": Configure({}, config="new"),
    "release": Release(),
    "revoke": Revoke("stolen"),
    "retry": Retry(),
}


def claimed(ledger: Ledger, count: int, first: int = 0) -> list[Fingerprint]:
    some = fingerprints(count, first)
    for certid in some:
        in_lobby(ledger, certid)
    ledger.claim_many(some, REQUEST, ANN, never)
    return some


def at_generation(certids: list[Fingerprint], generation: int | None = 1) -> list[Chosen]:
    return [Chosen(certid, generation) for certid in certids]


def results(outcomes: list[Outcome]) -> list[str]:
    return [
        each.code if isinstance(each, LobbyError) else each.devstate.value if each else "removed" for each in outcomes
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_many_are_changed_as_one_is_with_the_priority_of_bulk_work(ledger: Ledger, name: str) -> None:
    alone, among = claimed(ledger, 2)
    device = ledger.change(Chosen(alone, 1), CHANGES[name], ANN)
    [other] = ledger.change_many([Chosen(among, 1)], CHANGES[name], ANN, never)
    assert device is not None
    assert isinstance(other, Device)
    assert (device.priority, other.priority) == (Priority.SINGLE, Priority.BULK)
    same = replace(
        other, certid=alone, devicename=device.devicename, head=device.head, turn=device.turn, priority=Priority.SINGLE
    )
    assert same == device
    assert ledger.get(among) == other
    assert is_valid(ledger, among)
    assert [entry.event for entry in ledger.history(among)][-1] == CHANGES[name].event
    assert aws.counts() == aws.recounted()


@pytest.mark.parametrize("name", CHANGES)
def test_repeating_with_the_same_generation_succeeds_and_writes_nothing(ledger: Ledger, name: str) -> None:
    chosen = at_generation(claimed(ledger, 3))
    first = ledger.change_many(chosen, CHANGES[name], ANN, never)
    before = aws.tables()
    assert ledger.change_many(chosen, CHANGES[name], "user:bob", never) == first
    assert aws.tables() == before
    assert ledger.change(chosen[0], CHANGES[name], "user:bob") == first[0]
    assert aws.tables() == before


def test_each_device_has_its_own_result(ledger: Ledger) -> None:
    moved, elsewhere, gone, newer = claimed(ledger, 4)
    waiting, unknown, expected = fingerprints(3, 10)
    in_lobby(ledger, waiting)
    ledger.claim(expected, REQUEST, ANN)
    ledger.move(elsewhere, ClaimRequest(B), "user:bob")
    ledger.revoke(gone, "stolen", ANN)
    ledger.retry(newer, "user:bob")
    outcomes = ledger.change_many(
        [*at_generation([moved, elsewhere, gone, newer, waiting, unknown], 1), Chosen(expected, 1)], TO_B, ANN, never
    )
    assert results(outcomes) == [
        "claimed",
        "claimed",
        "REVOKED",
        "CHANGED_MEANWHILE",
        "NOT_ALLOWED",
        "UNKNOWN_DEVICE",
        "expected",
    ]
    assert [entry.actor for entry in ledger.history(elsewhere)][-1] == "user:bob"
    device = ledger.get(newer)
    assert device is not None
    assert (device.target, device.generation) == (A, 2)
    assert aws.counts() == aws.recounted()


def test_a_released_expected_device_is_removed_and_releasing_it_again_succeeds(ledger: Ledger) -> None:
    one, never_seen = fingerprints(2)
    ledger.claim(one, REQUEST, ANN)
    chosen = [Chosen(one, 1), Chosen(never_seen, 1)]
    for _ in range(2):
        assert results(ledger.change_many(chosen, Release(), ANN, never)) == ["removed", "UNKNOWN_DEVICE"]
        assert ledger.change(chosen[0], Release(), ANN) is None
    assert [entry.event for entry in ledger.history(one)] == [Event.CLAIM, Event.RELEASE]
    assert aws.counts() == aws.recounted() == {}


def test_a_claim_made_since_the_preview_is_not_released(ledger: Ledger) -> None:
    [one] = claimed(ledger, 1)
    ledger.release(one, "user:bob")
    ledger.claim(one, ClaimRequest(B), "user:bob")
    assert results(ledger.change_many([Chosen(one, 1)], Release(), ANN, never)) == ["CHANGED_MEANWHILE"]
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        ledger.change(Chosen(one, 1), Release(), ANN)


def test_a_certificate_with_an_old_history_can_be_revoked_in_bulk(ledger: Ledger) -> None:
    some = fingerprints(3)
    ledger.claim(some[1], REQUEST, ANN)
    ledger.release(some[1], ANN)
    assert results(ledger.change_many(at_generation(some, 0), Revoke("lost"), ANN, never)) == ["revoked"] * 3
    assert all(is_valid(ledger, certid) for certid in some)
    assert [entry.reason for entry in ledger.history(some[1])] == [None, None, "lost"]


def test_a_device_that_changes_during_the_write_is_decided_on_again(ledger: Ledger, calls: Calls) -> None:
    some = claimed(ledger, 4)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.retry(some[2], "user:bob")
    outcomes = ledger.change_many(at_generation(some), TO_B, ANN, never)
    assert results(outcomes) == ["claimed", "claimed", "CHANGED_MEANWHILE", "claimed"]
    assert all(is_valid(ledger, certid) for certid in some)
    assert aws.counts() == aws.recounted()


def test_a_device_given_twice_is_changed_once(ledger: Ledger) -> None:
    [one] = claimed(ledger, 1)
    outcomes = ledger.change_many([Chosen(one, 1), Chosen(one, 5)], Retry(), ANN, never)
    assert results(outcomes) == ["claimed"] * 2
    assert [entry.event for entry in ledger.history(one)].count(Event.RETRY) == 1


def test_a_retry_that_is_repeated_with_the_state_of_its_preview_is_done_once(ledger: Ledger) -> None:
    [one] = claimed(ledger, 1)
    chosen = [Chosen(one, 1, State.CLAIMED)]
    assert results(ledger.change_many(chosen, Retry(), ANN, never)) == ["claimed"]
    assert results(ledger.change_many(chosen, Retry(), ANN, never)) == ["claimed"]
    assert results(ledger.change_many([Chosen(one, 2, State.FAILED)], Retry(), ANN, never)) == ["CHANGED_MEANWHILE"]
    assert [entry.event for entry in ledger.history(one)].count(Event.RETRY) == 1


def test_devices_left_when_time_is_up_are_not_tried(ledger: Ledger) -> None:
    chosen = at_generation(claimed(ledger, 3))
    assert results(ledger.change_many(chosen, Release(), ANN, lambda: True)) == ["NOT_TRIED"] * 3
    previews = ledger.preview_many(chosen, Release(), ANN, lambda: True)
    assert results([each.outcome for each in previews]) == ["NOT_TRIED"] * 3


@pytest.mark.parametrize("name", CHANGES)
def test_a_preview_predicts_the_results_and_writes_nothing(ledger: Ledger, calls: Calls, name: str) -> None:
    one, two, gone = claimed(ledger, 3)
    waiting, unknown, expected = fingerprints(3, 10)
    in_lobby(ledger, waiting)
    ledger.claim(expected, REQUEST, ANN)
    ledger.revoke(gone, "stolen", ANN)
    chosen = at_generation([one, two, gone, waiting, unknown, expected], None)
    calls.forget()
    previews = ledger.preview_many(chosen, CHANGES[name], ANN, never)
    assert set(calls.count()) <= {"BatchGetItem", "Query"}
    assert [each.device for each in previews] == [ledger.get(each.certid) for each in chosen]
    assert results(ledger.change_many(chosen, CHANGES[name], ANN, never)) == results(
        [each.outcome for each in previews]
    )
