"""The notary anchors every entry once; any record that is not of a new entry raises an alarm."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.domain.history_audit import Fault, Verdict
from lobby.domain.transitions import ClaimRequest
from lobby.errors import MissingSettings
from lobby.ledger.anchors import anchor_key
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_target_key
from lobby.notary import handler
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.lobby.notary_fixture import (
    NOTARY_BUCKET,
    ONE,
    OTHER,
    TABLE,
    Item,
    NotaryFixture,
    inserted,
    items,
    record,
)

TARGET = parse_target_key("222222222222/eu-west-1")


@pytest.fixture
def notary(calls: Calls, ledger: Ledger, clock: Clock) -> NotaryFixture:
    with calls.uncounted():
        return NotaryFixture(ledger, clock)


def claim_and_revoke(ledger: Ledger, certid: Fingerprint = ONE) -> list[Item]:
    """Claim and revoke a device that was never seen; return its entries."""
    ledger.claim(certid, ClaimRequest(TARGET), "user:ann")
    ledger.revoke(certid, "lost", "user:ann")
    return items(certid)


def alarms(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the metrics in the log, as CloudWatch reads them."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_every_entry_is_anchored_by_one_empty_object(notary: NotaryFixture, ledger: Ledger, calls: Calls) -> None:
    entries = claim_and_revoke(ledger) + claim_and_revoke(ledger, OTHER)
    calls.forget()
    assert notary.process(*inserted(entries)) == []
    assert calls.names() == ["PutObject"] * 4
    assert {each["Size"] for each in notary.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"]} == {0}
    wanted = [
        anchor_key(Fingerprint(each["certid"]["S"]), int(each["seq"]["N"]), each["hash"]["S"]) for each in entries
    ]
    assert sorted(notary.versions()) == sorted(wanted)
    assert wanted[0] == f"entries/{ONE}/0000000001-{entries[0]['hash']['S']}"


def test_a_repeated_record_creates_no_second_version(notary: NotaryFixture, ledger: Ledger) -> None:
    records = inserted(claim_and_revoke(ledger))
    assert notary.process(*records, *records) == []
    first = notary.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"]
    assert notary.process(*records) == []
    assert notary.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"] == first
    assert len(first) == 2


def test_a_failed_record_is_retried_and_the_others_are_anchored(
    notary: NotaryFixture, ledger: Ledger, calls: Calls
) -> None:
    entries = claim_and_revoke(ledger)

    def busy(params: dict[str, Any], call: Any) -> Any:
        if "0000000001-" in params["Key"]:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        return call()

    calls.instead["PutObject"] = busy
    assert notary.process(*inserted(entries)) == ["1"]
    assert len(notary.versions()) == 1
    del calls.instead["PutObject"]
    assert notary.process(*inserted(entries)) == []
    assert len(notary.versions()) == 2


def test_new_entries_raise_no_alarm(notary: NotaryFixture, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    notary.process(*inserted(claim_and_revoke(ledger)))
    assert alarms(capsys) == []


def altered(item: Item) -> dict[str, Any]:
    return record(item | {"actor": {"S": "user:mallory"}}, item)


def with_another_hash(item: Item) -> dict[str, Any]:
    return record(item | {"hash": {"S": "f" * 64}}, item)


def removed(item: Item) -> dict[str, Any]:
    return record(None, item)


def without_a_hash(item: Item) -> dict[str, Any]:
    return record({key: value for key, value in item.items() if key != "hash"})


def with_an_invalid_hash(item: Item) -> dict[str, Any]:
    return record(item | {"hash": {"S": "../../" + "f" * 58}})


def of_no_device(item: Item) -> dict[str, Any]:
    return record(item | {"certid": {"S": "x/y"}})


def with_an_upper_case_fingerprint(item: Item) -> dict[str, Any]:
    return record(item | {"certid": {"S": item["certid"]["S"].upper()}})


def numbered_zero(item: Item) -> dict[str, Any]:
    return record(item | {"seq": {"N": "0"}})


def numbered_with_a_fraction(item: Item) -> dict[str, Any]:
    return record(item | {"seq": {"N": "1.5"}})


def numbered_too_high(item: Item) -> dict[str, Any]:
    return record(item | {"seq": {"N": "10000000000"}})


TAMPERING = (
    altered,
    with_another_hash,
    removed,
    without_a_hash,
    with_an_invalid_hash,
    of_no_device,
    with_an_upper_case_fingerprint,
    numbered_zero,
    numbered_with_a_fraction,
    numbered_too_high,
)


@pytest.mark.parametrize("tampered", TAMPERING, ids=lambda each: each.__name__)
def test_a_record_that_is_not_a_new_entry_raises_the_alarm_and_anchors_nothing(
    notary: NotaryFixture, ledger: Ledger, capsys: pytest.CaptureFixture[str], tampered: Any
) -> None:
    item = claim_and_revoke(ledger)[0]
    assert notary.process(tampered(item)) == []
    (counted,) = alarms(capsys)
    assert counted["HistoryTampered"] == [1]
    (directive,) = counted["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("DeviceLobby", [["service"]])
    assert counted["service"] == "notary"
    assert notary.versions() == []


def test_the_other_entries_of_a_batch_with_tampering_are_anchored(
    notary: NotaryFixture, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = claim_and_revoke(ledger)
    notary.process(removed(entries[0]), *inserted(entries), altered(entries[1]))
    assert [each["HistoryTampered"] for each in alarms(capsys)] == [[2]]
    assert len(notary.versions()) == 2


def test_the_log_has_the_old_and_new_content(
    notary: NotaryFixture, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    notary.process(altered(claim_and_revoke(ledger)[0]))
    (line,) = [vars(each) for each in caplog.records if each.levelname == "ERROR"]
    assert (line["event"], line["keys"]["certid"]["S"]) == ("MODIFY", ONE)
    assert (line["old"]["actor"]["S"], line["new"]["actor"]["S"]) == ("user:ann", "user:mallory")


def test_a_missing_bucket_name_is_an_error() -> None:
    with pytest.raises(MissingSettings, match="NOTARY_BUCKET"):
        handler({"Records": []}, None)


def test_the_handler_uses_the_given_notary_or_its_own(notary: NotaryFixture, ledger: Ledger) -> None:
    answer = handler({"Records": inserted(claim_and_revoke(ledger))}, None, lambda: notary.notary)
    assert answer == {"batchItemFailures": []}


def test_the_anchors_of_a_long_history_are_listed_page_by_page(notary: NotaryFixture, calls: Calls) -> None:
    def small(params: dict[str, Any], call: Any) -> Any:
        params["MaxKeys"] = 10
        return call()

    calls.instead["ListObjectVersions"] = small
    hashes = [f"{number:064x}" for number in range(1, 26)]
    for seq, hash_ in enumerate(hashes, start=1):
        notary.anchors.put(ONE, seq, hash_)
    notary.anchors.put(OTHER, 1, "f" * 64)
    assert [(anchor.seq, anchor.hash) for anchor in notary.anchors.of(ONE)] == list(enumerate(hashes, start=1))
    assert len(calls.of("ListObjectVersions")) == 3


def test_devices_are_listed_in_pages_including_those_with_deleted_anchors(notary: NotaryFixture) -> None:
    certids = [Fingerprint(f"{number:064x}") for number in range(7)]
    for certid in certids:
        for seq in (1, 2, 3):
            notary.anchors.put(certid, seq, "a" * 64)
    notary.s3.put_object(Bucket=NOTARY_BUCKET, Key="entries/no device's", Body=b"")
    for seq in (1, 2, 3):
        notary.s3.delete_object(Bucket=NOTARY_BUCKET, Key=anchor_key(certids[5], seq, "a" * 64))
    first = notary.histories.anchored(4)
    assert (list(first.certids), first.more) == (certids[:4], True)
    second = notary.histories.anchored(4, first.certids[-1])
    assert (list(second.certids), second.more) == (certids[4:], False)
    assert [anchor.removed for anchor in notary.anchors.of(certids[5])] == [True] * 3


@pytest.mark.parametrize(("seq", "hash_"), [(0, "f" * 64), (10**10, "f" * 64), (1, "F" * 64), (1, "f" * 63), (1, "")])
def test_an_invalid_number_or_hash_is_not_anchored(notary: NotaryFixture, seq: int, hash_: str) -> None:
    with pytest.raises(ValueError, match="want a fingerprint"):
        notary.anchors.put(ONE, seq, hash_)
    assert notary.versions() == []


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
