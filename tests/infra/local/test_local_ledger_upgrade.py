"""A ledger of a version without counts or anchors is detected and upgraded."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.emulator import Emulator, LocalSession
from infra.local.errors import DeployFailed
from infra.local.ledger_upgrade import anchor, is_unanchored, is_uncounted, recount
from lobby.deployment import NAMES
from lobby.domain.device import GENESIS, Entry
from lobby.domain.states import Event, State
from lobby.ledger.items import row_of
from lobby.names import Fingerprint, parse_target
from tests.infra.local.emulated_cloud import aws

LEDGER, COUNTS, HISTORY = "device-lobby-ledger", "device-lobby-counts", "device-lobby-history"
CERTID = "ab" * 32
OLD = {
    "certid": {"S": CERTID},
    "devstate": {"S": "inlobby"},
    "enteredat": {"S": "2026-11-22T12:00:00.000Z"},
    "version": {"N": "2"},
    "head": {"S": "0" * 64},
    "generation": {"N": "0"},
    "devicename": {"S": "sensor-1"},
}
"""A row as version 0.1.0 wrote it."""


@pytest.fixture
def dynamodb(emulator: Emulator) -> Iterator[Any]:
    client = aws(emulator, 0, "dynamodb")
    keys = {LEDGER: ("certid",), COUNTS: ("kind", "bucket"), HISTORY: ("certid", "seq")}
    for table, names in keys.items():
        client.create_table(
            TableName=table,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "N" if name == "seq" else "S"} for name in names
            ],
            KeySchema=[
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    yield client
    for table in keys:
        client.delete_table(TableName=table)


def _root(emulator: Emulator) -> LocalSession:
    lobby = emulator.layout.lobby
    return emulator.session(lobby.account, lobby.region)


def test_a_ledger_with_devices_and_no_counts_is_counted_once(dynamodb: Any, emulator: Emulator) -> None:
    assert not is_uncounted(dynamodb)
    dynamodb.put_item(TableName=LEDGER, Item=OLD)
    assert is_uncounted(dynamodb)
    assert recount(_root(emulator), emulator.layout.lobby) == "devices counted: 1"
    assert not is_uncounted(dynamodb)
    [count] = dynamodb.scan(TableName=COUNTS)["Items"]
    assert (count["bucket"]["S"].rpartition("#")[0], count["count"]) == (">inlobby||", {"N": "1"})
    row = dynamodb.get_item(TableName=LEDGER, Key={"certid": {"S": CERTID}})["Item"]
    assert row == OLD | {"counted": {"S": "inlobby||"}, "printhead": {"S": "abab"}}


def test_a_failed_recount_reports_its_error(emulator: Emulator) -> None:
    with pytest.raises(DeployFailed, match="ResourceNotFoundException") as failed:
        recount(_root(emulator), parse_target("999999999999", "eu-west-1"))
    assert failed.value.code == "NOT_COUNTED"


def test_a_history_without_anchors_is_anchored_once(dynamodb: Any, emulator: Emulator) -> None:
    s3, lobby = aws(emulator, 0, "s3"), emulator.layout.lobby
    bucket = NAMES.notary_bucket(lobby.account, lobby.region)
    s3.create_bucket(Bucket=bucket)
    assert not is_unanchored(dynamodb, s3, lobby)
    entry = Entry(
        Fingerprint(CERTID),
        1,
        "2026-01-01T00:00:00.000Z",
        "user:ann",
        Event.REVOKE,
        None,
        State.REVOKED,
        1,
        None,
        None,
        GENESIS,
    ).with_hash()
    dynamodb.put_item(TableName=HISTORY, Item=row_of(entry).to_dynamodb_dict())
    row = OLD | {"devstate": {"S": "revoked"}, "version": {"N": "1"}, "generation": {"N": "1"}}
    dynamodb.put_item(TableName=LEDGER, Item=row | {"head": {"S": entry.hash}})
    assert is_unanchored(dynamodb, s3, lobby)
    assert anchor(_root(emulator), lobby) == "entries anchored: 1, of 1 devices"
    assert not is_unanchored(dynamodb, s3, lobby)
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == f"entries/{CERTID}/0000000001-{entry.hash}"
    dynamodb.put_item(TableName=LEDGER, Item=row)
    assert "entry 1: ROW_DIFFERS" in anchor(_root(emulator), lobby)
    with pytest.raises(DeployFailed, match="ResourceNotFound") as failed:
        anchor(_root(emulator), parse_target("999999999999", "eu-west-1"))
    assert failed.value.code == "NOT_ANCHORED"
