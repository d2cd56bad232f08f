"""The resources of one target, from the templates that the deployment put into this bundle.

The file contains the synthesized templates of the role and of a target's Region, for all profiles and a placeholder
account and Region (`infra/target_templates.py`). This module fills in the account and its ExternalId, and omits
resources that only other profiles use. The Region stays a placeholder, which each format writes in its own way.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from lobby import strict_json
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import PLACEHOLDER, PLACEHOLDER_EXTERNAL_ID, RegisteredTarget, profile_policy
from lobby.errors import MissingSettings
from lobby.names import Region

_FILE: Final = Path(__file__).with_name("target.json")
_HASH: Final = re.compile(r"(?P<plain>.+?)[0-9A-F]{8}")
_NAMED_BY_PROFILES: Final = {
    "AWS::IoT::Policy": "PolicyName",
    "AWS::IoT::ThingType": "ThingTypeName",
    "AWS::IoT::ThingGroup": "ThingGroupName",
    "AWS::IoT::BillingGroup": "BillingGroupName",
}
_PURPOSES: Final = {
    "AWS::IoT::Policy": "What devices with this profile may do. The lobby attaches it to their certificates.",
    "AWS::IoT::ThingType": "The type of the things of a profile.",
    "AWS::IoT::ThingGroup": "A group that the lobby puts things of a profile into.",
    "AWS::IoT::BillingGroup": "A billing group that the lobby puts things of a profile into.",
    "AWS::SNS::Topic": "Reports arrived devices to the lobby.",
    "AWS::SNS::TopicPolicy": "Refuses publishing without TLS.",
    "AWS::SNS::Subscription": "Delivers the reports to the lobby's queue. The lobby confirms the subscription.",
    "AWS::Logs::LogGroup": "Errors of the rule below.",
    "AWS::IoT::TopicRule": "Publishes to the topic an event of a device of the lobby, and of no other device.",
}


@dataclass(frozen=True)
class Resource:
    """One resource, with CloudFormation's type and properties. `is_role`: it exists once per account. `comment` states
    its purpose."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    comment: str
    is_role: bool = False


@dataclass(frozen=True)
class TargetResources:
    """All resources of a target. `role_region` is the Region whose deployment creates the role."""

    registered: RegisteredTarget
    role_region: Region
    resources: tuple[Resource, ...]


@cache
def bundled_source() -> Mapping[str, Any]:
    """Return the templates in the Lambda's bundle. Raise `MissingSettings` MISSING_TEMPLATES."""
    if not _FILE.is_file():
        raise MissingSettings("MISSING_TEMPLATES", "got no admin_api/templates/target.json, want it in the bundle")
    source: Mapping[str, Any] = strict_json.loads(_FILE.read_text())
    return source


def resources_of(
    source: Mapping[str, Any], registered: RegisteredTarget, role_region: Region, profiles: Profiles
) -> TargetResources:
    """Return the resources of `registered`. Raise `NotFound` UNKNOWN_PROFILE if the lobby lacks one of its profiles."""
    used = profiles.only(registered.profiles)
    wanted = {profile_policy(name) for name in used.by_name} | set(used.thing_types())
    wanted |= {*used.thing_groups(), *used.billing_groups()}
    text = json.dumps(source).replace(PLACEHOLDER.account, registered.target.account)
    filled = strict_json.loads(text.replace(PLACEHOLDER_EXTERNAL_ID, registered.externalid))
    found = [*_resources(filled["role"], is_role=True), *_resources(filled["region"], is_role=False)]
    kept = [each for each in found if each.properties.get(_NAMED_BY_PROFILES.get(each.type, "")) in {None, *wanted}]
    return TargetResources(registered, role_region, tuple(kept))


def _resources(template: Mapping[str, Any], *, is_role: bool) -> Iterator[Resource]:
    resources = template["Resources"]
    names = {logical_id: _plain(logical_id, resources) for logical_id in resources}
    for logical_id, body in resources.items():
        comment = _PURPOSES.get(body["Type"], "")
        if body["Type"] == "AWS::IAM::Role":
            comment = (
                "Allows the lobby to register devices in this account, in all its Regions. There is one per account."
                if is_role
                else "Allows the rules to publish to the topic, to look up the thing of a connection and to log errors."
            )
        yield Resource(names[logical_id], body["Type"], _renamed(body.get("Properties", {}), names), comment, is_role)


def _plain(logical_id: str, resources: Mapping[str, Any]) -> str:
    """Return a logical id without the CDK's hash, if the id is unique without the hash."""
    plain = _without_hash(logical_id)
    return plain if [_without_hash(each) for each in resources].count(plain) == 1 else logical_id


def _without_hash(logical_id: str) -> str:
    match = _HASH.fullmatch(logical_id)
    return match["plain"] if match else logical_id


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a value whose references use the new logical ids."""
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return {"Ref": names.get(value["Ref"], value["Ref"])}
    if set(value) == {"Fn::GetAtt"}:
        logical_id, attribute = value["Fn::GetAtt"]
        return {"Fn::GetAtt": [names[logical_id], attribute]}
    return {key: _renamed(each, names) for key, each in value.items()}
