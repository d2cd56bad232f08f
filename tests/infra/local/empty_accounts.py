"""Empty accounts of the emulator, and the stacks of a target as the teardown sees them."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from infra import stack_names
from infra.local.emulator import Emulator
from infra.teardown.stacks import IOT_POLICY, Stack
from infra.teardown.target import TargetRemoval
from lobby.domain.targets.target import TARGET_ROLE
from lobby.names import AccountId, Region, Target
from tests.infra.local.emulated_cloud import Identity

POLICY = "device-lobby-default"
HERE, ELSEWHERE = Region("eu-west-1"), Region("eu-north-1")
_ACCOUNTS = count(600000000001)
TARGET: dict[str, Any] = {
    "Resources": {
        "DefaultPolicy": {
            "Type": IOT_POLICY,
            "DependsOn": ["Topic"],
            "Properties": {"PolicyName": POLICY, "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "device-lobby-arrivals"}},
    },
    "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
}
TRUST = {"Version": "2012-10-17", "Statement": []}
ROLE: dict[str, Any] = {
    "Resources": {
        "CommissionerRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": TARGET_ROLE, "AssumeRolePolicyDocument": TRUST},
        }
    }
}


@dataclass
class Account:
    """An empty account of the emulator."""

    emulator: Emulator
    id: AccountId

    def client(self, service: str, region: Region = HERE) -> Any:
        return self.emulator.session(self.id, region).client(service)

    def stack(self, name: str = stack_names.TARGET, region: Region = HERE) -> Stack:
        return Stack(self.client("cloudformation", region), name, poll=0.05)

    def deploy(self, name: str, template: dict[str, Any], region: Region = HERE) -> None:
        self.client("cloudformation", region).create_stack(
            StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        status = self.stack(name, region)._wait()
        assert status == "CREATE_COMPLETE"

    def register(self, name: str) -> str:
        """Register a device as the commissioner does."""
        iot, identity = self.client("iot"), Identity(name)
        iot.create_thing(thingName=name, attributePayload={"attributes": {"certid": identity.id}})
        made = iot.register_certificate_without_ca(certificatePem=identity.pem, status="ACTIVE")
        iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
        iot.attach_policy(policyName=POLICY, target=made["certificateArn"])
        return str(made["certificateArn"])

    def left(self) -> tuple[int, int]:
        """Return the number of certificates and things."""
        iot = self.client("iot")
        return len(iot.list_certificates()["certificates"]), len(iot.list_things()["things"])

    def remove(self, *, keep_devices: bool = False) -> list[str]:
        lines: list[str] = []
        session = self.emulator.session(self.id, HERE)
        TargetRemoval(session, Target(self.id, HERE), lines.append, poll=0.05, regions=(HERE, ELSEWHERE)).run(
            keep_devices=keep_devices
        )
        return lines

    def has_role(self) -> bool:
        return TARGET_ROLE in [each["RoleName"] for each in self.client("iam").list_roles()["Roles"]]


@pytest.fixture
def account(emulator: Emulator) -> Account:
    return Account(emulator, AccountId(str(next(_ACCOUNTS))))
