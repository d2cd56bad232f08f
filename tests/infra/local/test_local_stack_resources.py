"""Stacks refuse what CloudFormation refuses, and adopt what an earlier stack retained."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.assembly import StackArtifact, deploy
from infra.local.errors import DeployFailed
from infra.local.ministack.stack_resources import is_protected
from infra.teardown.stacks import Stack
from tests.infra.local.empty_accounts import HERE, Account, account

__all__ = ["account"]
TABLE, BUCKET = "kept-table", "kept-bucket-of-the-test"


def template(*, protect: bool = False, fails: bool = False) -> dict[str, Any]:
    """Return a stack with a table and a bucket; with `fails`, also a resource that cannot be created after them."""
    kept = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    table = {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "Replicas": [{"Region": HERE, "DeletionProtectionEnabled": protect}],
    }
    resources: dict[str, Any] = {
        "Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table, **kept},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}, **kept},
    }
    if fails:
        properties = {"PolicyName": "broken", "PolicyDocument": "no policy"}
        resources["Broken"] = {
            "Type": "AWS::IoT::Policy",
            "Properties": properties,
            "DependsOn": ["Table", "Bucket"],
        }
    return {"Resources": resources}


def deployed(account: Account, directory: Path, body: dict[str, Any]) -> None:
    path = directory / "stack.json"
    path.write_text(json.dumps(body))
    deploy(StackArtifact("Kept", "", path, (), None), {}, account.emulator.session(account.id, HERE).client)


def left(account: Account) -> tuple[list[str], list[str]]:
    buckets = account.client("s3").list_buckets()["Buckets"]
    return account.client("dynamodb").list_tables()["TableNames"], [each["Name"] for each in buckets]


def stack(account: Account) -> Stack:
    return account.stack("Kept")


def test_a_failed_first_deployment_leaves_nothing(account: Account, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="Broken"):
        deployed(account, tmp_path, template(fails=True))
    assert left(account) == ([], [])


def test_a_protected_table_survives_a_failed_first_deployment(account: Account, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="Broken"):
        deployed(account, tmp_path, template(fails=True, protect=True))
    assert left(account) == ([TABLE], [])


def test_a_new_stack_adopts_what_the_last_one_retained(account: Account, tmp_path: Path) -> None:
    deployed(account, tmp_path, template(protect=True))
    account.client("dynamodb").put_item(TableName=TABLE, Item={"id": {"S": "1"}})
    stack(account).delete(lambda _line: None)
    assert left(account) == ([TABLE], [BUCKET])
    deployed(account, tmp_path, template(protect=True))
    assert account.client("dynamodb").scan(TableName=TABLE)["Count"] == 1
    assert set(stack(account).retained()) == {f"DynamoDB::GlobalTable {TABLE}", f"S3::Bucket {BUCKET}"}
    deployed(account, tmp_path, template(protect=True))
    stack(account).delete(lambda _line: None)


def test_a_stack_does_not_replace_an_existing_table(account: Account) -> None:
    key: dict[str, Any] = {"AttributeName": "id", "KeyType": "HASH"}
    account.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[key],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(AssertionError):
        account.deploy("Kept", template())
    assert account.client("dynamodb").describe_table(TableName=TABLE)


@pytest.mark.parametrize(
    ("replicas", "protected"),
    [
        ([], False),
        ([{}], False),
        ([{"DeletionProtectionEnabled": "true"}], True),
        ([{"DeletionProtectionEnabled": True}], True),
    ],
)
def test_the_protection_is_that_of_the_replica(replicas: list[dict[str, Any]], protected: bool) -> None:
    assert is_protected({"Replicas": replicas}) is protected
