"""The notary: every entry anchored once, however its record comes; what is no new entry raises an alarm."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby import notary
from lobby.domain.history_audit import Fault, Verdict
from lobby.domain.transitions import ClaimRequest
from lobby.errors import MissingSettings
from lobby.ledger.anchors import anchor_key
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_target_key
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.lobby.notary_office import NOTARY_BUCKET, ONE, OTHER, TABLE, Item, Office, inserted, items, record

TARGET = parse_target_key("222222222222/eu-west-1")


@pytest.fixture
def office(calls: Calls, ledger: Ledger, clock: Clock) -> Office:
    with calls.uncounted():
        return Office(ledger, clock)


def lives(ledger: Ledger, certid: Fingerprint = ONE) -> list[Item]:
    """Claimed before it was ever seen, revoked."""
    ledger.claim(certid, ClaimRequest(TARGET), "user:ann")
    ledger.revoke(certid, "lost", "user:ann")
    return items(certid)


def alarms(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What CloudWatch would count, from what was written to the log."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_every_entry_is_anchored_by_one_put_of_an_empty_object(office: Office, ledger: Ledger, calls: Calls) -> None:
    found = lives(ledger) + lives(ledger, OTHER)
    calls.forget()
    assert office.take(*inserted(found)) == []
    assert calls.names() == ["PutObject"] * 4
    assert {each["Size"] for each in office.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"]} == {0}
    wanted = [anchor_key(Fingerprint(each["certid"]["S"]), int(each["seq"]["N"]), each["hash"]["S"]) for each in found]
    assert sorted(office.versions()) == sorted(wanted)
    assert wanted[0] == f"entries/{ONE}/0000000001-{found[0]['hash']['S']}"


def test_a_record_that_comes_again_makes_no_second_version(office: Office, ledger: Ledger) -> None:
    records = inserted(lives(ledger))
    assert office.take(*records, *records) == []
    first = office.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"]
    assert office.take(*records) == []
    assert office.s3.list_object_versions(Bucket=NOTARY_BUCKET)["Versions"] == first
    assert len(first) == 2


def test_what_s3_does_not_take_is_delivered_again_and_the_others_are_anchored(
    office: Office, ledger: Ledger, calls: Calls
) -> None:
    found = lives(ledger)

    def busy(params: dict[str, Any], call: Any) -> Any:
        if "0000000001-" in params["Key"]:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        return call()

    calls.instead["PutObject"] = busy
    assert office.take(*inserted(found)) == ["1"]
    assert len(office.versions()) == 1
    del calls.instead["PutObject"]
    assert office.take(*inserted(found)) == []
    assert len(office.versions()) == 2


def test_new_entries_are_no_alarm(office: Office, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    office.take(*inserted(lives(ledger)))
    assert alarms(capsys) == []


def altered(item: Item) -> dict[str, Any]:
    return record(item | {"actor": {"S": "user:mallory"}}, item)


def with_another_hash(item: Item) -> dict[str, Any]:
    return record(item | {"hash": {"S": "f" * 64}}, item)


def removed(item: Item) -> dict[str, Any]:
    return record(None, item)


def without_a_hash(item: Item) -> dict[str, Any]:
    return record({key: value for key, value in item.items() if key != "hash"})


def with_a_hash_that_is_none(item: Item) -> dict[str, Any]:
    return record(item | {"hash": {"S": "../../" + "f" * 58}})


def of_no_device(item: Item) -> dict[str, Any]:
    return record(item | {"certid": {"S": "x/y"}})


def written_unlike_a_fingerprint(item: Item) -> dict[str, Any]:
    return record(item | {"certid": {"S": item["certid"]["S"].upper()}})


def numbered_zero(item: Item) -> dict[str, Any]:
    return record(item | {"seq": {"N": "0"}})


def numbered_between(item: Item) -> dict[str, Any]:
    return record(item | {"seq": {"N": "1.5"}})


def numbered_beyond(item: Item) -> dict[str, Any]:
    return record(item | {"seq": {"N": "10000000000"}})


TAMPERING = (
    altered,
    with_another_hash,
    removed,
    without_a_hash,
    with_a_hash_that_is_none,
    of_no_device,
    written_unlike_a_fingerprint,
    numbered_zero,
    numbered_between,
    numbered_beyond,
)


@pytest.mark.parametrize("tampered", TAMPERING, ids=lambda each: each.__name__)
def test_whatever_is_no_new_entry_is_counted_for_the_alarm_and_anchors_nothing(
    office: Office, ledger: Ledger, capsys: pytest.CaptureFixture[str], tampered: Any
) -> None:
    item = lives(ledger)[0]
    assert office.take(tampered(item)) == []
    (counted,) = alarms(capsys)
    assert counted["HistoryTampered"] == [1]
    (directive,) = counted["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("DeviceLobby", [["service"]])
    assert counted["service"] == "notary"
    assert office.versions() == []


def test_an_alarm_in_a_batch_keeps_no_entry_from_its_anchor(
    office: Office, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    found = lives(ledger)
    office.take(removed(found[0]), *inserted(found), altered(found[1]))
    assert [each["HistoryTampered"] for each in alarms(capsys)] == [[2]]
    assert len(office.versions()) == 2


def test_the_log_has_what_was_there(office: Office, ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    office.take(altered(lives(ledger)[0]))
    (line,) = [vars(each) for each in caplog.records if each.levelname == "ERROR"]
    assert (line["event"], line["keys"]["certid"]["S"]) == ("MODIFY", ONE)
    assert (line["old"]["actor"]["S"], line["new"]["actor"]["S"]) == ("user:ann", "user:mallory")


def test_without_its_bucket_s_name_it_says_so() -> None:
    with pytest.raises(MissingSettings, match="NOTARY_BUCKET"):
        notary.handler({"Records": []}, None)


def test_the_handler_is_given_its_notary_or_makes_it(office: Office, ledger: Ledger) -> None:
    answer = notary.handler({"Records": inserted(lives(ledger))}, None, lambda: office.notary)
    assert answer == {"batchItemFailures": []}


def test_a_device_of_many_entries_is_listed_page_by_page(office: Office, calls: Calls) -> None:
    def small(params: dict[str, Any], call: Any) -> Any:
        params["MaxKeys"] = 10
        return call()

    calls.instead["ListObjectVersions"] = small
    hashes = [f"{number:064x}" for number in range(1, 26)]
    for seq, hash_ in enumerate(hashes, start=1):
        office.anchors.put(ONE, seq, hash_)
    office.anchors.put(OTHER, 1, "f" * 64)
    assert [(anchor.seq, anchor.hash) for anchor in office.anchors.of(ONE)] == list(enumerate(hashes, start=1))
    assert len(calls.of("ListObjectVersions")) == 3


def test_devices_come_in_pages_also_those_whose_anchors_somebody_deleted(office: Office) -> None:
    certids = [Fingerprint(f"{number:064x}") for number in range(7)]
    for certid in certids:
        for seq in (1, 2, 3):
            office.anchors.put(certid, seq, "a" * 64)
    office.s3.put_object(Bucket=NOTARY_BUCKET, Key="entries/no device's", Body=b"")
    for seq in (1, 2, 3):
        office.s3.delete_object(Bucket=NOTARY_BUCKET, Key=anchor_key(certids[5], seq, "a" * 64))
    first = office.histories.anchored(4)
    assert (list(first.certids), first.more) == (certids[:4], True)
    second = office.histories.anchored(4, first.certids[-1])
    assert (list(second.certids), second.more) == (certids[4:], False)
    assert [anchor.removed for anchor in office.anchors.of(certids[5])] == [True] * 3


@pytest.mark.parametrize(("seq", "hash_"), [(0, "f" * 64), (10**10, "f" * 64), (1, "F" * 64), (1, "f" * 63), (1, "")])
def test_no_anchor_is_made_of_what_no_entry_has(office: Office, seq: int, hash_: str) -> None:
    with pytest.raises(ValueError, match="want a fingerprint"):
        office.anchors.put(ONE, seq, hash_)
    assert office.versions() == []


def test_a_history_with_its_row_and_anchors_is_verified_by_three_reads(
    office: Office, ledger: Ledger, calls: Calls
) -> None:
    office.take(*inserted(lives(ledger)))
    calls.forget()
    assert office.histories.verify(ONE) == Verdict(entries=2, anchored=2, pending=0)
    assert calls.names() == ["ListObjectVersions", "Query", "GetItem"]


def test_a_history_of_nobody_is_not_verified(office: Office) -> None:
    assert office.histories.verify(OTHER) is None


def test_a_change_between_the_reads_is_no_fault(office: Office, ledger: Ledger, calls: Calls) -> None:
    office.take(*inserted(lives(ledger)))
    calls.meanwhile["GetItem"] = lambda: ledger.retry(ONE, "user:ann")
    assert office.histories.verify(ONE) == Verdict(entries=3, anchored=2, pending=1)
    calls.meanwhile["Query"] = lambda: ledger.retry(ONE, "user:ann")
    assert office.histories.verify(ONE) == Verdict(entries=4, anchored=2, pending=2)


def _put(item: Item) -> None:
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize(
    "spoilt",
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
def test_an_entry_that_cannot_be_read_any_more_is_named_all_the_same(
    office: Office, ledger: Ledger, spoilt: Item
) -> None:
    found = lives(ledger)
    office.take(*inserted(found))
    _put(found[1] | spoilt)
    verdict = office.verdict()
    assert (verdict.seq, verdict.fault) == (2, Fault.ALTERED)


@pytest.mark.parametrize("number", ["0", "-3", "2.5", "12345678901234567890"])
def test_an_entry_with_an_odd_number_is_named(office: Office, ledger: Ledger, number: str) -> None:
    found = lives(ledger)
    office.take(*inserted(found))
    _put(found[1] | {"seq": {"N": number}})
    verdict = office.verdict()
    assert (verdict.ok, verdict.fault) == (False, Fault.ALTERED)


def test_a_row_that_cannot_be_read_any_more_is_a_fault_too(office: Office, ledger: Ledger) -> None:
    office.take(*inserted(lives(ledger)))
    row = aws.item(ONE)
    assert row
    aws.client("dynamodb").put_item(TableName="device-lobby-ledger", Item=row | {"devstate": {"S": "nowhere"}})
    assert office.verdict().fault is Fault.ROW_DIFFERS


def test_the_ledger_s_own_reading_refuses_an_entry_that_is_none(ledger: Ledger) -> None:
    found = lives(ledger)
    _put(found[1] | {"event": {"S": "nonsense"}})
    with pytest.raises(ValueError, match="nonsense"):
        ledger.history(ONE)
    assert HistoryRow.count(ONE) == 2
