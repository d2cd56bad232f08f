"""A stack whose devices stay keeps the resources that their registrations refer to."""

import json
from typing import Any

import boto3
from moto import mock_aws

from infra.teardown.stacks import Stack, upload_to
from lobby.names import parse_target

RESOURCES: dict[str, dict[str, Any]] = {
    "Policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "device-lobby-default"}},
    "Type": {"Type": "AWS::IoT::ThingType", "Properties": {"ThingTypeName": "box"}, "DependsOn": ["Topic"]},
    "Group": {"Type": "AWS::IoT::ThingGroup", "Properties": {"ThingGroupName": "gateways"}},
    "Billing": {"Type": "AWS::IoT::BillingGroup", "Properties": {"BillingGroupName": "north"}},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "device-lobby-arrivals"}},
    "Rule": {"Type": "AWS::IoT::TopicRule", "Properties": {"RuleName": "device_lobby_connected"}},
}


class CloudFormation:
    """A client whose stack has these resources. It records the template of an update."""

    updated: dict[str, Any]

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    def get_template(self, **_: str) -> dict[str, Any]:
        return {"TemplateBody": {"Resources": RESOURCES}}

    def update_stack(self, *, TemplateBody: str, **_: object) -> None:  # noqa: N803  # boto3's parameter
        self.updated = json.loads(TemplateBody)


def test_types_and_groups_stay_with_the_policies() -> None:
    """CloudFormation would deprecate a thing type that has things, and leave it outside the stack."""
    client: Any = CloudFormation()
    lines: list[str] = []
    Stack(client, "DeviceLobbyTarget").reduce_for_devices(lines.append)
    kept = client.updated["Resources"]
    assert list(kept) == ["Policy", "Type", "Group", "Billing"]
    assert all(set(each) == {"Type", "Properties"} for each in kept.values())
    assert "reduced to the IoT policies, thing types and groups" in lines[0]


def test_a_template_that_is_too_long_for_a_request_is_read_from_the_bucket_of_the_bootstrap() -> None:
    where = parse_target("123456789012", "eu-west-1")
    bucket, urls = f"cdk-hnb659fds-assets-{where.account}-{where.region}", list[str]()
    client: Any = CloudFormation()
    client.update_stack = lambda *, TemplateURL, **_: urls.append(TemplateURL)  # noqa: N803
    with mock_aws():
        session: Any = boto3.Session("test", "test", region_name=where.region)
        s3 = session.client("s3")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": where.region})
        stack = Stack(client, "DeviceLobbyTarget", upload=upload_to(session, where, "DeviceLobbyTarget"))
        stack.update({"Description": "x" * 51_200})
        key = "DeviceLobbyTarget-reduced.json"
        assert len(json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])["Description"]) == 51_200
    assert urls == [f"https://s3.{where.region}.amazonaws.com/{bucket}/{key}"]
