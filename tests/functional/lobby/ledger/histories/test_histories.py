"""Anchors and histories: lists of anchors, and the verification of histories in the tables."""

from typing import Any

import pytest

from lobby.domain.history.history_audit import Fault, Verdict
from lobby.ledger.histories.anchor_runs import MAX_RUN, Run
from lobby.ledger.histories.anchors import anchor_key
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.lobby.notary_fixture import (
    NOTARY_BUCKET,
    ONE,
    OTHER,
    TABLE,
    Item,
    NotaryFixture,
    claim_and_revoke,
    inserted,
)


@pytest.fixture
def notary(calls: Calls, ledger: Ledger, clock: Clock) -> NotaryFixture:
    with calls.uncounted():
        return NotaryFixture(ledger, clock)


def test_the_anchors_of_a_long_history_are_listed_page_by_page(notary: NotaryFixture, calls: Calls) -> None:
    def small(params: dict[str, Any], call: Any) -> Any:
        params["MaxKeys"] = 10
        return call()

    calls.instead["ListObjectVersions"] = small
    hashes = [f"{number:064x}" for number in range(1, 26)]
    for seq, hash_ in enumerate(hashes, start=1):
        notary.anchors.put(Run(ONE, seq, (hash_,)))
    notary.anchors.put(Run(OTHER, 1, ("f" * 64,)))
    assert [(anchor.seq, anchor.hash) for anchor in notary.anchors.of(ONE)] == list(enumerate(hashes, start=1))
    assert len(calls.of("ListObjectVersions")) == 3


def test_devices_are_listed_in_pages_including_those_with_deleted_anchors(notary: NotaryFixture) -> None:
    certids = [Fingerprint(f"{number:064x}") for number in range(7)]
    for certid in certids:
        for seq in (1, 2, 3):
            notary.anchors.put(Run(certid, seq, ("a" * 64,)))
    notary.s3.put_object(Bucket=NOTARY_BUCKET, Key="entries/no device's", Body=b"")
    for seq in (1, 2, 3):
        notary.s3.delete_object(Bucket=NOTARY_BUCKET, Key=anchor_key(Run(certids[5], seq, ("a" * 64,))))
    first = notary.histories.anchored(4)
    assert (list(first.certids), first.more) == (certids[:4], True)
    second = notary.histories.anchored(4, first.certids[-1])
    assert (list(second.certids), second.more) == (certids[4:], False)
    assert [anchor.removed for anchor in notary.anchors.of(certids[5])] == [True] * 3


@pytest.mark.parametrize(
    ("first", "hashes"),
    [
        (0, ["f" * 64]),
        (10**10, ["f" * 64]),
        (10**10 - 1, ["f" * 64, "e" * 64]),
        (1, ["F" * 64]),
        (1, ["f" * 63]),
        (1, [""]),
        (1, []),
        (1, ["f" * 64] * (MAX_RUN + 1)),
        (1, ["f" * 64, "../x"]),
    ],
)
def test_an_invalid_number_or_hash_is_not_anchored(notary: NotaryFixture, first: int, hashes: list[str]) -> None:
    with pytest.raises(ValueError, match="want a fingerprint"):
        notary.anchors.put(Run(ONE, first, tuple(hashes)))
    assert notary.versions() == []


def test_the_longest_run_fits_into_a_key_of_s3(notary: NotaryFixture) -> None:
    run = Run(ONE, 10**10 - MAX_RUN, tuple(f"{number:064x}" for number in range(MAX_RUN)))
    assert len(anchor_key(run)) <= 1024
    notary.anchors.put(run)
    assert [(anchor.seq, anchor.hash) for anchor in notary.anchors.of(ONE)] == [
        (entry.seq, entry.hash) for entry in run.entries()
    ]


