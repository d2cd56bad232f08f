"""The complete grants of each role, and permissions that no role may have."""

import pytest

from infra.tables import IMMUTABLE
from tests.infra.templates import HISTORY, Stacks

TABLE = "arn:aws:dynamodb:us-east-1:100000000001:table/device-lobby-"
IOT = "arn:aws:iot:us-east-1:100000000001:"
SQS = "arn:aws:sqs:us-east-1:100000000001:device-lobby-"
NOTARY = "arn:aws:s3:::device-lobby-notary-100000000001-us-east-1"
LANES = {f"{SQS}lanes.fifo", f"{SQS}express.fifo"}
LAMBDA = "arn:aws:lambda:us-east-1:100000000001:function:device-lobby-"
UNBOUNDED = {
    "device-lobby-bouncer": {"iot:AttachThingPrincipal"},
    "device-lobby-template": {"iot:AttachThingPrincipal"},
    "device-lobby-registrar": {
        "iot:CreateCertificateFromCsr",
        "iot:RegisterCertificateWithoutCA",
        "iot:ListCertificates",
    },
    "device-lobby-vending": {
        "iot:CreateCertificateFromCsr",
        "iot:CreateKeysAndCertificate",
        "iot:AttachThingPrincipal",
        "iot:DescribeEndpoint",
    },
    "device-lobby-bell": {"dynamodb:ListStreams"},
    "device-lobby-commissioner": {"iot:DetachThingPrincipal"},
    "device-lobby-notary": {"dynamodb:ListStreams"},
    "device-lobby-publisher": {"dynamodb:ListStreams"},
    "lobby_commissioner_role": {
        "iot:RegisterCertificateWithoutCA",
        "iot:AttachThingPrincipal",
        "iot:DescribeEndpoint",
        "iot:ListThings",
        "iot:ListCertificates",
        "iot:ListAttachedPolicies",
    },
}
"""The actions that AWS defines no resource for."""
GRANTS: dict[str, dict[str, set[str]]] = {
    "device-lobby-bouncer": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}registrations", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}registrations"},
        "dynamodb:PutItem": {
            f"{TABLE}certificates",
            f"{TABLE}ledger",
            f"{TABLE}names",
            f"{TABLE}history",
            f"{TABLE}registrations",
        },
        "dynamodb:UpdateItem": {
            f"{TABLE}ledger",
            f"{TABLE}counts",
            f"{TABLE}registrations",
            f"{TABLE}enrolments",
        },
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}enrolments", f"{TABLE}targets"},
        "lambda:InvokeFunction": {f"{LAMBDA}allocation-*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:DescribeCACertificate": {f"{IOT}cacert/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:AttachThingPrincipal": {"*"},
        "s3:GetObject": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1/crl/*"},
        "s3:ListBucket": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1"},
        "sqs:ReceiveMessage": {f"{SQS}registrations"},
        "sqs:DeleteMessage": {f"{SQS}registrations"},
        "sqs:GetQueueAttributes": {f"{SQS}registrations"},
        "sqs:ChangeMessageVisibility": {f"{SQS}registrations"},
        "sqs:SendMessage": {f"{SQS}undelivered"},
    },
    "device-lobby-provisioning": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger", f"{TABLE}certificates"},
        "dynamodb:PutItem": {f"{TABLE}certificates", f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}history"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts", f"{TABLE}enrolments"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}targets"},
        "lambda:InvokeFunction": {f"{LAMBDA}allocation-*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
    },
    "device-lobby-registrar": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}enrolments", f"{TABLE}rounds"},
        "dynamodb:PutItem": {f"{TABLE}enrolments", f"{TABLE}rounds"},
        "dynamodb:UpdateItem": {f"{TABLE}enrolments"},
        "dynamodb:Query": {f"{TABLE}enrolments"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:DeleteCertificate": {f"{IOT}cert/*"},
        "iot:CreateCertificateFromCsr": {"*"},
        "iot:RegisterCertificateWithoutCA": {"*"},
        "iot:ListCertificates": {"*"},
    },
    "device-lobby-template": {
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:DescribeThing": {f"{IOT}thing/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:AttachThingPrincipal": {"*"},
        "iot:GetPolicy": {f"{IOT}policy/device-lobby-waiting"},
    },
    "device-lobby-vending": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger", f"{TABLE}certificates"},
        "dynamodb:PutItem": {f"{TABLE}certificates", f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}history"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts", f"{TABLE}enrolments"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}targets"},
        "lambda:InvokeFunction": {f"{LAMBDA}allocation-*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:DeleteCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:UpdateThing": {f"{IOT}thing/*"},
        "iot:CreateCertificateFromCsr": {"*"},
        "iot:CreateKeysAndCertificate": {"*"},
        "iot:AttachThingPrincipal": {"*"},
        "iot:DescribeEndpoint": {"*"},
        "ssm:GetParameter": {"arn:aws:ssm:us-east-1:100000000001:parameter/device-lobby/vending"},
    },
    "device-lobby-vending-authorizer": {
        "dynamodb:GetItem": {f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}enrolments"},
        "dynamodb:UpdateItem": {f"{TABLE}enrolments"},
    },
    "device-lobby-receptionist": {
        "dynamodb:GetItem": {f"{TABLE}ledger"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts"},
        "dynamodb:PutItem": {f"{TABLE}history"},
        "iot:Publish": {f"{IOT}topic/lobby/*"},
        "sqs:SendMessage": {f"{SQS}undelivered"},
    },
    "device-lobby-connections": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}connections"},
        "dynamodb:PutItem": {f"{TABLE}connections"},
        "sqs:SendMessage": {f"{SQS}undelivered"},
    },
    "device-lobby-bell": {
        "dynamodb:DescribeStream": {"<LedgerTable38A58B60.StreamArn>"},
        "dynamodb:GetRecords": {"<LedgerTable38A58B60.StreamArn>"},
        "dynamodb:GetShardIterator": {"<LedgerTable38A58B60.StreamArn>"},
        "dynamodb:ListStreams": {"*"},
        "sqs:SendMessage": {*LANES, f"{SQS}uncommissioned"},
    },
    "device-lobby-commissioner": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}targets", f"{TABLE}lanes"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger", f"{TABLE}certificates"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts", f"{TABLE}lanes"},
        "dynamodb:PutItem": {f"{TABLE}history"},
        "dynamodb:Query": {f"{TABLE}ledger/index/by-turn", f"{TABLE}ledger/index/by-target"},
        "sqs:ReceiveMessage": {*LANES, f"{SQS}marks"},
        "sqs:DeleteMessage": {*LANES, f"{SQS}marks"},
        "sqs:GetQueueAttributes": {*LANES, f"{SQS}marks"},
        "sqs:ChangeMessageVisibility": LANES,
        "sts:AssumeRole": {"arn:aws:iam::*:role/lobby_commissioner_role"},
        "iot:Publish": {f"{IOT}topic/lobby/*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:DeleteConnection": {f"{IOT}client/*"},
        "iot:DeleteCertificate": {f"{IOT}cert/*"},
        "iot:DetachThingPrincipal": {"*"},
        "sqs:SendMessage": {f"{SQS}lanes.fifo", f"{SQS}uncommissioned"},
    },
    "device-lobby-arrivals": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}targets", f"{TABLE}connections"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts"},
        "dynamodb:PutItem": {f"{TABLE}history", f"{TABLE}connections"},
        "sqs:ReceiveMessage": {f"{SQS}arrivals", f"{SQS}unconfirmed"},
        "sqs:DeleteMessage": {f"{SQS}arrivals", f"{SQS}unconfirmed"},
        "sqs:GetQueueAttributes": {f"{SQS}arrivals", f"{SQS}unconfirmed"},
        "sqs:SendMessage": {f"{SQS}unconfirmed", f"{SQS}marks"},
    },
    "device-lobby-notary": {
        "dynamodb:DescribeStream": {"<HistoryTable24A0CCCB.StreamArn>"},
        "dynamodb:GetRecords": {"<HistoryTable24A0CCCB.StreamArn>"},
        "dynamodb:GetShardIterator": {"<HistoryTable24A0CCCB.StreamArn>"},
        "dynamodb:ListStreams": {"*"},
        "s3:PutObject": {f"{NOTARY}/entries/*"},
    },
    "device-lobby-publisher": {
        "dynamodb:DescribeStream": {"<HistoryTable24A0CCCB.StreamArn>"},
        "dynamodb:GetRecords": {"<HistoryTable24A0CCCB.StreamArn>"},
        "dynamodb:GetShardIterator": {"<HistoryTable24A0CCCB.StreamArn>"},
        "dynamodb:ListStreams": {"*"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger"},
        "dynamodb:GetItem": {f"{TABLE}history"},
        "events:PutEvents": {"arn:aws:events:us-east-1:100000000001:event-bus/device-lobby"},
        "sqs:SendMessage": {f"{SQS}undelivered"},
    },
    "device-lobby-admin-api": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}certificates", f"{TABLE}targets", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {
            f"{TABLE}ledger",
            f"{TABLE}targets",
            f"{TABLE}connections",
            f"{TABLE}rounds",
            f"{TABLE}enrolments",
        },
        "dynamodb:PutItem": {f"{TABLE}ledger", f"{TABLE}history", f"{TABLE}targets", f"{TABLE}enrolments"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts", f"{TABLE}lanes", f"{TABLE}enrolments"},
        "dynamodb:DeleteItem": {f"{TABLE}ledger", f"{TABLE}targets"},
        "dynamodb:Query": {
            f"{TABLE}enrolments",
            f"{TABLE}history",
            f"{TABLE}targets",
            f"{TABLE}counts",
            f"{TABLE}ledger/index/by-name-keys",
            f"{TABLE}ledger/index/by-print-keys",
            f"{TABLE}ledger/index/by-state",
            f"{TABLE}ledger/index/by-target",
            f"{TABLE}ledger/index/by-turn",
            f"{TABLE}lanes",
            f"{TABLE}connections",
            f"{TABLE}connections/index/by-problem",
        },
        "s3:ListBucketVersions": {NOTARY},
        "s3:PutObject": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1/templates/*"},
        "s3:GetObject": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1/templates/*"},
        "lambda:InvokeFunction": {f"{LAMBDA}surveyor", f"{LAMBDA}reconciler", f"{LAMBDA}registrar"},
    },
    "device-lobby-pages": {},
    "device-lobby-sweeper": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}rounds"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts"},
        "dynamodb:PutItem": {f"{TABLE}history", f"{TABLE}rounds"},
        "dynamodb:Query": {
            f"{TABLE}history",
            f"{TABLE}targets",
            f"{TABLE}lanes",
            f"{TABLE}ledger/index/by-turn",
            f"{TABLE}ledger/index/by-state",
        },
        "sqs:SendMessage": {f"{SQS}lanes.fifo"},
        "iot:Publish": {f"{IOT}topic/lobby/*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "s3:ListBucket": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1"},
    },
    "device-lobby-reconciler": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}rounds"},
        "dynamodb:BatchGetItem": {f"{TABLE}rounds"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts"},
        "dynamodb:PutItem": {f"{TABLE}history", f"{TABLE}rounds"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}targets", f"{TABLE}ledger/index/by-target"},
        "lambda:InvokeFunction": {f"{LAMBDA}inspector"},
    },
    "device-lobby-rules": {"sqs:SendMessage": {f"{SQS}undelivered", f"{SQS}registrations"}},
    "device-lobby-iot-logs": {"logs:DescribeLogStreams": {"<IotLog42554799.Arn>"}},
}


@pytest.mark.parametrize("role", GRANTS)
def test_a_role_has_exactly_these_permissions(stacks: Stacks, role: str) -> None:
    own_logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    grants = stacks.lobby.grants(role)
    assert {action: grants[action] for action in grants.keys() - own_logs} == GRANTS[role]


def test_there_are_no_other_roles_or_policies_in_the_lobby(stacks: Stacks) -> None:
    assert {each["RoleName"] for each in stacks.lobby.of_type("AWS::IAM::Role")} == set(GRANTS)
    assert stacks.lobby.of_type("AWS::IAM::Policy") + stacks.lobby.of_type("AWS::IAM::ManagedPolicy") == []


def test_each_function_writes_only_its_own_logs(stacks: Stacks) -> None:
    groups = {
        f"<{name}.Arn>": each["Properties"]["LogGroupName"]
        for name, each in stacks.lobby.template["Resources"].items()
        if each["Type"] == "AWS::Logs::LogGroup"
    }
    for role in GRANTS.keys() - {"device-lobby-rules", "device-lobby-template"}:
        written = {groups[arn] for arn in stacks.lobby.grants(role)["logs:PutLogEvents"]}
        name = role.removeprefix("device-lobby-")
        entering = {"commissioner", "express", "surveyor", "inspector", "marker"}
        theirs = entering if name == "commissioner" else {name}
        expected = {f"/aws/lambda/device-lobby-{each}" for each in theirs}
        assert written == ({"AWSIotLogsV2"} if name == "iot-logs" else expected)


def test_no_role_has_a_managed_policy_or_a_wildcard_action(stacks: Stacks) -> None:
    for stack in stacks.all:
        assert not [each for each in stack.of_type("AWS::IAM::Role") if "ManagedPolicyArns" in each]
        assert {action for each in stack.statements for action in each.actions if "*" in action} == set()


def test_all_resources_are_allowed_only_for_actions_without_resource_types(stacks: Stacks) -> None:
    for stack in stacks.all:
        for each in stack.statements:
            if "*" in each.resources:
                assert set(each.actions) <= UNBOUNDED[each.role]


def test_no_role_can_change_or_delete_history(stacks: Stacks) -> None:
    for each in stacks.lobby.statements:
        if HISTORY in each.resources or "*" in each.resources:
            assert not set(IMMUTABLE) & set(each.actions)


def test_roles_can_only_add_and_list_anchors(stacks: Stacks) -> None:
    actual = {
        (each.role, action)
        for stack in stacks.all
        for each in stack.statements
        for action in each.actions
        if action.startswith("s3:") and any("notary" in resource or "*" in resource for resource in each.resources)
    }
    assert actual == {
        ("device-lobby-notary", "s3:PutObject"),
        ("device-lobby-admin-api", "s3:ListBucketVersions"),
        ("device-lobby-admin-api", "s3:PutObject"),  # templates of targets, in the trust bucket
        ("device-lobby-admin-api", "s3:GetObject"),
        ("device-lobby-bouncer", "s3:GetObject"),
    }


def test_the_notary_reads_only_its_stream(stacks: Stacks) -> None:
    reads = {each for each in stacks.lobby.grants("device-lobby-notary") if not each.startswith(("logs:", "s3:Put"))}
    assert reads == {f"dynamodb:{each}" for each in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}


def test_the_bouncer_and_the_sweeper_can_list_the_trust_bucket(stacks: Stacks) -> None:
    """The bouncer detects a missing revocation list, the sweeper finds new ones."""
    listing = [each for each in stacks.lobby.statements if "s3:ListBucket" in each.actions]
    assert {each.role: each.condition for each in listing} == {"device-lobby-bouncer": {}, "device-lobby-sweeper": {}}
