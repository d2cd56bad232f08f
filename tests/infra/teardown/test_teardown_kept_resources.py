"""A stack whose devices stay keeps the resources that their registrations refer to."""

import json
from typing import Any

from infra.teardown.stacks import Stack

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
