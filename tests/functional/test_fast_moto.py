"""The replaced functions of moto return what the original ones return."""

import copy
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests import fast_expressions
from tests.aws import LOBBY, REGION, Calls
from tests.fast_moto import ORIGINALS

TABLE = "all-types"
VALUES: dict[str, Any] = {
    "text": {"S": "a.b"},
    "number": {"N": "1.5"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "bytes": {"B": b"\x00\x01"},
    "texts": {"SS": ["x", "y"]},
    "list": {"L": [{"S": "x"}, {"L": []}, {"M": {}}]},
    "map": {"M": {"S": {"S": "a key like a type"}, "dotted.key": {"N": "2"}}},
}


@pytest.fixture
def dynamodb(calls: Calls) -> Any:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return client


def key(name: str, number: int = 1) -> dict[str, Any]:
    return {"id": {"S": name}, "n": {"N": str(number)}}


def put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": item}}


def rejected(name: str) -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": TABLE, "Key": key(name), "ConditionExpression": "attribute_exists(absent)"}}


def test_responses_are_the_same(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    iot = boto3.client("iot")
    iot.create_thing(thingName="sensor-1", attributePayload={"attributes": {"a": "b"}})
    dynamodb.put_item(TableName=TABLE, Item=key("one") | VALUES)

    def responses() -> list[Any]:
        answers = [
            dynamodb.get_item(TableName=TABLE, Key=key("one")),
            dynamodb.scan(TableName=TABLE, ReturnConsumedCapacity="TOTAL"),
            dynamodb.describe_table(TableName=TABLE),
            iot.describe_thing(thingName="sensor-1"),
            iot.list_things(),
            boto3.client("sts").get_caller_identity(),
        ]
        return [{name: value for name, value in each.items() if name != "ResponseMetadata"} for each in answers]

    fast = responses()
    monkeypatch.setattr(ResponseSerializer, "get_value", ORIGINALS["get_value"])
    assert fast == responses()
    assert fast[0]["Item"] == key("one") | VALUES


def test_an_item_and_its_copy_are_equal_and_share_nothing_that_can_change() -> None:
    item = Item(DynamoType({"S": "one"}), None, VALUES)
    copied = copy.deepcopy(item)
    assert copied.to_json() == item.to_json() == ORIGINALS["copy of an item"](item, {}).to_json()
    copied.attrs["texts"].value.append("z")
    copied.attrs["list"].value[1].value.append(DynamoType({"S": "z"}))
    copied.attrs["map"].value["new"] = DynamoType({"S": "z"})
    assert item.to_json() == Item(DynamoType({"S": "one"}), None, VALUES).to_json()


@pytest.mark.parametrize("original", [False, True])
def test_a_rejected_transaction_changes_nothing(dynamodb: Any, monkeypatch: pytest.MonkeyPatch, original: bool) -> None:
    if original:
        monkeypatch.setattr(DynamoDBBackend, "transact_write_items", ORIGINALS["transact"])
    dynamodb.put_item(TableName=TABLE, Item=key("one") | VALUES)
    before = dynamodb.scan(TableName=TABLE)["Items"]
    update = {
        "TableName": TABLE,
        "Key": key("one"),
        "UpdateExpression": "SET #t = :new, #l = list_append(#l, :more)",
        "ExpressionAttributeNames": {"#t": "text", "#l": "list"},
        "ExpressionAttributeValues": {":new": {"S": "changed"}, ":more": {"L": [{"S": "y"}]}},
    }
    writes = [
        {"Update": update},
        put(key("one", 2)),
        put(key("two")),
        {"Delete": {"TableName": TABLE, "Key": key("one", 3)}},
        rejected("three"),
    ]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=writes)
    assert dynamodb.scan(TableName=TABLE)["Items"] == before
    shard = dynamodb_backends[LOBBY][REGION].get_table(TABLE).stream_shard
    assert shard is not None
    assert len(shard.items) == 1


def test_an_accepted_transaction_writes_everything(dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=key("old"))
    dynamodb.transact_write_items(
        TransactItems=[
            put(key("one") | VALUES),
            put(key("one", 2)),
            {"Delete": {"TableName": TABLE, "Key": key("old")}},
        ]
    )
    assert sorted(dynamodb.scan(TableName=TABLE)["Items"], key=str) == sorted(
        [key("one") | VALUES, key("one", 2)], key=str
    )


@pytest.mark.parametrize(
    "expression",
    [
        "SET #t = :text, #n = #n + :one REMOVE flag ADD texts :texts",
        "SET #t = if_not_exists(#t, :text), new = if_not_exists(new, #l)",
        "SET #l = list_append(#l, :more), #m.inner = :text REMOVE #l[0], #l[1]",
        "SET #n = #n - :one DELETE texts :texts",
        "SET #t = absent",
        "SET #m.absent.inner = :text",
        "SET #t = :text, #t = :one",
        "SET id = :text",
        "SET #n = #t + :one",
        "SET #t = :text REMOVE",
        "SET #t = :text SET #n = :one",
        "REMOVE #t REMOVE #n",
        "SET #m.inner = :text, #m.inner.deep = :text",
    ],
)
def test_an_update_has_the_same_result_or_error(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    names = {"#t": "text", "#n": "number", "#l": "list", "#m": "map"}
    values = {":text": {"S": "x"}, ":one": {"N": "1"}, ":more": {"L": [{"S": "y"}]}, ":texts": {"SS": ["x", "z"]}}

    def update(item: str) -> Any:
        dynamodb.put_item(TableName=TABLE, Item=key(item) | VALUES)
        try:
            dynamodb.update_item(
                TableName=TABLE,
                Key=key(item),
                UpdateExpression=expression,
                ExpressionAttributeNames={name: value for name, value in names.items() if name in expression},
                ExpressionAttributeValues={name: value for name, value in values.items() if name in expression},
            )
        except dynamodb.exceptions.ClientError as error:
            return str(error)
        written = dynamodb.get_item(TableName=TABLE, Key=key(item))["Item"]
        return {name: value for name, value in written.items() if name != "id"}

    fast = [update("one"), update("two")]
    original_expressions(monkeypatch)
    assert fast == [update("three")] * 2


@pytest.mark.parametrize(
    "condition",
    [
        "attribute_exists(#t) AND #n < :two",
        "NOT (attribute_exists(#t) OR #n >= :two)",
        "#t IN (:x, :ab) AND #n BETWEEN :one AND :two",
        "contains(#l, :x) AND contains(texts, :x) AND size(#l) = :three",
        "begins_with(#t, :x) OR #m.inner = :x",
        "#t = :ab AND #t = :absent",
        "#t == :ab",
        "((#t = :ab))",
        "year = :two",
        "#absent = :ab",
    ],
)
def test_a_condition_has_the_same_result_or_error(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    names = {"#t": "text", "#n": "number", "#l": "list", "#m": "map"}
    values = {
        ":x": {"S": "x"},
        ":ab": {"S": "a.b"},
        ":one": {"N": "1"},
        ":two": {"N": "2"},
        ":three": {"N": "3"},
        ":texts": {"SS": ["z"]},
    }
    given = {name: value for name, value in values.items() if name in f"{condition} :texts"}

    def update(item: str) -> Any:
        dynamodb.put_item(TableName=TABLE, Item=key(item) | VALUES)
        try:
            dynamodb.update_item(
                TableName=TABLE,
                Key=key(item),
                UpdateExpression="ADD texts :texts",
                ConditionExpression=condition,
                ExpressionAttributeNames={name: value for name, value in names.items() if name in condition},
                ExpressionAttributeValues=given,
            )
        except dynamodb.exceptions.ClientError as error:
            return str(error)
        except (KeyError, ValueError) as error:  # moto does not parse it
            return str(error)
        return sorted(dynamodb.get_item(TableName=TABLE, Key=key(item))["Item"]["texts"]["SS"])

    fast = [update("one"), update("two"), update("two")]
    original_expressions(monkeypatch)
    assert fast == [update("three")] * 3


def test_values_that_an_update_stores_do_not_change_a_known_condition(dynamodb: Any) -> None:
    def store(item: str) -> None:
        dynamodb.update_item(
            TableName=TABLE,
            Key=key(item),
            UpdateExpression="SET texts = if_not_exists(texts, :texts)",
            ConditionExpression="attribute_not_exists(texts) OR texts = :texts",
            ExpressionAttributeValues={":texts": {"SS": ["x"]}},
        )

    store("one")
    dynamodb.update_item(
        TableName=TABLE,
        Key=key("one"),
        UpdateExpression="ADD texts :more",
        ExpressionAttributeValues={":more": {"SS": ["y"]}},
    )
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        store("one")


def test_the_services_of_a_session_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [boto3.Session().get_available_services() for _ in range(2)]
    monkeypatch.setattr(Loader, "list_available_services", ORIGINALS["available services"])
    assert fast == [boto3.Session().get_available_services()] * 2


def original_expressions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use moto's own functions for expressions."""
    originals = fast_expressions.ORIGINALS
    traverser = fast_expressions.ast_nodes.DepthFirstTraverser
    monkeypatch.setattr(traverser, "traverse", originals["traverse"])
    for check in (
        fast_expressions.validators.ActionCountValidator,
        fast_expressions.validators.OverlappingPathsValidator,
    ):
        monkeypatch.setattr(check, "traverse", originals["traverse"])
    monkeypatch.setattr(fast_expressions.expressions.UpdateExpressionParser, "make", originals["update expression"])
    monkeypatch.setattr(ConditionExpressionParser, "parse", originals["parse a condition"])
    monkeypatch.setattr(ConditionExpressionParser, "_lex_condition_expression", originals["lex a condition"])
    monkeypatch.setattr("moto.dynamodb.parsing.validators.deepcopy", copy.deepcopy)
