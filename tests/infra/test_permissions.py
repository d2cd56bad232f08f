"""The complete grants of each role, and permissions that no role may have."""

import pytest

from infra.parts.tables import IMMUTABLE
from tests.infra.role_grants import GRANTS
from tests.infra.templates import HISTORY, Stacks

UNBOUNDED = {
    "device-lobby-bouncer": {"iot:AttachThingPrincipal"},
    "device-lobby-template": {"iot:AttachThingPrincipal"},
    "device-lobby-registrar": {
        "iot:CreateCertificateFromCsr",
        "iot:RegisterCertificateWithoutCA",
        "iot:AttachThingPrincipal",
        "iot:ListCertificates",
        "iot:ListAttachedPolicies",
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
    "device-lobby-reconciler": {"iot:ListCACertificates"},
    "device-lobby-renewer": {"iot:CreateCertificateFromCsr", "iot:AttachThingPrincipal"},
    "device-lobby-publisher": {"dynamodb:ListStreams", "events:ListRules"},
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
        ("device-lobby-admin-api", "s3:PutObject"),  # templates and manifests, in the trust bucket
        ("device-lobby-admin-api", "s3:GetObject"),
        ("device-lobby-bouncer", "s3:GetObject"),
        ("device-lobby-campaigns", "s3:GetObject"),
        ("device-lobby-campaigns", "s3:PutObject"),
        ("device-lobby-reconciler", "s3:GetObject"),  # revocation lists, in the trust bucket
    }


def test_the_notary_reads_only_its_stream(stacks: Stacks) -> None:
    reads = {each for each in stacks.lobby.grants("device-lobby-notary") if not each.startswith(("logs:", "s3:Put"))}
    assert reads == {f"dynamodb:{each}" for each in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}


def test_roles_that_read_revocation_lists_can_list_the_trust_bucket(stacks: Stacks) -> None:
    """The bouncer and the reconciler detect a missing revocation list, the sweeper finds new ones."""
    listing = [each for each in stacks.lobby.statements if "s3:ListBucket" in each.actions]
    assert {each.role: each.condition for each in listing} == {
        "device-lobby-bouncer": {},
        "device-lobby-sweeper": {},
        "device-lobby-reconciler": {},
    }
