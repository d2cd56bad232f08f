"""The door `claim` in AWS IoT: the provisioning template with its role and its hook, and the policies of claim
certificates.

A device gets the same as at the door `registration`: an active certificate with the policy of waiting devices, attached
to the thing whose name is the serial number. AWS IoT provisions a device only if the hook permits it.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_

from infra import stack_names
from infra.doors import claim_permissions
from infra.parts import device_policies, functions, timers, topic_rules
from infra.parts.permissions import iot_arn
from infra.regions import region_parts as regions
from lobby.deployment import NAMES
from lobby.domain.enrolments.claim_certificate import CLIENT_PREFIX, SERIAL_NUMBER
from lobby.names import Target

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack

TEMPLATE: Final = stack_names.TEMPLATE
CLAIM: Final = NAMES.name("claim")
"""The policy of every claim certificate."""
CLAIM_KEYS: Final = NAMES.name("claim-keys")
"""The additional policy of claim certificates for which AWS IoT may create the keys."""
PAYLOAD_VERSION: Final = "2020-04-01"
_CSR: Final = "$aws/certificates/create-from-csr/json"
_KEYS: Final = "$aws/certificates/create/json"
_PROVISION: Final = f"$aws/provisioning-templates/{TEMPLATE}/provision/json"
_CERTIFICATE_ID: Final = "AWS::IoT::Certificate::Id"
"""The parameter that AWS IoT supplies (developer guide, "Provisioning templates")."""


def template_body() -> dict[str, Any]:
    """Return the provisioning template. A thing that exists keeps its attributes, type and groups."""
    unchanged = {"AttributePayload": "DO_NOTHING", "ThingTypeName": "DO_NOTHING", "ThingGroups": "DO_NOTHING"}
    return {
        "Parameters": {SERIAL_NUMBER: {"Type": "String"}, _CERTIFICATE_ID: {"Type": "String"}},
        "Resources": {
            "thing": {
                "Type": "AWS::IoT::Thing",
                "OverrideSettings": unchanged,
                "Properties": {"ThingName": {"Ref": SERIAL_NUMBER}},
            },
            "certificate": {
                "Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": _CERTIFICATE_ID}, "Status": "Active"},
            },
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": device_policies.WAITING}},
        },
    }


def claim_policy(lobby: Target) -> dict[str, Any]:
    """Return the policy of claim certificates: permission to connect with a client id that no device has, and to
    request a certificate and provisioning by this template."""
    connect = _allow("iot:Connect", iot_arn(lobby, f"client/{CLIENT_PREFIX}*"))
    return {"Version": "2012-10-17", "Statement": [connect, *_requests(lobby, _CSR, _PROVISION)]}


def keys_policy(lobby: Target) -> dict[str, Any]:
    """Return the additional policy: permission to request a certificate together with a key."""
    return {"Version": "2012-10-17", "Statement": _requests(lobby, _KEYS)}


def _requests(lobby: Target, *topics: str) -> list[dict[str, Any]]:
    answers = [f"{topic}/{answer}" for topic in topics for answer in ("accepted", "rejected")]
    return [
        _allow("iot:Publish", *(iot_arn(lobby, f"topic/{topic}") for topic in topics)),
        _allow("iot:Subscribe", *(iot_arn(lobby, f"topicfilter/{answer}") for answer in answers)),
        _allow("iot:Receive", *(iot_arn(lobby, f"topic/{answer}") for answer in answers)),
    ]


def _allow(action: str, *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


def make_claim_door(stack: "LobbyStack") -> None:
    """Create the template, its role, its hook, the policies, and the registrar with its timer."""
    lobby = stack.settings.lobby
    for construct_id, name, document in (
        ("ClaimPolicy", CLAIM, claim_policy(lobby)),
        ("ClaimKeysPolicy", CLAIM_KEYS, keys_policy(lobby)),
    ):
        iot.CfnPolicy(stack, construct_id, policy_name=name, policy_document=document)
    hook = stack.make_function(functions.PROVISIONING, claim_permissions.provisioning(stack.settings))
    hook.add_permission(
        "Template",
        principal=iam.ServicePrincipal("iot.amazonaws.com"),
        source_arn=iot_arn(lobby, f"provisioningtemplate/{TEMPLATE}"),
        source_account=lobby.account,
    )
    _make_template(stack, hook)
    registrar = stack.make_function(
        functions.REGISTRAR,
        claim_permissions.registrar(stack.settings),
        CLAIM_POLICY=CLAIM,
        CLAIM_KEYS_POLICY=CLAIM_KEYS,
        LOBBY_POLICY=device_policies.WAITING,
    )
    timers.make_timer(stack, functions.REGISTRAR, registrar, "rate(5 minutes)", {"operation": "run"})
    CfnOutput(stack, "ProvisioningTemplate", value=TEMPLATE)


def _make_template(stack: "LobbyStack", hook: lambda_.Function) -> None:
    lobby = stack.settings.lobby
    role = topic_rules.rule_role(
        stack,
        "TemplateRole",
        lobby,
        claim_permissions.template(lobby, device_policies.WAITING),
        regions.role_name("template", stack.settings),
    )
    template = iot.CfnProvisioningTemplate(
        stack,
        "ClaimTemplate",
        template_name=TEMPLATE,
        template_type="FLEET_PROVISIONING",
        description="Device Lobby: provisions devices that have a claim certificate",
        enabled=True,
        provisioning_role_arn=role.role_arn,
        template_body=json.dumps(template_body(), separators=(",", ":")),
        pre_provisioning_hook=iot.CfnProvisioningTemplate.ProvisioningHookProperty(
            target_arn=hook.function_arn, payload_version=PAYLOAD_VERSION
        ),
    )
    # AWS IoT checks that it may call the hook and assume the role. The policy must exist when a device is provisioned.
    template.node.add_dependency(hook, role, stack.node.find_child("WaitingPolicy"))
