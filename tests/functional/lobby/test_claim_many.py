"""Claims of many at once: an outcome for each as of a claim of its own, few calls, and one that is lost holds up
nobody else."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError

from lobby.domain.device import Device
from lobby.domain.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import LobbyError
from lobby.ledger.bulk import BATCH_SIZE
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from lobby.wire import MAX_CONFIG_BYTES
from tests import aws
from tests.aws import REGION, Calls, Clock
from tests.bench.capacity import item_bytes

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
ANN, US, T = "user:ann", "service:tests", "2026-11-22T12:00:00.000Z"
WISH = ClaimRequest(A)


def never() -> bool:
    return False


def prints(count: int, first: int = 0) -> list[Fingerprint]:
    return [Fingerprint(f"{number:064x}") for number in range(first, first + count)]


def in_lobby(ledger: Ledger, certid: Fingerprint) -> Device:
    return ledger.hello(ledger.admit(Identity(certid, ThingName(f"sensor-{int(certid, 16)}"), "PEM"), US), None, US)


def put(devices: Iterable[Device]) -> None:
    with LedgerRow.batch_write() as batch:
        for device in devices:
            batch.save(LedgerRow(**attributes_of(device)))


def words(outcomes: list[Device | LobbyError]) -> list[str]:
    """What each outcome says, in a word: the state, or the code."""
    return [each.code if isinstance(each, LobbyError) else each.devstate.value for each in outcomes]


def whole(ledger: Ledger, certid: Fingerprint) -> bool:
    device = ledger.get(certid)
    assert device is not None
    return first_broken_entry(ledger.history(certid), version=device.version, head=device.head) is None


def test_the_results_are_in_order_and_those_of_single_claims(ledger: Ledger) -> None:
    new, waits, knocks, mine, theirs, gone, refused = prints(7)
    in_lobby(ledger, waits)
    ledger.admit(Identity(knocks, ThingName("k"), "PEM"), US)
    ledger.claim(mine, WISH, "user:bob")
    ledger.claim(theirs, ClaimRequest(B), "user:bob")
    ledger.revoke(gone, "stolen", ANN)
    ledger.refuse(refused, None, "EXPIRED", "too old", US)
    outcomes = ledger.claim_many([theirs, gone, new, refused, waits, mine, knocks], WISH, ANN, never)
    assert words(outcomes) == [
        "ALREADY_CLAIMED",
        "REVOKED",
        "expected",
        "NOT_ALLOWED",
        "claimed",
        "expected",
        "claimed",
    ]
    for certid, outcome in zip([new, waits, mine, knocks], [outcomes[2], *outcomes[4:]], strict=True):
        assert ledger.get(certid) == outcome
        assert isinstance(outcome, Device)
        assert (outcome.target, outcome.generation) == (A, 1)
        assert whole(ledger, certid)
    assert [entry.actor for entry in ledger.history(mine)] == ["user:bob"]
    assert [(entry.event, entry.actor) for entry in ledger.history(waits)][-1] == (Event.CLAIM, ANN)
    assert aws.counts() == aws.recounted()


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "never seen"])
def test_a_claim_in_bulk_writes_the_same_row_as_a_single_claim(ledger: Ledger, waits: bool) -> None:
    alone, among = prints(2)
    if waits:
        in_lobby(ledger, alone)
        in_lobby(ledger, among)
    request = ClaimRequest(A, "cam", {"a": 1})
    device = ledger.claim(alone, request, ANN)
    [other] = ledger.claim_many([among], request, ANN, never)
    assert isinstance(other, Device)
    assert replace(other, certid=alone, devicename=device.devicename, head=device.head) == device
    assert ledger.get(among) == other
    assert whole(ledger, among)


def test_a_duplicate_is_claimed_once(ledger: Ledger) -> None:
    one, two = prints(2)
    ledger.revoke(two, "stolen", ANN)
    first, second, third, fourth = ledger.claim_many([one, two, one, two], WISH, ANN, never)
    assert first is third
    assert second is fourth
    assert len(ledger.history(one)) == 1


def test_an_empty_list_costs_no_call(ledger: Ledger, calls: Calls) -> None:
    assert ledger.claim_many([], WISH, ANN, never) == []
    assert calls.names() == []


def test_repeating_the_list_succeeds_and_writes_nothing(ledger: Ledger, calls: Calls) -> None:
    some = prints(5)
    first = ledger.claim_many(some, WISH, ANN, never)
    before = aws.tables()
    calls.forget()
    assert ledger.claim_many(some, WISH, "user:bob", never) == first
    assert aws.tables() == before
    assert calls.names() == ["BatchGetItem"]


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "never seen"])
def test_a_thousand_take_thirty_two_calls(ledger: Ledger, calls: Calls, waits: bool) -> None:
    """Of which moto would take a minute to write, so that the writing is only looked at here."""
    thousand = prints(1000)
    if waits:
        with calls.uncounted():
            put(Device(certid, State.INLOBBY, T, 2, devicecert="PEM", counted="inlobby||") for certid in thousand)
    calls.instead["TransactWriteItems"] = lambda _params, _call: {}
    outcomes = ledger.claim_many(thousand, WISH, ANN, never)
    assert set(words(outcomes)) == {"claimed" if waits else "expected"}
    assert [each.certid for each in outcomes if isinstance(each, Device)] == thousand
    assert calls.count() == {"BatchGetItem": 11, "TransactWriteItems": 21}
    reads = [call.params["RequestItems"]["device-lobby-ledger"] for call in calls.of("BatchGetItem")]
    assert all(read["ConsistentRead"] for read in reads)
    items = [call.params["TransactItems"] for call in calls.of("TransactWriteItems")]
    moved = 2 if waits else 1
    assert [len(each) for each in items] == [2 * BATCH_SIZE + moved] * 20 + [2 * 40 + moved]


def test_a_batch_of_the_largest_rows_fits_a_transaction() -> None:
    """Of 4 MB: the longest certificate that AWS IoT takes, the longest config, and all else of a row and an entry."""
    longest = Device(prints(1)[0], State.CLAIMED, T, devicecert="x" * 65_536, config="y" * MAX_CONFIG_BYTES)
    item = LedgerRow(**attributes_of(longest)).serialize()
    assert BATCH_SIZE * (item_bytes(item) + 4_096) < 4 * 1024 * 1024


# Races: what happens between the reading and the writing.


def test_a_device_with_a_conflict_is_claimed_alone_and_the_others_together(ledger: Ledger, calls: Calls) -> None:
    some = prints(20)
    knocking = ledger.admit(Identity(some[3], ThingName("sensor-3"), "PEM"), US)
    calls.forget()

    def meanwhile() -> None:
        ledger.hello(knocking, None, US)
        ledger.claim(some[7], ClaimRequest(B), "user:bob")
        ledger.claim(some[9], WISH, "user:bob")

    calls.meanwhile["TransactWriteItems"] = meanwhile
    got = words(ledger.claim_many(some, WISH, ANN, never))
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
    assert all(whole(ledger, certid) for certid in some)
    assert aws.counts() == aws.recounted()


def test_a_released_expected_device_can_be_claimed_again_in_bulk(ledger: Ledger) -> None:
    some = prints(6)
    ledger.claim(some[2], ClaimRequest(B), ANN)
    ledger.release(some[2], ANN)
    assert set(words(ledger.claim_many(some, WISH, ANN, never))) == {"expected"}
    assert [entry.event for entry in ledger.history(some[2])] == [Event.CLAIM, Event.RELEASE, Event.CLAIM]
    assert all(whole(ledger, certid) for certid in some)
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
    outcomes = Ledger(REGION, clock, waited).claim_many(prints(3), WISH, ANN, never)
    assert set(words(outcomes)) == {"expected"}
    assert (waits, calls.names()) == ([0], ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"])


def test_devices_that_keep_changing_have_an_error_each(ledger: Ledger, calls: Calls) -> None:
    calls.fails["TransactWriteItems"] = cancelled(["None"] * 4 + ["TransactionConflict"])
    assert words(ledger.claim_many(prints(2), WISH, ANN, never)) == ["CHANGED_MEANWHILE"] * 2
    assert aws.counts() == {}


def test_an_error_of_dynamodb_is_raised_and_the_list_can_be_sent_again(ledger: Ledger, calls: Calls) -> None:
    some = prints(BATCH_SIZE + 2)

    def once(_params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if len(calls.of("TransactWriteItems")) > 1:
            raise cancelled(["ThrottlingError"])
        return call()

    calls.instead["TransactWriteItems"] = once
    with pytest.raises(TransactWriteError):
        ledger.claim_many(some, WISH, ANN, never)
    assert aws.counts() == {f"expected|{A}|": BATCH_SIZE}
    calls.instead.clear()
    assert set(words(ledger.claim_many(some, WISH, ANN, never))) == {"expected"}
    assert aws.counts() == {f"expected|{A}|": BATCH_SIZE + 2}


# What DynamoDB leaves unread, and time.


def leaves(calls: Calls, unread: int, times: int) -> None:
    """Has DynamoDB leave so many keys of a read unprocessed, so many times."""

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
    some = prints(10)
    ledger.claim(some[9], ClaimRequest(B), "user:bob")
    leaves(calls, unread=3, times=2)
    calls.forget()
    assert words(ledger.claim_many(some, WISH, ANN, never)) == ["expected"] * 9 + ["ALREADY_CLAIMED"]
    assert (waits, calls.names()) == ([0, 1], ["BatchGetItem"] * 3 + ["TransactWriteItems"])


def test_devices_that_stay_unread_are_not_tried(ledger: Ledger, calls: Calls) -> None:
    leaves(calls, unread=3, times=99)
    assert words(ledger.claim_many(prints(10), WISH, ANN, never)) == ["expected"] * 7 + ["NOT_TRIED"] * 3
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": 7}


def test_with_no_time_nothing_is_tried(ledger: Ledger, calls: Calls) -> None:
    outcomes = ledger.claim_many(prints(3), WISH, ANN, lambda: True)
    assert words(outcomes) == ["NOT_TRIED"] * 3
    assert isinstance(outcomes[0], LobbyError)
    assert "send it again" in outcomes[0].message
    assert calls.names() == []


@pytest.mark.parametrize("written", [1, 2])
def test_when_time_is_up_the_rest_is_not_tried_and_can_be_sent_again(
    ledger: Ledger, calls: Calls, written: int
) -> None:
    some = prints(BATCH_SIZE * 2 + 4)
    outcomes = ledger.claim_many(some, WISH, ANN, lambda: len(calls.of("TransactWriteItems")) >= written)
    done = BATCH_SIZE * written
    assert words(outcomes) == ["expected"] * done + ["NOT_TRIED"] * (len(some) - done)
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": done}
    assert set(words(ledger.claim_many(some, WISH, ANN, never))) == {"expected"}
    assert aws.counts() == {f"expected|{A}|": len(some)}


def test_the_deadline_also_ends_single_claims(ledger: Ledger, calls: Calls) -> None:
    some = prints(4)
    for certid in some[:3]:
        ledger.claim(certid, ClaimRequest(B), ANN)
        ledger.release(certid, ANN)
    calls.forget()
    outcomes = ledger.claim_many(some, WISH, ANN, lambda: "Query" in calls.names())
    assert words(outcomes) == ["expected"] + ["NOT_TRIED"] * 3
    assert aws.counts() == aws.recounted() == {f"expected|{A}|": 1}
