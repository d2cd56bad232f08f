"""The door `claim` in the templates: the provisioning template, its hook, and the permissions of claim certificates."""

import json
from typing import Any

import pytest

from infra.doors.provisioning import CLAIM, CLAIM_KEYS, claim_policy, keys_policy
from infra.parts.device_policies import WAITING, waiting_policy
from lobby.domain.enrolments.claim_certificate import CLIENT_PREFIX
from lobby.errors import InvalidInput
from lobby.names import parse_target_key, parse_thing_name
from tests.infra.templates import LOBBY, Stacks

ARN = "arn:aws:iot:us-east-1:100000000001:"


def granted(document: dict[str, Any]) -> dict[str, set[str]]:
    assert all(each["Effect"] == "Allow" for each in document["Statement"])
    return {each["Action"]: {name.removeprefix(ARN) for name in each["Resource"]} for each in document["Statement"]}


def test_a_claim_certificate_can_only_ask_for_a_certificate_and_for_provisioning() -> None:
    csr, provision = "$aws/certificates/create-from-csr/json", "$aws/provisioning-templates/device-lobby/provision/json"
    answers = {f"{topic}/{answer}" for topic in (csr, provision) for answer in ("accepted", "rejected")}
    assert granted(claim_policy(parse_target_key(LOBBY))) == {
        "iot:Connect": {"client/claim.*"},
        "iot:Publish": {f"topic/{csr}", f"topic/{provision}"},
        "iot:Subscribe": {f"topicfilter/{answer}" for answer in answers},
        "iot:Receive": {f"topic/{answer}" for answer in answers},
    }


def test_keys_by_aws_iot_need_the_second_policy() -> None:
    keys = "$aws/certificates/create/json"
    assert granted(keys_policy(parse_target_key(LOBBY))) == {
        "iot:Publish": {f"topic/{keys}"},
        "iot:Subscribe": {f"topicfilter/{keys}/accepted", f"topicfilter/{keys}/rejected"},
        "iot:Receive": {f"topic/{keys}/accepted", f"topic/{keys}/rejected"},
    }


def test_a_claim_connection_cannot_have_the_client_id_of_a_device() -> None:
    for client_id in (CLIENT_PREFIX, f"{CLIENT_PREFIX}0123456789abcdef"):
        with pytest.raises(InvalidInput):
            parse_thing_name(client_id)


def test_the_template_makes_a_device_what_the_registration_door_makes_it(stacks: Stacks) -> None:
    template = stacks.lobby.resolve(stacks.lobby.the("AWS::IoT::ProvisioningTemplate"))
    assert (template["TemplateName"], template["TemplateType"]) == ("device-lobby", "FLEET_PROVISIONING")
    body = json.loads(template["TemplateBody"])
    assert set(body["Parameters"]) == {"SerialNumber", "AWS::IoT::Certificate::Id"}
    resources = body["Resources"]
    assert resources["certificate"]["Properties"] == {
        "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"},
        "Status": "Active",
    }
    assert resources["policy"]["Properties"] == {"PolicyName": WAITING}
    assert resources["thing"]["Properties"] == {"ThingName": {"Ref": "SerialNumber"}}
    assert len(template["TemplateBody"]) < 10_240
    assert waiting_policy(parse_target_key(LOBBY))["Statement"]


def test_nothing_is_provisioned_without_the_hook(stacks: Stacks) -> None:
    template = stacks.lobby.resolve(stacks.lobby.the("AWS::IoT::ProvisioningTemplate"))
    hook = template["PreProvisioningHook"]
    assert hook["PayloadVersion"] == "2020-04-01"
    assert hook["TargetArn"].startswith("<Provisioning")
    waited_for = stacks.lobby.template["Resources"]["ClaimTemplate"]["DependsOn"]
    permission = next(name for name in waited_for if name.startswith("ProvisioningTemplate"))
    allowed = stacks.lobby.resolve(stacks.lobby.template["Resources"][permission]["Properties"])
    assert allowed["SourceArn"] == f"{ARN}provisioningtemplate/device-lobby"


def test_the_hook_ends_before_aws_iot_stops_waiting(stacks: Stacks) -> None:
    functions = {each["FunctionName"]: each for each in stacks.lobby.of_type("AWS::Lambda::Function")}
    assert functions["device-lobby-provisioning"]["Timeout"] == 5


def test_the_policies_of_claim_certificates_are_deployed(stacks: Stacks) -> None:
    names = {each["PolicyName"] for each in stacks.lobby.of_type("AWS::IoT::Policy")}
    assert names == {WAITING, CLAIM, CLAIM_KEYS}
