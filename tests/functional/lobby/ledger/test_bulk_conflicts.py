"""Bulk claims with conflicts, unprocessed keys and a deadline."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError

from lobby.domain.identity import Identity
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.errors import LobbyError, NotHome
from lobby.ledger.bulk import BATCH_SIZE
from lobby.ledger.store import Ledger
from lobby.names import ThingName
from tests import aws
from tests.aws import REGION, Calls, Clock
from tests.functional.lobby.ledger.bulk_claims import ANN, REQUEST, US, A, B, fingerprints, is_valid, never, results


def test_a_device_with_a_conflict_is_claimed_alone_and_the_others_together(ledger: Ledger, calls: Calls) -> None:
    some = fingerprints(20)
    knocking = ledger.admit(Identity(some[3], ThingName("sensor-3"), "PEM"), US)
    calls.forget()

    def meanwhile() -> None:
        ledger.hello(knocking, None, US)
        ledger.claim(some[7], ClaimRequest(B), "user:bob")
        ledger.claim(some[9], REQUEST, "user:bob")

    calls.meanwhile["TransactWriteItems"] = meanwhile
    got = results(ledger.claim_many(some, REQUEST, ANN, never))
    assert calls.names() == [
        "BatchGetItem",
        "TransactWriteItems",
        "GetItem",
        "TransactWriteItems",
        "GetItem",
        "GetItem",
        "TransactWriteItems",
    ]
    assert (got[3], got[7], got[9]) == ("claimed", "ALREADY_CLAIMED", "expected")
    assert set(got[:3] + got[4:7] + got[8:9] + got[10:]) == {"expected"}
    assert [entry.event for entry in ledger.history(some[3])] == [Event.ADMIT, Event.HELLO, Event.CLAIM]
    assert [entry.actor for entry in ledger.history(some[9])] == ["user:bob"]
    assert all(is_valid(ledger, certid) for certid in some)
    assert aws.counts() == aws.recounted()


def test_a_released_expected_device_can_be_claimed_again_in_bulk(ledger: Ledger) -> None:
    some = fingerprints(6)
    ledger.claim(some[2], ClaimRequest(B), ANN)
    ledger.release(some[2], ANN)
    assert set(results(ledger.claim_many(some, REQUEST, ANN, never))) == {"expected"}
    assert [entry.event for entry in ledger.history(some[2])] == [Event.CLAIM, Event.RELEASE, Event.CLAIM]
    assert all(is_valid(ledger, certid) for certid in some)
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": 6}


def cancelled(codes: list[str]) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def test_after_a_busy_count_the_batch_is_written_again(calls: Calls, clock: Clock) -> None:
    waits: list[int] = []

    def waited(attempt: int) -> None:
        waits.append(attempt)
        calls.fails.clear()

    calls.fails["TransactWriteItems"] = cancelled(["None"] * 6 + ["TransactionConflict"])
    outcomes = Ledger(REGION, clock, waited).claim_many(fingerprints(3), REQUEST, ANN, never)
    assert set(results(outcomes)) == {"expected"}
    assert (waits, calls.names()) == ([0], ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"])


def test_devices_that_keep_changing_have_an_error_each(ledger: Ledger, calls: Calls) -> None:
    calls.fails["TransactWriteItems"] = cancelled(["None"] * 4 + ["TransactionConflict"])
    assert results(ledger.claim_many(fingerprints(2), REQUEST, ANN, never)) == ["CHANGED_MEANWHILE"] * 2
    assert aws.counts() == {}


def test_an_error_of_dynamodb_is_raised_and_the_list_can_be_sent_again(ledger: Ledger, calls: Calls) -> None:
    some = fingerprints(BATCH_SIZE + 2)

    def once(_params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if len(calls.of("TransactWriteItems")) > 1:
            raise cancelled(["ThrottlingError"])
        return call()

    calls.instead["TransactWriteItems"] = once
    with pytest.raises(TransactWriteError):
        ledger.claim_many(some, REQUEST, ANN, never)
    assert aws.counts() == {f"expected|{A}|": BATCH_SIZE}
    calls.instead.clear()
    assert set(results(ledger.claim_many(some, REQUEST, ANN, never))) == {"expected"}
    assert aws.counts() == {f"expected|{A}|": BATCH_SIZE + 2}


def leave_unprocessed(calls: Calls, unread: int, times: int) -> None:
    """Make DynamoDB leave `unread` keys of a read unprocessed, `times` times."""

    def part(params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if len(calls.of("BatchGetItem")) > times:
            return call()
        keys = params["RequestItems"]["device-lobby-ledger"]["Keys"]
        left, keys[:] = keys[-unread:], keys[:-unread]
        answer = call() if keys else {"Responses": {}}
        return answer | {"UnprocessedKeys": {"device-lobby-ledger": {"Keys": left}}}

    calls.instead["BatchGetItem"] = part


def test_unprocessed_keys_are_read_again_after_a_pause(calls: Calls, clock: Clock) -> None:
    waits: list[int] = []
    ledger = Ledger(REGION, clock, waits.append)
    some = fingerprints(10)
    ledger.claim(some[9], ClaimRequest(B), "user:bob")
    leave_unprocessed(calls, unread=3, times=2)
    calls.forget()
    assert results(ledger.claim_many(some, REQUEST, ANN, never)) == ["expected"] * 9 + ["ALREADY_CLAIMED"]
    assert (waits, calls.names()) == ([0, 1], ["BatchGetItem"] * 3 + ["TransactWriteItems"])


def test_devices_that_stay_unread_are_not_tried(ledger: Ledger, calls: Calls) -> None:
    leave_unprocessed(calls, unread=3, times=99)
    assert results(ledger.claim_many(fingerprints(10), REQUEST, ANN, never)) == ["expected"] * 7 + ["NOT_TRIED"] * 3
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": 7}


def test_with_no_time_nothing_is_tried(ledger: Ledger, calls: Calls) -> None:
    outcomes = ledger.claim_many(fingerprints(3), REQUEST, ANN, lambda: True)
    assert results(outcomes) == ["NOT_TRIED"] * 3
    assert isinstance(outcomes[0], LobbyError)
    assert "send it again" in outcomes[0].message
    assert calls.names() == []


@pytest.mark.parametrize("written", [1, 2])
def test_when_time_is_up_the_rest_is_not_tried_and_can_be_sent_again(
    ledger: Ledger, calls: Calls, written: int
) -> None:
    some = fingerprints(BATCH_SIZE * 2 + 4)
    outcomes = ledger.claim_many(some, REQUEST, ANN, lambda: len(calls.of("TransactWriteItems")) >= written)
    done = BATCH_SIZE * written
    assert results(outcomes) == ["expected"] * done + ["NOT_TRIED"] * (len(some) - done)
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": done}
    assert set(results(ledger.claim_many(some, REQUEST, ANN, never))) == {"expected"}
    assert aws.counts() == {f"expected|{A}|": len(some)}


def test_the_deadline_also_ends_single_claims(ledger: Ledger, calls: Calls) -> None:
    some = fingerprints(4)
    for certid in some[:3]:
        ledger.claim(certid, ClaimRequest(B), ANN)
        ledger.release(certid, ANN)
    calls.forget()
    outcomes = ledger.claim_many(some, REQUEST, ANN, lambda: "Query" in calls.names())
    assert results(outcomes) == ["expected"] + ["NOT_TRIED"] * 3
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": 1}


def test_a_region_that_is_no_longer_home_is_no_result_of_a_device(
    ledger: Ledger, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.fails["TransactWriteItems"] = cancelled(["None"] * 4 + ["TransactionConflict"])
    ended = NotHome("LEASE_EXPIRED", "got a lease that has ended")
    monkeypatch.setattr(ledger, "claim", lambda *_, **__: (_ for _ in ()).throw(ended))
    with pytest.raises(NotHome):
        ledger.claim_many(fingerprints(2), REQUEST, ANN, never)
