"""Resource policies: which principals can change history and anchors, invoke a Lambda, assume a role, or send to a
queue."""

from typing import Any

import pytest

from infra.parts.notary import ON_BUCKET, ON_OBJECTS
from infra.parts.tables import IMMUTABLE
from tests.infra.templates import HISTORY, Stacks

RULE = "arn:aws:iot:us-east-1:100000000001:rule/"


def test_the_resource_policy_of_the_history_denies_changes_to_everyone_except_for_replication(stacks: Stacks) -> None:
    table = stacks.lobby.the("AWS::DynamoDB::GlobalTable", TableName="device-lobby-history")
    [statement] = table["Replicas"][0]["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] in ("*", {"AWS": "*"})
    assert set(statement["Action"]) == set(IMMUTABLE)
    assert statement["Resource"] == HISTORY
    role = "role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"
    assert statement["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::100000000001:{role}"}}


def test_the_resource_policy_of_the_history_can_be_removed() -> None:
    assert not {action for action in (*IMMUTABLE, *ON_OBJECTS, *ON_BUCKET) if "Policy" in action or "*" in action}


def test_the_bucket_policy_denies_deletion_and_lifecycle_rules_to_everyone(stacks: Stacks) -> None:
    [policy] = [each for each in stacks.lobby.of_type("AWS::S3::BucketPolicy") if "Anchors" in str(each["Bucket"])]
    denied = {
        each["Sid"]: each for each in stacks.lobby.resolve(policy["PolicyDocument"]["Statement"]) if "Sid" in each
    }
    for sid, actions in (("DenyDeletionOfAnchors", ON_OBJECTS), ("DenyChangesOfBucket", ON_BUCKET)):
        assert (denied[sid]["Effect"], denied[sid]["Principal"]) == ("Deny", {"AWS": "*"})
        assert denied[sid]["Action"] == list(actions)
        assert "Condition" not in denied[sid]
    assert denied["DenyDeletionOfAnchors"]["Resource"].endswith(".Arn>/*")
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"} <= {*ON_OBJECTS, *ON_BUCKET}


def test_a_lambda_can_be_invoked_only_by_its_trigger(stacks: Stacks) -> None:
    callers: dict[str, set[str]] = {}
    for each in map(stacks.lobby.resolve, stacks.lobby.of_type("AWS::Lambda::Permission")):
        assert each["Action"] == "lambda:InvokeFunction"
        caller = each["SourceArn"] if each["Principal"] != "apigateway.amazonaws.com" else each["Principal"]
        assert each["Principal"] != "iot.amazonaws.com" or each["SourceAccount"] == "100000000001"
        callers.setdefault(each["FunctionName"].strip("<>").split(".")[0][:6], set()).add(caller)
    assert callers == {
        "Recept": {f"{RULE}lobby"},
        "Renewe": {f"{RULE}lobby_renewal"},
        "Connec": {f"{RULE}device_lobby_connections"},
        "AdminA": {"apigateway.amazonaws.com"},
        "Pages1": {"apigateway.amazonaws.com"},
        "Vendin": {"apigateway.amazonaws.com"},
        "Sweepe": {"<SweeperTimer.Arn>"},
        "Provis": {"arn:aws:iot:us-east-1:100000000001:provisioningtemplate/device-lobby"},
        "Regist": {"<RegistrarTimer.Arn>"},
        "Reconc": {"<ReconcilerTimer.Arn>"},
    }


def test_rule_roles_can_be_assumed_only_by_rules_of_this_account(stacks: Stacks) -> None:
    for stack in stacks.all:
        for role in stack.of_type("AWS::IAM::Role"):
            [trust] = role["AssumeRolePolicyDocument"]["Statement"]
            if trust["Principal"] == {"Service": "iot.amazonaws.com"}:
                assert set(trust["Condition"]) == {"StringEquals"}
                assert set(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount"}


@pytest.mark.parametrize("kind", ["AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"])
def test_queues_buckets_and_topics_reject_plain_http(stacks: Stacks, kind: str) -> None:
    policies = stacks.lobby.of_type(kind)
    assert policies
    for policy in policies:
        denied = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [each.get("Condition") for each in denied]


def test_the_arrivals_queue_accepts_only_topics_with_the_fixed_name(stacks: Stacks) -> None:
    def allowed(policy: dict[str, Any]) -> list[dict[str, Any]]:
        return [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]

    [statement] = [each for policy in stacks.lobby.of_type("AWS::SQS::QueuePolicy") for each in allowed(policy)]
    assert statement["Principal"] == {"AWS": "*"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:device-lobby-arrivals"}}
