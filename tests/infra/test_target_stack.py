"""A target's stack: the permissions of the lobby and of devices in it."""

import json
from pathlib import Path

import pytest

from infra.profile_files import read_profiles
from lobby.domain.targets.target_rules import connected_sql
from tests.infra.templates import Stacks, settings, synthesized

IOT = "arn:aws:iot:*:200000000002:"


def test_a_device_can_connect_only_as_its_own_thing(stacks: Stacks) -> None:
    for stack in stacks.targets:
        for policy in stack.of_type("AWS::IoT::Policy"):
            text = json.dumps(policy["PolicyDocument"])
            assert "client/*" not in text
            [connect] = [each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "iot:Connect"]
            assert connect["Resource"].endswith(":client/${iot:Connection.Thing.ThingName}")
            assert connect["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}


def test_every_resource_of_a_device_policy_contains_the_thing_name(stacks: Stacks) -> None:
    for policy in stacks.targets[0].of_type("AWS::IoT::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            resources = statement["Resource"]
            for resource in [resources] if isinstance(resources, str) else resources:
                assert resource.startswith("arn:aws:iot:eu-west-1:200000000002:")
                assert "${iot:Connection.Thing.ThingName}" in resource


@pytest.mark.parametrize("profile", read_profiles().by_name)
def test_every_profile_includes_the_lobby_topic(stacks: Stacks, profile: str) -> None:
    policy = stacks.targets[0].the("AWS::IoT::Policy", PolicyName=f"device-lobby-{profile}")["PolicyDocument"]
    granted = {each["Action"]: json.dumps(each["Resource"]) for each in policy["Statement"][:3]}
    lobby_topic = "lobby/${iot:Connection.Thing.ThingName}"
    assert f":topicfilter/{lobby_topic}" in granted["iot:Subscribe"]
    assert f":topic/{lobby_topic}" in granted["iot:Receive"]


def test_the_subscription_is_created_last(stacks: Stacks) -> None:
    """CloudFormation cannot delete it before it is confirmed, for example in a rollback."""
    for stack in stacks.targets:
        resources = stack.template["Resources"]
        [subscription] = [each for each in resources.values() if each["Type"] == "AWS::SNS::Subscription"]
        others = {name for name, each in resources.items() if each["Type"] != "AWS::SNS::Subscription"}
        assert set(subscription["DependsOn"]) == others - {"CDKMetadata"}


def test_arrivals_are_reported_to_the_lobby(stacks: Stacks) -> None:
    for stack, region in zip(stacks.targets, ("eu-west-1", "ap-southeast-2"), strict=True):
        payload = stack.the("AWS::IoT::TopicRule", RuleName="device_lobby_connected")["TopicRulePayload"]
        role = f"arn:aws:iam::200000000002:role/device-lobby-rules-{region}"
        assert payload["Sql"] == connected_sql("100000000001/us-east-1", role)
        [action] = stack.resolve(payload["Actions"])
        assert action["Sns"]["TargetArn"].startswith("<ArrivalsTopic")
        assert action["Sns"]["MessageFormat"] == "RAW"
        assert payload["ErrorAction"]["CloudwatchLogs"]
        topic = stack.the("AWS::SNS::Topic", TopicName="device-lobby-arrivals")
        assert topic["KmsMasterKeyId"]
        assert topic["SignatureVersion"] == "2"
        subscription = stack.the("AWS::SNS::Subscription")
        assert subscription["Protocol"] == "sqs"
        assert subscription["Endpoint"] == "arn:aws:sqs:us-east-1:100000000001:device-lobby-arrivals"
        assert "RawMessageDelivery" not in subscription, region


def test_only_connections_that_another_client_ended_are_reported_as_disconnected(stacks: Stacks) -> None:
    for stack in stacks.targets:
        payload = stack.the("AWS::IoT::TopicRule", RuleName="device_lobby_duplicates")["TopicRulePayload"]
        assert "WHERE disconnectReason = 'DUPLICATE_CLIENTID' AND endswith(get_registry_data(" in payload["Sql"]
        [action] = stack.resolve(payload["Actions"])
        assert action["Sns"]["TargetArn"].startswith("<ArrivalsTopic")


def test_the_rules_can_only_publish_to_the_lobby_look_up_things_and_log_errors(stacks: Stacks) -> None:
    stack = stacks.targets[1]
    [role] = stack.of_type("AWS::IAM::Role")
    assert role["RoleName"] == "device-lobby-rules-ap-southeast-2"
    assert {action for each in stack.statements for action in each.actions} == {
        "sns:Publish",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "iot:DescribeThing",
    }
    resources = {resource for each in stack.statements for resource in each.resources}
    things = "arn:aws:iot:ap-southeast-2:200000000002:thing/*"
    assert all(resource.startswith("<Arriv") for resource in resources - {things})


def test_the_types_and_groups_of_profiles_are_created(tmp_path: Path, nag: bool) -> None:
    (tmp_path / "default.yaml").write_text("thing_groups: [gateways]")
    (tmp_path / "gateway.yaml").write_text(
        "thing_type: {name: box, searchable_attributes: [model]}\nthing_groups: ['site:berlin', gateways]\n"
        "billing_group: north\n"
    )
    target = {"account": "200000000002", "region": "eu-west-1", "externalId": "xyz", "profiles": ["default", "gateway"]}
    [stack] = synthesized(settings(profiles=str(tmp_path), targets=[target]), tmp_path / "out", nag=nag).targets
    assert [each["PolicyName"] for each in stack.of_type("AWS::IoT::Policy")] == [
        "device-lobby-default",
        "device-lobby-gateway",
    ]
    assert [each["ThingGroupName"] for each in stack.of_type("AWS::IoT::ThingGroup")] == ["gateways", "site:berlin"]
    assert [each["BillingGroupName"] for each in stack.of_type("AWS::IoT::BillingGroup")] == ["north"]
    thing_type = stack.the("AWS::IoT::ThingType", ThingTypeName="box")
    assert thing_type["ThingTypeProperties"]["SearchableAttributes"] == ["model"]
