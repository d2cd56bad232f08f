"""The lobby's tables and buckets."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.parts.notary import make_bucket
from lobby.ledger.models import MODELS
from tests.infra.templates import Stack, Stacks, settings, synthesized

TABLES = "AWS::DynamoDB::GlobalTable"


@pytest.mark.parametrize("model", MODELS)
def test_a_table_has_the_keys_and_indexes_of_its_model(stacks: Stacks, model: Any) -> None:
    table = stacks.lobby.the(TABLES, TableName=model.Meta.table_name)
    assert _keys(table["KeySchema"]) == _model_keys(model.get_attributes())
    indexes = {each["IndexName"]: each for each in table.get("GlobalSecondaryIndexes", [])}
    assert indexes.keys() == model._indexes.keys()
    for name, index in model._indexes.items():
        attributes = {key: getattr(type(index), key) for key in vars(type(index)) if key not in ("Meta", "_model")}
        keys = {key: each for key, each in attributes.items() if hasattr(each, "is_hash_key")}
        assert _keys(indexes[name]["KeySchema"]) == _model_keys(keys)
        projection = indexes[name]["Projection"]
        assert projection["ProjectionType"] == index.Meta.projection.projection_type
        assert projection.get("NonKeyAttributes") == index.Meta.projection.non_key_attributes


RETAINED = ("RetainExceptOnCreate", "Retain")
"""Deletion and replacement keep the resource; the rollback of its creation does not."""


def _keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {each["KeyType"]: each["AttributeName"] for each in schema}


def _model_keys(attributes: Any) -> dict[str, str]:
    kinds = (("HASH", "is_hash_key"), ("RANGE", "is_range_key"))
    return {kind: each.attr_name for each in attributes.values() for kind, flag in kinds if getattr(each, flag)}


def test_tables_are_encrypted_recoverable_protected_and_retained(stacks: Stacks) -> None:
    tables = [each for each in stacks.lobby.template["Resources"].values() if each["Type"] == TABLES]
    assert len(tables) == len(MODELS)
    for table in tables:
        [replica] = table["Properties"]["Replicas"]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == RETAINED
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["Properties"]["SSESpecification"]["SSEEnabled"]
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert replica["DeletionProtectionEnabled"]


def test_only_records_with_an_end_expire(stacks: Stacks) -> None:
    expiring = {each["TableName"]: each.get("TimeToLiveSpecification") for each in stacks.lobby.of_type(TABLES)}
    assert expiring.pop("device-lobby-registrations") == {"AttributeName": "expires", "Enabled": True}
    assert expiring.pop("device-lobby-connections") == {"AttributeName": "expires", "Enabled": True}
    assert expiring.pop("device-lobby-enrolments") == {"AttributeName": "deleteat", "Enabled": True}
    assert expiring.pop("device-lobby-activity") == {"AttributeName": "expires", "Enabled": True}
    assert expiring.pop("device-lobby-webhooks") == {"AttributeName": "expires", "Enabled": True}
    assert set(expiring.values()) == {None}


def test_every_table_has_the_stream_that_replicas_need(stacks: Stacks, local_stacks: Stacks) -> None:
    """CloudFormation cannot enable a stream in the update that adds the first replica."""

    def streams(found: Stacks) -> dict[str, Any]:
        return {each["TableName"]: each.get("StreamSpecification") for each in found.lobby.of_type(TABLES)}

    assert list(streams(stacks).values()) == [{"StreamViewType": "NEW_AND_OLD_IMAGES"}] * len(MODELS)
    read = {name for name, stream in streams(local_stacks).items() if stream}
    assert read == {"device-lobby-ledger", "device-lobby-history"}


def test_the_trust_bucket_is_private_versioned_and_retained(stacks: Stacks) -> None:
    bucket = stacks.lobby.the("AWS::S3::Bucket", BucketName="device-lobby-trust-100000000001-us-east-1")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert _resource(stacks.lobby, bucket)["DeletionPolicy"] == "RetainExceptOnCreate"


def _resource(stack: Stack, properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack.template["Resources"][stack.logical_id(properties)]
    return found


def test_anchors_cannot_be_deleted_and_their_bucket_is_retained(stacks: Stacks) -> None:
    lobby = stacks.lobby
    bucket = lobby.the("AWS::S3::Bucket", BucketName="device-lobby-notary-100000000001-us-east-1")
    assert bucket["ObjectLockEnabled"]
    assert _retention(bucket) == {"Mode": "COMPLIANCE", "Days": 3650}
    assert bucket["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert "LifecycleConfiguration" not in bucket
    made = _resource(lobby, bucket)
    assert (made["DeletionPolicy"], made["UpdateReplacePolicy"]) == RETAINED


def _retention(bucket: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    return found


def test_anchor_retention_can_be_one_day() -> None:
    alone = cdk.Stack()
    make_bucket(alone, settings(anchorDays=1))
    [bucket] = Template.from_stack(alone).find_resources("AWS::S3::Bucket").values()
    assert _retention(bucket["Properties"]) == {"Mode": "COMPLIANCE", "Days": 1}


def test_users_and_groups_are_retained_and_protected(stacks: Stacks) -> None:
    kinds = ("AWS::Cognito::UserPool", "AWS::Cognito::UserPoolGroup")
    found = [each for each in stacks.lobby.template["Resources"].values() if each["Type"] in kinds]
    assert len(found) == 5
    assert {(each["DeletionPolicy"], each["UpdateReplacePolicy"]) for each in found} == {RETAINED}
    assert stacks.lobby.the("AWS::Cognito::UserPool")["DeletionProtection"] == "ACTIVE"


def test_the_first_deployment_protects_nothing_so_that_it_can_be_rolled_back(tmp_path: Path) -> None:
    lobby = synthesized(settings(protect="false", targets=[]), tmp_path).lobby
    tables = lobby.of_type("AWS::DynamoDB::GlobalTable")
    assert {table["Replicas"][0]["DeletionProtectionEnabled"] for table in tables} == {False}
    assert lobby.the("AWS::Cognito::UserPool")["DeletionProtection"] == "INACTIVE"


def test_a_supplied_user_pool_is_used_and_not_changed(tmp_path: Path) -> None:
    login = "https://users.auth.us-east-1.amazoncognito.com"
    lobby = synthesized(settings(userPoolId="us-east-1_Ab1", loginUrl=login, targets=[]), tmp_path).lobby
    kinds = {each["Type"] for each in lobby.template["Resources"].values() if "Cognito" in each["Type"]}
    assert kinds == {"AWS::Cognito::UserPoolClient", "AWS::Cognito::ManagedLoginBranding"}
    assert lobby.the("AWS::Cognito::UserPoolClient")["UserPoolId"] == "us-east-1_Ab1"
    environment = lobby.the("AWS::Lambda::Function", FunctionName="device-lobby-admin-api")["Environment"]["Variables"]
    assert (environment["USER_POOL_ID"], environment["LOGIN_URL"]) == ("us-east-1_Ab1", login)
    assert lobby.template["Outputs"]["UserPoolId"]["Value"] == "us-east-1_Ab1"
