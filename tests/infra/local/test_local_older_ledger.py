"""A ledger from before the counts is known as such, and counted where it is kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.errors import DeployFailed
from infra.local.older_ledger import is_older, recount
from lobby.names import parse_target
from tests.infra.local.test_local_cloud import of

LEDGER, COUNTS = "device-lobby-ledger", "device-lobby-counts"
CERTID = "ab" * 32
OLD = {
    "certid": {"S": CERTID}, "devstate": {"S": "inlobby"}, "enteredat": {"S": "2026-11-22T12:00:00.000Z"},
    "version": {"N": "2"}, "head": {"S": "0" * 64}, "generation": {"N": "0"}, "devicename": {"S": "sensor-1"},
}  # fmt: skip
"""A row as 0.1.0 wrote it."""


@pytest.fixture
def dynamodb(plain_cloud: Emulator) -> Iterator[Any]:
    client = of(plain_cloud, 0, "dynamodb")
    keys = {LEDGER: ("certid",), COUNTS: ("kind", "bucket")}
    for table, names in keys.items():
        client.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    yield client
    for table in keys:
        client.delete_table(TableName=table)


def test_a_ledger_with_devices_and_no_counts_is_older_and_then_no_more(dynamodb: Any, plain_cloud: Emulator) -> None:
    assert not is_older(dynamodb)
    dynamodb.put_item(TableName=LEDGER, Item=OLD)
    assert is_older(dynamodb)
    assert recount(plain_cloud.endpoint_url, plain_cloud.layout.lobby) == "devices counted anew: 1"
    assert not is_older(dynamodb)
    [count] = dynamodb.scan(TableName=COUNTS)["Items"]
    assert (count["bucket"]["S"].rpartition("|")[0], count["count"]) == ("inlobby||", {"N": "1"})
    row = dynamodb.get_item(TableName=LEDGER, Key={"certid": {"S": CERTID}})["Item"]
    assert row == OLD | {"counted": {"S": "inlobby||"}, "printhead": {"S": "abab"}, "kind": {"S": "device"}}


def test_a_recount_that_fails_says_what_it_saw(plain_cloud: Emulator) -> None:
    with pytest.raises(DeployFailed, match="ResourceNotFoundException") as failed:
        recount(plain_cloud.endpoint_url, parse_target("999999999999", "eu-west-1"))
    assert failed.value.code == "NOT_COUNTED"
