"""Conflicts and throttling: what happens between read and write, and when DynamoDB has no capacity."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import TransactWriteError, UpdateError

from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import ThingName
from tests.aws import REGION, Calls, Clock
from tests.functional.lobby.ledger.ledger_devices import (
    ANN,
    ONE,
    TWO,
    A,
    B,
    admitted,
    cancelled,
    in_lobby,
    verified_events,
)


def test_after_a_conflict_the_event_is_decided_again_with_the_new_row(ledger: Ledger, calls: Calls) -> None:
    device = admitted(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.hello(device, None, "service:receptionist")
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    assert claimed.devstate is State.CLAIMED
    assert verified_events(ledger) == [Event.ADMIT, Event.HELLO, Event.CLAIM]


def test_of_two_concurrent_claims_one_wins_and_the_other_is_a_conflict(ledger: Ledger, calls: Calls) -> None:
    in_lobby(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.claim(ONE, ClaimRequest(B), "user:bob")
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        ledger.claim(ONE, ClaimRequest(A), ANN)
    device = ledger.get(ONE)
    assert device is not None
    assert (device.target, device.claimedby, device.generation) == (B, "user:bob", 1)
    assert verified_events(ledger) == [Event.ADMIT, Event.HELLO, Event.CLAIM]


def test_a_concurrent_admission_and_claim_complete_in_either_order(ledger: Ledger, calls: Calls) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.claim(ONE, ClaimRequest(A), ANN)
    assert admitted(ledger).devstate is State.CLAIMED
    calls.meanwhile["TransactWriteItems"] = lambda: admitted(ledger, Identity(TWO, ThingName("sensor-2"), "PEM 2"))
    assert ledger.claim(TWO, ClaimRequest(A), ANN).devstate is State.CLAIMED
    assert verified_events(ledger) == [Event.CLAIM, Event.ADMIT]
    assert verified_events(ledger, TWO) == [Event.ADMIT, Event.CLAIM]


@pytest.mark.parametrize("result", ["commission", "fail"])
def test_a_commissioner_s_result_for_a_changed_claim_is_rejected(ledger: Ledger, calls: Calls, result: str) -> None:
    in_lobby(ledger)
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.move(ONE, ClaimRequest(B), "user:bob")
    results = {
        "commission": lambda: ledger.commission(claimed, "a.example", "service:commissioner"),
        "fail": lambda: ledger.fail(claimed, "TARGET_LIMIT", "full", "service:commissioner"),
    }
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        results[result]()
    device = ledger.get(ONE)
    assert device is not None
    assert (device.devstate, device.target, device.iotep, device.reason) == (State.CLAIMED, B, None, None)


def test_a_device_that_keeps_changing_is_a_conflict(ledger: Ledger, calls: Calls) -> None:
    admitted(ledger)
    others = iter(range(100))

    def again() -> None:
        calls.meanwhile["TransactWriteItems"] = again
        ledger.record_heartbeat(ledger.get(ONE) or pytest.fail("gone"), None)
        row = LedgerRow.get(ONE)
        row.update(actions=[LedgerRow.version.set(1000 + next(others))])

    calls.meanwhile["TransactWriteItems"] = again
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        ledger.claim(ONE, ClaimRequest(A), ANN)
    assert len(ledger.history(ONE)) == 1


def test_after_a_busy_row_the_event_is_tried_again(calls: Calls, clock: Clock) -> None:
    waits: list[int] = []

    def waited(attempt: int) -> None:
        waits.append(attempt)
        calls.fails.clear()

    ledger = Ledger(REGION, clock, waited)
    calls.fails["TransactWriteItems"] = cancelled("TransactionConflict")
    assert admitted(ledger).devstate is State.KNOCKING
    assert waits == [0]
    assert verified_events(ledger) == [Event.ADMIT]


def test_an_error_of_dynamodb_is_raised_and_is_not_a_conflict(ledger: Ledger, calls: Calls) -> None:
    calls.fails["TransactWriteItems"] = cancelled("ValidationError")
    with pytest.raises(TransactWriteError):
        admitted(ledger)
    assert calls.count()["TransactWriteItems"] == 1


def test_a_timeout_is_raised(ledger: Ledger, calls: Calls) -> None:
    device = in_lobby(ledger)
    calls.fails |= dict.fromkeys(("TransactWriteItems", "UpdateItem"), ReadTimeoutError(endpoint_url="https://there"))
    with pytest.raises(TransactWriteError):
        ledger.claim(ONE, ClaimRequest(A), ANN)
    with pytest.raises(UpdateError):
        ledger.record_heartbeat(replace(device, lastseen=None), None)


TOO_MANY = {
    "ThrottlingError": cancelled("ThrottlingError"),
    "ProvisionedThroughputExceeded": cancelled("ProvisionedThroughputExceeded", "None"),
    "ThrottlingException": ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems"),
}


@pytest.mark.parametrize("refusal", TOO_MANY.values(), ids=TOO_MANY)
def test_a_throttled_transaction_is_sent_again_unchanged(calls: Calls, clock: Clock, refusal: ClientError) -> None:
    waits: list[int] = []

    def waited(attempt: int) -> None:
        waits.append(attempt)
        if len(waits) == 2:
            calls.fails.clear()

    ledger = Ledger(REGION, clock, waited)
    calls.fails["TransactWriteItems"] = refusal
    assert admitted(ledger).devstate is State.KNOCKING
    assert waits == [3, 4]
    sent = calls.of("TransactWriteItems")
    assert [call.params for call in sent] == [sent[0].params] * 3
    assert verified_events(ledger) == [Event.ADMIT]


def test_a_transaction_that_stays_throttled_is_raised(ledger: Ledger, calls: Calls) -> None:
    calls.fails["TransactWriteItems"] = TOO_MANY["ThrottlingError"]
    with pytest.raises(TransactWriteError):
        admitted(ledger)
    assert calls.count()["TransactWriteItems"] == 4
    assert ledger.get(ONE) is None


def test_a_changed_row_is_a_conflict_even_after_throttling(ledger: Ledger, calls: Calls) -> None:
    in_lobby(ledger)

    def meanwhile(_params: dict[str, Any], _call: Callable[[], Any]) -> Any:
        calls.instead.clear()
        with calls.uncounted():
            ledger.claim(ONE, ClaimRequest(B), "user:bob")
        raise cancelled("ThrottlingError", "ConditionalCheckFailed")

    calls.instead["TransactWriteItems"] = meanwhile
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        ledger.claim(ONE, ClaimRequest(A), ANN)


def test_a_transaction_whose_response_was_lost_is_no_conflict(ledger: Ledger, calls: Calls) -> None:
    """The first hello cannot be decided twice. DynamoDB recognises the transaction by its token."""
    device = admitted(ledger)
    carried_out: set[str] = set()

    def once(params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if params["ClientRequestToken"] in carried_out:
            return {}
        carried_out.add(params["ClientRequestToken"])
        call()
        raise TOO_MANY["ThrottlingException"]

    calls.instead["TransactWriteItems"] = once
    assert ledger.hello(device, None, "service:receptionist").devstate is State.INLOBBY
    assert verified_events(ledger) == [Event.ADMIT, Event.HELLO]