def test_an_entry_in_two_objects_has_one_anchor_and_the_deletion_of_either_is_found(notary: NotaryFixture) -> None:
    runs = [Run(ONE, 1, ("a" * 64,)), Run(ONE, 1, ("a" * 64, "b" * 64))]
    for run in runs:
        notary.anchors.put(run)
    assert [(anchor.seq, anchor.removed) for anchor in notary.anchors.of(ONE)] == [(1, False), (2, False)]
    notary.s3.delete_object(Bucket=NOTARY_BUCKET, Key=anchor_key(runs[1]))
    assert [(anchor.seq, anchor.removed) for anchor in notary.anchors.of(ONE)] == [(1, True), (2, True)]


def test_two_hashes_of_one_entry_in_different_runs_are_two_anchors(notary: NotaryFixture) -> None:
    notary.anchors.put(Run(ONE, 1, ("a" * 64, "b" * 64)))
    notary.anchors.put(Run(ONE, 2, ("c" * 64,)))
    assert [(anchor.seq, anchor.hash[0]) for anchor in notary.anchors.of(ONE)] == [(1, "a"), (2, "b"), (2, "c")]


def test_a_history_is_verified_with_three_reads(notary: NotaryFixture, ledger: Ledger, calls: Calls) -> None:
    notary.process(*inserted(claim_and_revoke(ledger)))
    calls.forget()
    assert notary.histories.verify(ONE) == Verdict(entries=2, anchored=2, pending=0)
    assert calls.names() == ["ListObjectVersions", "Query", "GetItem"]


def test_an_unknown_device_has_no_verdict(notary: NotaryFixture) -> None:
    assert notary.histories.verify(OTHER) is None


def test_a_change_between_the_reads_is_not_a_fault(notary: NotaryFixture, ledger: Ledger, calls: Calls) -> None:
    notary.process(*inserted(claim_and_revoke(ledger)))
    calls.meanwhile["GetItem"] = lambda: ledger.retry(ONE, "user:ann")
    assert notary.histories.verify(ONE) == Verdict(entries=3, anchored=2, pending=1)
    calls.meanwhile["Query"] = lambda: ledger.retry(ONE, "user:ann")
    assert notary.histories.verify(ONE) == Verdict(entries=4, anchored=2, pending=2)


def _put(item: Item) -> None:
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize(
    "changes",
    [
        {"event": {"S": "nonsense"}},
        {"after": {"S": "nowhere"}},
        {"generation": {"S": "many"}},
        {"actor": {"N": "1"}},
        {"added": {"S": "more"}},
        {"hash": {"N": "5"}},
    ],
    ids=str,
)
def test_an_unreadable_entry_is_reported_with_its_number(notary: NotaryFixture, ledger: Ledger, changes: Item) -> None:
    entries = claim_and_revoke(ledger)
    notary.process(*inserted(entries))
    _put(entries[1] | changes)
    verdict = notary.verdict()
    assert (verdict.seq, verdict.fault) == (2, Fault.ALTERED)


@pytest.mark.parametrize("number", ["0", "-3", "2.5", "12345678901234567890"])
def test_an_entry_with_an_invalid_number_is_reported(notary: NotaryFixture, ledger: Ledger, number: str) -> None:
    entries = claim_and_revoke(ledger)
    notary.process(*inserted(entries))
    _put(entries[1] | {"seq": {"N": number}})
    verdict = notary.verdict()
    assert (verdict.ok, verdict.fault) == (False, Fault.ALTERED)


def test_an_unreadable_row_is_a_fault(notary: NotaryFixture, ledger: Ledger) -> None:
    notary.process(*inserted(claim_and_revoke(ledger)))
    row = aws.item(ONE)
    assert row
    aws.client("dynamodb").put_item(TableName="device-lobby-ledger", Item=row | {"devstate": {"S": "nowhere"}})
    assert notary.verdict().fault is Fault.ROW_DIFFERS


def test_reading_a_history_with_an_invalid_entry_is_an_error(ledger: Ledger) -> None:
    entries = claim_and_revoke(ledger)
    _put(entries[1] | {"event": {"S": "nonsense"}})
    with pytest.raises(ValueError, match="nonsense"):
        ledger.history(ONE)
    assert HistoryRow.count(ONE) == 2
