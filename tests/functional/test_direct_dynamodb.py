"""A direct call of moto's DynamoDB has the same result, the same error and the same effect as one over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from tests import aws, direct_dynamodb
from tests.aws import REGION, Calls

TABLE = "all-types"
VALUES: dict[str, Any] = {
    "text": {"S": "a.b"},
    "number": {"N": "1.5"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "bytes": {"B": b"\x00\x01"},
    "texts": {"SS": ["x", "y"]},
    "list": {"L": [{"S": "x"}, {"L": []}, {"M": {"B": {"B": b"\xff"}}}]},
    "map": {"M": {"S": {"S": "a key like a type"}}},
}
NAMES = {"#t": "text", "#l": "list"}
KEY = {"id": {"S": "one"}}
ABSENT = {"id": {"S": "absent"}}
TEXT = {":text": {"S": "a.b"}}
IN_TABLE: dict[str, Any] = {"TableName": TABLE}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "get": ("GetItem", {"Key": KEY, "ConsistentRead": True}),
    "get a part": (
        "GetItem",
        {"Key": KEY, "ProjectionExpression": "#l,number", "ExpressionAttributeNames": {"#l": "list"}},
    ),
    "get nothing": ("GetItem", {"Key": ABSENT, "ReturnConsumedCapacity": "TOTAL"}),
    "get from no table": ("GetItem", {"Key": KEY, "TableName": "absent"}),
    "put": ("PutItem", {"Item": ABSENT | VALUES}),
    "put and return": ("PutItem", {"Item": KEY, "ReturnValues": "ALL_OLD"}),
    "put on a condition that fails": ("PutItem", {"Item": KEY, "ConditionExpression": "attribute_not_exists(id)"}),
    "update": (
        "UpdateItem",
        {
            "Key": KEY,
            "UpdateExpression": "SET #t = :new, #l = list_append(#l, :more) REMOVE flag",
            "ExpressionAttributeNames": NAMES,
            "ExpressionAttributeValues": {":new": {"S": "changed"}, ":more": {"L": [{"B": b"\x02"}]}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    "update on a condition that fails": (
        "UpdateItem",
        {
            "Key": KEY,
            "UpdateExpression": "REMOVE flag",
            "ConditionExpression": "number = :text",
            "ExpressionAttributeValues": TEXT,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    ),
    "delete": ("DeleteItem", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
    "query": (
        "Query",
        {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": KEY["id"]}, "Limit": 1},
    ),
    "count": (
        "Query",
        {
            "KeyConditionExpression": "id = :id",
            "ExpressionAttributeValues": {":id": KEY["id"]},
            "Select": "COUNT",
            "ReturnConsumedCapacity": "INDEXES",
        },
    ),
    "scan": ("Scan", {"FilterExpression": "#t = :text", "ExpressionAttributeNames": {"#t": "text"}}),
    "get several": ("BatchGetItem", {"RequestItems": {TABLE: {"Keys": [KEY, ABSENT]}}}),
    "write several": ("BatchWriteItem", {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": KEY}}]}}),
    "a transaction": (
        "TransactWriteItems",
        {"TransactItems": [{"Put": IN_TABLE | {"Item": ABSENT}}, {"Delete": IN_TABLE | {"Key": KEY}}]},
    ),
    "a transaction that is rejected": (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": IN_TABLE | {"Item": ABSENT}},
                {"ConditionCheck": IN_TABLE | {"Key": KEY, "ConditionExpression": "attribute_exists(absent)"}},
            ]
        },
    ),
}
SINGLE = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}
CALLS["scan"][1]["ExpressionAttributeValues"] = TEXT


def client() -> BaseClient:
    """Return a client as PynamoDB's: without a validation of parameters."""
    return Session().create_client("dynamodb", REGION, config=Config(parameter_validation=False))


def outcome(operation: str, params: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """Return the response or the error of a call for a new table with one item, and the content of the table."""
    dynamodb: Any = client()
    dynamodb.create_table(
        **IN_TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(**IN_TABLE, Item=KEY | VALUES)
    result: Any
    try:
        result = dynamodb._make_api_call(operation, (IN_TABLE if operation in SINGLE else {}) | params)
        del result["ResponseMetadata"]
    except ClientError as error:
        del error.response["ResponseMetadata"]
        result = (type(error).__name__, str(error), error.response)
    items = aws.items(TABLE)
    dynamodb.delete_table(**IN_TABLE)
    return result, items


@pytest.mark.parametrize("name", CALLS)
def test_a_direct_call_is_like_one_over_http(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    over_http: list[str] = []
    original = direct_dynamodb.call

    def observed(client: BaseClient, operation: str, params: dict[str, Any], send: Callable[[], Any]) -> Any:
        def counted() -> Any:
            over_http.append(operation)
            return send()

        return original(client, operation, params, counted)

    with aws.aws(over_http=True):
        expected = outcome(*CALLS[name])
    with aws.aws():
        monkeypatch.setattr(direct_dynamodb, "call", observed)
        assert outcome(*CALLS[name]) == expected
    failed = [CALLS[name][0]] if isinstance(expected[0], tuple) else []
    assert over_http == ["CreateTable", *failed, "DeleteTable"]


def test_a_response_shares_nothing_with_the_table(calls: Calls) -> None:
    dynamodb: Any = client()
    dynamodb.create_table(
        **IN_TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item: dict[str, Any] = KEY | {"texts": {"SS": ["x"]}, "list": {"L": [{"S": "x"}]}}
    dynamodb.put_item(**IN_TABLE, Item=item)
    item["texts"]["SS"].append("y")
    found = dynamodb.get_item(**IN_TABLE, Key=KEY)["Item"]
    assert found["texts"] == {"SS": ["x"]}
    found["texts"]["SS"].append("y")
    found["list"]["L"].clear()
    assert dynamodb.get_item(**IN_TABLE, Key=KEY)["Item"] == KEY | {"texts": {"SS": ["x"]}, "list": {"L": [{"S": "x"}]}}
    assert calls.count()["GetItem"] == 2
