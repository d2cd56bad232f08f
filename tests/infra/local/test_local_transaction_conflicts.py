"""Operations on the items of a DynamoDB transaction that has not ended."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.transaction_conflicts import conflict, named_items, operation_of
from infra.local.strictness import RELAXED, Strictness

KEYS = {"t": ("id",), "s": ("id", "at")}


def _keys(table: str) -> tuple[str, ...]:
    return KEYS[table]


@pytest.mark.parametrize(
    ("target", "operation"),
    [
        ("DynamoDB_20120810.PutItem", "PutItem"),
        ("DynamoDB_20120810.TransactWriteItems", "TransactWriteItems"),
        ("DynamoDB_20120810.GetItem", None),
        ("DynamoDB_20120810.Query", None),
        ("AmazonSQS.PutItem", None),
        ("", None),
    ],
)
def test_plain_reads_and_other_services_never_conflict(target: str, operation: str | None) -> None:
    assert operation_of({"x-amz-target": target}) == operation


@pytest.mark.parametrize(
    ("operation", "request_", "items"),
    [
        ("PutItem", {"TableName": "t", "Item": {"id": {"S": "a"}, "x": {"N": "1"}}}, [("t", '{"S": "a"}')]),
        ("UpdateItem", {"TableName": "t", "Key": {"id": {"S": "a"}}}, [("t", '{"S": "a"}')]),
        (
            "DeleteItem",
            {"TableName": "arn:aws:dynamodb:us-east-1:1:table/s", "Key": {"id": {"S": "a"}, "at": {"N": "2"}}},
            [("s", '{"S": "a"}', '{"N": "2"}')],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": {"id": {"S": "a"}}}},
                    {"ConditionCheck": {"TableName": "t", "Key": {"id": {"S": "b"}}}},
                ]
            },
            [("t", '{"S": "a"}'), ("t", '{"S": "b"}')],
        ),
        ("PutItem", {"TableName": "t", "Item": {}}, []),
        ("PutItem", [], []),
        ("TransactWriteItems", {"TransactItems": [3]}, []),
    ],
    ids=["put", "update", "delete by ARN", "transaction", "no key", "list", "malformed"],
)
def test_the_items_of_a_request_are_found(operation: str, request_: Any, items: list[tuple[str, ...]]) -> None:
    names = {"arn:aws:dynamodb:us-east-1:1:table/s": KEYS["s"], **KEYS}
    assert named_items(operation, json.dumps(request_).encode(), names.__getitem__) == items


def test_a_transaction_names_the_items_in_conflict() -> None:
    body = json.loads(conflict("TransactWriteItems", [False, True])[2])
    assert [reason["Code"] for reason in body["CancellationReasons"]] == ["None", "TransactionConflict"]
    assert body["Message"].endswith("[None, TransactionConflict]")


def test_concurrent_transactions_on_one_item_conflict(emulator: Emulator) -> None:
    scope = emulator.layout.lobby
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=8)
    tables = emulator.session(scope.account, scope.region).client("dynamodb", config=config)
    tables.create_table(
        TableName="conflicts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    update = {
        "TableName": "conflicts",
        "Key": {"id": {"S": "one"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }

    def write(number: int) -> str:
        try:
            if number % 2:
                tables.update_item(**update)
            else:
                tables.transact_write_items(TransactItems=[{"Update": update}])
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    emulator.enforce(Strictness(transaction_conflicts=True))
    try:
        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(write, range(80)))
    finally:
        emulator.enforce(RELAXED)
    assert set(outcomes) == {"", "TransactionCanceledException", "TransactionConflictException"}
    written = tables.get_item(TableName="conflicts", Key={"id": {"S": "one"}})["Item"]["n"]["N"]
    assert int(written) == outcomes.count("")
