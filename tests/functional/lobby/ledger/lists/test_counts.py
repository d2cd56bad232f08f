"""The counts always match the rows, after any events in any order."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.connection import connection_of
from lobby.ledger.lists.counts import PARTITIONS, Bucket, Tally, any_shard, read_counts
from lobby.ledger.lists.listing import Filter, devices
from lobby.ledger.models import LedgerRow
from lobby.ledger.recount import recount
from lobby.ledger.store import Ledger
from lobby.ledger.transaction import Writer
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws
from tests.aws import REGION, Calls, Clock
from tests.tiers import examples

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
ANN, US = "user:ann", "service:tests"
ONE, TWO, THREE = (Fingerprint(f"{number:02x}" * 32) for number in (1, 2, 3))
EVENTS: dict[str, Callable[[Ledger, Fingerprint, Device, int], object]] = {
    "hello": lambda ledger, _c, device, _n: ledger.hello(device, None, US),
    "claim": lambda ledger, certid, _d, n: ledger.claim(certid, ClaimRequest((A, B)[n]), ANN),
    "move": lambda ledger, certid, _d, n: ledger.move(certid, ClaimRequest((A, B)[n]), ANN),
    "release": lambda ledger, certid, _d, _n: ledger.release(certid, ANN),
    "retry": lambda ledger, certid, _d, _n: ledger.retry(certid, ANN),
    "revoke": lambda ledger, certid, _d, _n: ledger.revoke(certid, "stolen", ANN),
    "commission": lambda ledger, _c, device, _n: ledger.commission(device, "a.example", US),
    "fail": lambda ledger, _c, device, n: ledger.fail(device, ("TARGET_LIMIT", "UNKNOWN_TARGET")[n], "m", US),
    "arrive": lambda ledger, _c, device, _n: ledger.arrive(device, US),
    "retire": lambda ledger, _c, device, n: ledger.retire(device, (A, B)[n], US),
    "not retired": lambda ledger, _c, device, n: ledger.retire(device, (A, B)[n], US, "TARGET_ROLE_DENIED", "m"),
}
UNSEEN: dict[str, Callable[[Ledger, Fingerprint, int], object]] = {
    "admit": lambda ledger, certid, _n: ledger.admit(who(certid), US),
    "refuse": lambda ledger, certid, n: ledger.refuse(certid, None, ("EXPIRED", "CRL_STALE")[n], "m", US),
    "expect": lambda ledger, certid, n: ledger.claim(certid, ClaimRequest((A, B)[n]), ANN),
}
steps = st.tuples(st.sampled_from([*EVENTS, *UNSEEN]), st.sampled_from([ONE, TWO, THREE]), st.integers(0, 1))


def who(certid: Fingerprint) -> Identity:
    return Identity(certid, ThingName(f"sensor-{certid[:2]}"), "PEM")


def in_lobby(ledger: Ledger, certid: Fingerprint = ONE) -> Device:
    return ledger.hello(ledger.admit(who(certid), US), None, US)


def step(ledger: Ledger, name: str, certid: Fingerprint, number: int) -> None:
    device = ledger.get(certid)
    try:
        if name in UNSEEN:
            UNSEEN[name](ledger, certid, number)
        elif device is not None:
            EVENTS[name](ledger, certid, device, number)
    except LobbyError:
        pass  # the event is not allowed and changes nothing


def in_order() -> dict[str, int]:
    return {tally.bucket.key: tally.count for tally in read_counts()}


@pytest.mark.slow
@given(st.lists(steps, max_size=30))
@settings(max_examples=examples(60), deadline=None)
def test_after_any_events_the_counts_match_the_rows(
    events: list[tuple[str, Fingerprint, int]],
) -> None:
    with aws.aws():
        ledger = Ledger(REGION, Clock(), lambda _attempt: None)
        for name, certid, number in events:
            step(ledger, name, certid, number)
            assert in_order() == aws.counts() == aws.recounted()


@pytest.mark.slow
@given(st.lists(st.tuples(steps, st.booleans()), max_size=12))
@settings(max_examples=examples(40), deadline=None)
def test_after_concurrent_writes_the_counts_match_the_rows(
    events: list[tuple[tuple[str, Fingerprint, int], bool]],
) -> None:
    """A marked event runs between the read and the write of the next one."""
    with aws.aws() as calls:
        ledger = Ledger(REGION, Clock(), lambda _attempt: None)
        waiting: list[tuple[str, Fingerprint, int]] = []

        def run_concurrently() -> None:
            while waiting:
                step(ledger, *waiting.pop())

        for one, between in events:
            if between:
                waiting.append(one)
                calls.meanwhile["TransactWriteItems"] = run_concurrently
                continue
            step(ledger, *one)
            assert aws.counts() == aws.recounted()


def test_counts_have_state_target_and_reason_and_no_empty_buckets(ledger: Ledger, calls: Calls) -> None:
    in_lobby(ledger)
    ledger.claim(TWO, ClaimRequest(A), ANN)
    ledger.claim(ONE, ClaimRequest(B), ANN)
    ledger.refuse(THREE, None, "EXPIRED", "too old", US)
    calls.forget()
    assert read_counts() == (
        Tally(Bucket(State.CLAIMED, B), 1),
        Tally(Bucket(State.EXPECTED, A), 1),
        Tally(Bucket(State.REFUSED, None, "EXPIRED"), 1),
    )
    assert calls.names() == ["Query"] * (1 + PARTITIONS)


def test_a_ledger_without_devices_counts_nothing(ledger: Ledger) -> None:
    assert read_counts() == ()


def test_a_state_of_another_version_is_returned_as_text(ledger: Ledger) -> None:
    aws.client("dynamodb").put_item(
        TableName="device-lobby-counts",
        Item={"kind": {"S": "devices"}, "bucket": {"S": f"resting|{A}||3"}, "count": {"N": "2"}},
    )
    assert read_counts() == (Tally(Bucket("resting", A), 2),)


def test_each_transition_adds_one_to_a_shard(calls: Calls, clock: Clock) -> None:
    shards = iter([0, 1, 15, 3])
    ledger = Ledger(REGION, clock, shard=lambda: next(shards))
    in_lobby(ledger)
    ledger.claim(ONE, ClaimRequest(A), ANN)
    parts = {
        (part["kind"]["S"], part["bucket"]["S"]): int(part["count"]["N"]) for part in aws.items("device-lobby-counts")
    }
    assert parts == {
        ("passages#0", ">knocking||#0"): 1,
        ("passages#1", "knocking||>inlobby||#1"): 1,
        ("passages#3", f"inlobby||>claimed|{A}|#15"): 1,
    }
    assert in_order() == {f"claimed|{A}|": 1}


def test_counts_of_an_earlier_version_are_added(ledger: Ledger) -> None:
    in_lobby(ledger)
    for shard, count in (("0", "5"), ("7", "-2")):
        key = {"kind": {"S": "devices"}, "bucket": {"S": f"inlobby|||{shard}"}}
        aws.client("dynamodb").put_item(TableName="device-lobby-counts", Item={**key, "count": {"N": count}})
    ledger.claim(ONE, ClaimRequest(A), ANN)
    assert in_order() == {f"claimed|{A}|": 1, "inlobby||": 3}


def test_counting_costs_no_call_and_one_item_of_the_transaction(ledger: Ledger, calls: Calls) -> None:
    device = in_lobby(ledger)
    calls.forget()
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    moved = ledger.retry(ONE, ANN)
    assert (device.devstate, claimed.devstate, moved.devstate) == (State.INLOBBY, State.CLAIMED, State.CLAIMED)
    first, second = calls.of("TransactWriteItems")
    assert (len(first.params["TransactItems"]), len(second.params["TransactItems"])) == (3, 2)
    assert calls.names() == ["GetItem", "TransactWriteItems"] * 2


def test_after_a_busy_count_another_shard_is_used(calls: Calls, clock: Clock) -> None:
    shards, waits = iter([5, 6]), []

    def waited(attempt: int) -> None:
        waits.append(attempt)
        calls.fails.clear()

    ledger = Ledger(REGION, clock, waited, lambda: next(shards))
    calls.fails["TransactWriteItems"] = cancelled("None", "None", "TransactionConflict")
    ledger.claim(ONE, ClaimRequest(A), ANN)
    assert waits == [0]
    assert [part["bucket"] for part in aws.items("device-lobby-counts")] == [{"S": f">expected|{A}|#6"}]


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


# Rows that are older than the counts.


def remove_counts(certid: Fingerprint) -> None:
    """Turn the row into one of 0.1.0."""
    LedgerRow(certid).update(actions=[LedgerRow.counted.remove(), LedgerRow.printhead.remove()])


def older_ledger(ledger: Ledger) -> None:
    """A ledger of 0.1.0: three rows without counts."""
    for certid in (ONE, TWO, THREE):
        in_lobby(ledger, certid)
    ledger.claim(TWO, ClaimRequest(A), ANN)
    for certid in (ONE, TWO, THREE):
        remove_counts(certid)
    aws.empty("device-lobby-counts")


def writer() -> Writer:
    return Writer(connection_of(), any_shard)


def test_an_older_row_is_counted_from_its_next_event_on(ledger: Ledger) -> None:
    older_ledger(ledger)
    ledger.claim(ONE, ClaimRequest(B), ANN)
    assert in_order() == {f"claimed|{B}|": 1}
    assert [found.certid for found in devices(Filter(fingerprint_prefix="0101")).devices] == [ONE]
    ledger.release(ONE, ANN)
    assert in_order() == {"inlobby||": 1}


def test_a_recount_counts_the_older_rows_and_only_those(ledger: Ledger, calls: Calls) -> None:
    older_ledger(ledger)
    ledger.claim(ONE, ClaimRequest(B), ANN)
    before = {certid: ledger.history(certid) for certid in (ONE, TWO, THREE)}
    assert recount(writer()) == 2
    assert in_order() == aws.recounted() == {f"claimed|{A}|": 1, f"claimed|{B}|": 1, "inlobby||": 1}
    assert {certid: ledger.history(certid) for certid in (ONE, TWO, THREE)} == before
    assert [found.certid for found in devices(Filter(fingerprint_prefix="0202")).devices] == [TWO]
    rows = aws.tables()
    calls.forget()
    assert recount(writer()) == 0
    assert aws.tables() == rows
    assert "TransactWriteItems" not in calls.names()


def test_a_recount_corrects_a_row_that_another_tool_has_changed(ledger: Ledger) -> None:
    in_lobby(ledger)
    LedgerRow(ONE).update(actions=[LedgerRow.devstate.set("knocking")])
    assert in_order() == {"inlobby||": 1}
    assert recount(writer()) == 1
    assert in_order() == {"knocking||": 1}


def test_a_concurrent_transition_and_recount_count_a_device_once(ledger: Ledger, calls: Calls) -> None:
    older_ledger(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.claim(ONE, ClaimRequest(B), ANN)
    assert recount(writer()) == 2
    assert in_order() == aws.recounted()


def test_a_concurrent_recount_and_transition_count_a_device_once(ledger: Ledger, calls: Calls) -> None:
    older_ledger(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: recount(writer())
    ledger.claim(THREE, ClaimRequest(B), ANN)
    assert in_order() == aws.recounted()


def test_concurrent_recounts_count_a_device_once(ledger: Ledger, calls: Calls) -> None:
    older_ledger(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: recount(writer())
    assert recount(writer()) == 0
    assert in_order() == aws.recounted()


@pytest.mark.slow
def test_a_recount_of_many_takes_few_transactions(ledger: Ledger, calls: Calls) -> None:
    with calls.uncounted():
        for number in range(70):
            certid = Fingerprint(f"{number:064x}")
            ledger.admit(Identity(certid, ThingName(f"sensor-{number}"), "PEM"), US)
            remove_counts(certid)
        aws.empty("device-lobby-counts")
    assert recount(writer()) == 70
    assert calls.count()["TransactWriteItems"] == 2
    assert in_order() == {"knocking||": 70}


def test_a_row_that_keeps_changing_is_an_error_and_does_not_block_others(ledger: Ledger, calls: Calls) -> None:
    older_ledger(ledger)

    def again() -> None:
        calls.meanwhile["TransactWriteItems"] = again
        row = LedgerRow.get(ONE)
        row.update(actions=[LedgerRow.version.add(1)])

    calls.meanwhile["TransactWriteItems"] = again
    with pytest.raises(Conflict, match="got rows that keep changing: 1"):
        recount(writer())
    assert in_order() == {f"claimed|{A}|": 1, "inlobby||": 1}
