"""Bulk claims: one result per device as with single claims, and few calls."""

from dataclasses import replace

import pytest

from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.bulk import BATCH_SIZE
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import ThingName
from lobby.wire import MAX_CONFIG_BYTES
from tests import aws
from tests.aws import Calls
from tests.bench.capacity import item_bytes
from tests.functional.lobby.ledger.bulk_claims import (
    ANN,
    REQUEST,
    US,
    A,
    B,
    T,
    fingerprints,
    in_lobby,
    is_valid,
    never,
    put,
    results,
)


def test_the_results_are_in_order_and_those_of_single_claims(ledger: Ledger) -> None:
    new, waits, knocking, mine, theirs, gone, refused = fingerprints(7)
    in_lobby(ledger, waits)
    ledger.admit(Identity(knocking, ThingName("k"), "PEM"), US)
    ledger.claim(mine, REQUEST, "user:bob")
    ledger.claim(theirs, ClaimRequest(B), "user:bob")
    ledger.revoke(gone, "stolen", ANN)
    ledger.refuse(refused, None, "EXPIRED", "too old", US)
    outcomes = ledger.claim_many([theirs, gone, new, refused, waits, mine, knocking], REQUEST, ANN, never)
    assert results(outcomes) == [
        "ALREADY_CLAIMED",
        "REVOKED",
        "expected",
        "NOT_ALLOWED",
        "claimed",
        "expected",
        "claimed",
    ]
    for certid, outcome in zip([new, waits, mine, knocking], [outcomes[2], *outcomes[4:]], strict=True):
        assert ledger.get(certid) == outcome
        assert isinstance(outcome, Device)
        assert (outcome.target, outcome.generation) == (A, 1)
        assert is_valid(ledger, certid)
    assert [entry.actor for entry in ledger.history(mine)] == ["user:bob"]
    assert [(entry.event, entry.actor) for entry in ledger.history(waits)][-1] == (Event.CLAIM, ANN)
    assert aws.counts() == aws.recounted()


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "never seen"])
def test_a_claim_in_bulk_writes_the_same_row_as_a_single_claim(ledger: Ledger, waits: bool) -> None:
    alone, among = fingerprints(2)
    if waits:
        in_lobby(ledger, alone)
        in_lobby(ledger, among)
    request = ClaimRequest(A, "cam", {"a": 1})
    device = ledger.claim(alone, request, ANN)
    [other] = ledger.claim_many([among], request, ANN, never)
    assert isinstance(other, Device)
    assert replace(other, certid=alone, devicename=device.devicename, head=device.head) == device
    assert ledger.get(among) == other
    assert is_valid(ledger, among)


def test_a_duplicate_is_claimed_once(ledger: Ledger) -> None:
    one, two = fingerprints(2)
    ledger.revoke(two, "stolen", ANN)
    first, second, third, fourth = ledger.claim_many([one, two, one, two], REQUEST, ANN, never)
    assert first is third
    assert second is fourth
    assert len(ledger.history(one)) == 1


def test_an_empty_list_costs_no_call(ledger: Ledger, calls: Calls) -> None:
    assert ledger.claim_many([], REQUEST, ANN, never) == []
    assert calls.names() == []


def test_repeating_the_list_succeeds_and_writes_nothing(ledger: Ledger, calls: Calls) -> None:
    some = fingerprints(5)
    first = ledger.claim_many(some, REQUEST, ANN, never)
    before = aws.tables()
    calls.forget()
    assert ledger.claim_many(some, REQUEST, "user:bob", never) == first
    assert aws.tables() == before
    assert calls.names() == ["BatchGetItem"]


@pytest.mark.slow
@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "never seen"])
def test_a_thousand_take_thirty_two_calls(ledger: Ledger, calls: Calls, waits: bool) -> None:
    """The writes are only recorded, because moto would take a minute."""
    thousand = fingerprints(1000)
    if waits:
        with calls.uncounted():
            put(Device(certid, State.INLOBBY, T, 2, devicecert="PEM", counted="inlobby||") for certid in thousand)
    calls.instead["TransactWriteItems"] = lambda _params, _call: {}
    outcomes = ledger.claim_many(thousand, REQUEST, ANN, never)
    assert set(results(outcomes)) == {"claimed" if waits else "expected"}
    assert [each.certid for each in outcomes if isinstance(each, Device)] == thousand
    assert calls.count() == {"BatchGetItem": 11, "TransactWriteItems": 21}
    reads = [call.params["RequestItems"]["device-lobby-ledger"] for call in calls.of("BatchGetItem")]
    assert all(read["ConsistentRead"] for read in reads)
    items = [call.params["TransactItems"] for call in calls.of("TransactWriteItems")]
    assert [len(each) for each in items] == [2 * BATCH_SIZE + 1] * 20 + [2 * 40 + 1]


def test_a_batch_of_the_largest_rows_fits_a_transaction() -> None:
    """Of 4 MB, with the longest certificate that AWS IoT accepts and the longest config."""
    longest = Device(fingerprints(1)[0], State.CLAIMED, T, devicecert="x" * 65_536, config="y" * MAX_CONFIG_BYTES)
    item = LedgerRow(**attributes_of(longest)).serialize()
    assert BATCH_SIZE * (item_bytes(item) + 4_096) < 4 * 1024 * 1024
