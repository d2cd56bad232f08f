"""The notary anchors every entry once; any record that is not of a new entry raises an alarm."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.errors import MissingSettings
from lobby.ledger.store import Ledger
from lobby.names import parse_target_key
from lobby.notary import handler
from tests.aws import Calls, Clock
from tests.functional.lobby.notary_fixture import (
    NOTARY_BUCKET,
    ONE,
    OTHER,
    Item,
    NotaryFixture,
    claim_and_revoke,
    inserted,
    record,
)

TARGET = parse_target_key("222222222222/eu-west-1")


@pytest.fixture
def notary(calls: Calls, ledger: Ledger, clock: Clock) -> NotaryFixture:
    with calls.uncounted():
        return NotaryFixture(ledger, clock)


def alarms(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the metrics in the log, as CloudWatch reads them."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_the_entries_of_each_device_in_a_batch_are_anchored_by_one_empty_object(
    notary: NotaryFixture, ledger: Ledger, calls: Calls
) -> None:
    one, other = claim_and_revoke(ledger), claim_and_revoke(ledger, OTHER)
    mixed = [one[0], other[0], one[1], other[1]]
    calls.forget()
    assert notary.process(*inserted(mixed)) == []
    assert calls.names() == ["PutObject"] * 2
    assert {each["Size"] for each in notary.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"]} == {0}
    assert sorted(notary.versions()) == [
        f"entries/{certid}/0000000001-{first['hash']['S']}-{second['hash']['S']}"
        for certid, (first, second) in ((ONE, one), (OTHER, other))
    ]


def test_entries_of_one_transaction_are_anchored_by_one_object_in_any_order(
    notary: NotaryFixture, ledger: Ledger
) -> None:
    first, second = claim_and_revoke(ledger)
    notary.process(*inserted([second, first]))
    assert notary.versions() == [f"entries/{ONE}/0000000001-{first['hash']['S']}-{second['hash']['S']}"]


def test_an_entry_in_a_later_batch_is_anchored_by_an_object_of_its_own(notary: NotaryFixture, ledger: Ledger) -> None:
    first, second = claim_and_revoke(ledger)
    notary.process(*inserted([first]))
    assert (notary.verdict().anchored, notary.verdict().pending) == (1, 1)
    notary.process(*inserted([second]))
    assert notary.versions() == [
        f"entries/{ONE}/{number:010}-{each['hash']['S']}" for number, each in enumerate((first, second), 1)
    ]
    assert (notary.verdict().fault, notary.verdict().anchored) == (None, 2)


def test_a_batch_that_overlaps_an_earlier_one_leaves_the_history_valid(notary: NotaryFixture, ledger: Ledger) -> None:
    """Lambda delivers records again, perhaps in other batches."""
    first, second = claim_and_revoke(ledger)
    notary.process(*inserted([first]))
    notary.process(*inserted([first, second]))
    notary.process(*inserted([second]))
    assert len(notary.versions()) == 3
    assert (notary.verdict().fault, notary.verdict().anchored) == (None, 2)


def test_a_repeated_record_creates_no_second_version(notary: NotaryFixture, ledger: Ledger) -> None:
    records = inserted(claim_and_revoke(ledger))
    assert notary.process(*records, *records) == []
    first = notary.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"]
    assert notary.process(*records) == []
    assert notary.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"] == first
    assert len(first) == 1


def test_a_failed_record_is_retried_and_the_others_are_anchored(
    notary: NotaryFixture, ledger: Ledger, calls: Calls
) -> None:
    entries = claim_and_revoke(ledger) + claim_and_revoke(ledger, OTHER)

    def busy(params: dict[str, Any], call: Any) -> Any:
        if ONE in params["Key"]:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        return call()

    calls.instead["PutObject"] = busy
    assert notary.process(*inserted(entries)) == ["1", "2"]
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
    assert len(notary.anchors.of(ONE)) == 2


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
