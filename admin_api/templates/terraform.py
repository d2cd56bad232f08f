"""A target's resources as a Terraform configuration for the provider `hashicorp/aws`, with comments.

Each CloudFormation type that the stacks use has a function here, which names every property. An unknown type or
property raises an error, so that no resource can be missing in one of the formats. A test writes all of them.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from admin_api.templates.source import Resource, TargetResources
from lobby.domain.targets.target import PLACEHOLDER

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Raw:
    """An expression, written without quotes."""

    text: str


@dataclass(frozen=True)
class Block:
    """A nested block: `name { … }`."""

    fields: Mapping[str, Any]


def terraform(target: TargetResources, lobby: str) -> str:
    """Return the configuration. `lobby` is the lobby's account and Region, for the comment."""
    where = target.registered.target
    names = _names(target.resources)
    lines = [
        f"# Sets this account up as a target of the Device Lobby in {lobby}: the lobby can then register devices here.",
        f"# For {where} and the profiles {', '.join(target.registered.profiles)}. It contains the target's ExternalId.",
        "",
        "terraform {",
        "  required_providers {",
        "    aws = {",
        '      source  = "hashicorp/aws"',
        '      version = ">= 5.0"',
        "    }",
        "  }",
        "}",
        "",
        'provider "aws" {',
        f"  region              = {_quoted(where.region)}",
        f"  allowed_account_ids = [{_quoted(where.account)}]",
        "}",
        "",
        "# The account's Regions share one role. Set it to false if the configuration of another Region creates it.",
        'variable "create_role" {',
        "  type    = bool",
        f"  default = {json.dumps(where.region == target.role_region)}",
        "}",
    ]
    for resource in target.resources:
        writer = _Writer(names, where.region)
        lines += ["", f"# {resource.comment}", *writer.resource(resource)]
    return "\n".join(lines) + "\n"


class _Writer:
    """Writes one resource. `names` are the type and the name of each resource, by its logical id."""

    def __init__(self, names: Mapping[str, tuple[str, str]], region: str) -> None:
        self._names, self._region = names, region

    def resource(self, resource: Resource) -> Iterator[str]:
        kind, convert = _TYPES[resource.type]
        properties = self._value(dict(resource.properties))
        _, name = self._names[resource.logical_id]
        fields = convert(properties)
        count = {"count": Raw("var.create_role ? 1 : 0")} if resource.is_role else {}
        yield from self._block(f'resource "{kind}" "{name}"', count | fields, 0)
        if resource.type == "AWS::IAM::Role":
            reference = f"{kind}.{name}[0].id" if resource.is_role else f"{kind}.{name}.id"
            for policy in properties["Policies"]:
                more = {
                    "name": policy["PolicyName"],
                    "role": Raw(reference),
                    "policy": _document(policy["PolicyDocument"]),
                }
                yield ""
                yield from self._block(
                    f'resource "aws_iam_role_policy" "{_snake(policy["PolicyName"])}"', count | more, 0
                )

    def _value(self, value: Any) -> Any:
        """Return a value with its references as expressions, and the Region filled in."""
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if isinstance(value, str):
            return value.replace(PLACEHOLDER.region, self._region)
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return self._reference(value["Ref"], "Ref")
        if set(value) == {"Fn::GetAtt"}:
            return self._reference(*value["Fn::GetAtt"])
        return {key: self._value(each) for key, each in value.items()}

    def _reference(self, logical_id: str, attribute: str) -> Raw:
        kind, name = self._names[logical_id]
        return Raw(_REFERENCES[kind, attribute].format(f"{_TYPES[kind][0]}.{name}"))

    def _block(self, head: str, fields: Body, depth: int) -> Iterator[str]:
        pad = "  " * depth
        plain = {name: value for name, value in fields.items() if not isinstance(value, Block)}
        yield f"{pad}{head} {{"
        yield from _assignments({name: _expression(value, depth + 1) for name, value in plain.items()}, depth + 1)
        for name, value in fields.items():
            if isinstance(value, Block):
                yield ""
                yield from self._block(name, value.fields, depth + 1)
        yield f"{pad}}}"


def _assignments(fields: Mapping[str, str], depth: int) -> Iterator[str]:
    """Write `name = value` as `terraform fmt` does: it aligns values of one line that follow each other."""
    run: list[str] = []
    for name, value in [*fields.items(), ("", "\n")]:
        if "\n" not in value:
            run.append(name)
            continue
        width = max(map(len, run), default=0)
        yield from (f"{'  ' * depth}{each:<{width}} = {fields[each]}" for each in run)
        run = []
        if name:
            yield f"{'  ' * depth}{name} = {value}"


def _expression(value: Any, depth: int) -> str:
    """Return a value; its lines after the first are indented."""
    pad = "  " * (depth + 1)
    if isinstance(value, Raw):
        return value.text.replace("\n", f"\n{'  ' * depth}")
    if isinstance(value, dict):
        keys = {key if re.fullmatch(r"[A-Za-z]+", key) else _quoted(key): each for key, each in value.items()}
        fields = {key: _expression(each, depth + 1) for key, each in keys.items()}
        return "{\n" + "\n".join(_assignments(fields, depth + 1)) + f"\n{'  ' * depth}}}"
    if isinstance(value, list):
        return "[\n" + "".join(f"{pad}{_expression(each, depth + 1)},\n" for each in value) + f"{'  ' * depth}]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """Return a string that contains no template sequences (Terraform language, "Strings and Templates")."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _document(document: Any) -> Raw:
    return Raw(f"jsonencode({_expression(document, 0)})")


def _names(resources: Iterable[Resource]) -> dict[str, tuple[str, str]]:
    """Return the type and the name of each resource, by its logical id. Logical ids that differ only in case can have
    the same name; all but the first then get a number."""
    found: dict[str, tuple[str, str]] = {}
    for resource in resources:
        name, number = _snake(resource.logical_id), 1
        while (resource.type, name) in found.values():
            number += 1
            name = f"{_snake(resource.logical_id)}_{number}"
        found[resource.logical_id] = (resource.type, name)
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower()


def _fields(properties: Body, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties under Terraform's names. Raise `LookupError` for an unknown property."""
    unknown = set(properties) - set(names)
    if unknown:
        raise LookupError(f"got properties {sorted(unknown)}, want only {sorted(names)}: add them to this module")
    return {names[key]: value for key, value in properties.items()}


def _policy(properties: Body) -> dict[str, Any]:
    fields = _fields(properties, {"PolicyName": "name", "PolicyDocument": "policy"})
    return {"name": fields["name"], "policy": _document(fields["policy"])}


def _thing_type(properties: Body) -> dict[str, Any]:
    fields = _fields(properties, {"ThingTypeName": "name", "ThingTypeProperties": "properties"})
    names = {"SearchableAttributes": "searchable_attributes", "ThingTypeDescription": "description"}
    details = _fields(fields.pop("properties", {}), names)
    return fields | ({"properties": Block(details)} if details else {})


def _role(properties: Body) -> dict[str, Any]:
    names = {
        "RoleName": "name",
        "Description": "description",
        "AssumeRolePolicyDocument": "assume_role_policy",
        "Policies": "policies",
    }
    fields = _fields(properties, names)
    del fields["policies"]
    return fields | {"assume_role_policy": _document(fields["assume_role_policy"])}


def _topic_policy(properties: Body) -> dict[str, Any]:
    fields = _fields(properties, {"Topics": "arn", "PolicyDocument": "policy"})
    [topic] = fields["arn"]
    return {"arn": topic, "policy": _document(fields["policy"])}


def _topic_rule(properties: Body) -> dict[str, Any]:
    outer = _fields(properties, {"RuleName": "name", "TopicRulePayload": "payload"})
    names = {
        "Sql": "sql",
        "AwsIotSqlVersion": "sql_version",
        "Description": "description",
        "RuleDisabled": "disabled",
        "Actions": "actions",
        "ErrorAction": "error_action",
    }
    payload = _fields(outer["payload"], names)
    [action] = payload["actions"]
    return {
        "name": outer["name"],
        "description": payload["description"],
        "enabled": not payload["disabled"],
        "sql": payload["sql"],
        "sql_version": payload["sql_version"],
        **_action(action),
        "error_action": Block(_action(payload["error_action"])),
    }


def _action(action: Body) -> dict[str, Any]:
    [(kind, body)] = action.items()
    name, names = _ACTIONS[kind]
    return {name: Block(_fields(body, names))}


_ACTIONS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "Sns": ("sns", {"TargetArn": "target_arn", "RoleArn": "role_arn", "MessageFormat": "message_format"}),
    "CloudwatchLogs": ("cloudwatch_logs", {"LogGroupName": "log_group_name", "RoleArn": "role_arn"}),
}
_REFERENCES: Final = {
    ("AWS::SNS::Topic", "Ref"): "{}.arn",
    ("AWS::Logs::LogGroup", "Ref"): "{}.name",
    ("AWS::Logs::LogGroup", "Arn"): '"${{{}.arn}}:*"',
    ("AWS::IAM::Role", "Arn"): "{}.arn",
}
"""Terraform's expression for `Ref` and `GetAtt`. CloudFormation's ARN of a log group ends with `:*`."""
_TYPES: Final[dict[str, tuple[str, Callable[[Body], dict[str, Any]]]]] = {
    "AWS::IoT::Policy": ("aws_iot_policy", _policy),
    "AWS::IoT::ThingType": ("aws_iot_thing_type", _thing_type),
    "AWS::IoT::ThingGroup": ("aws_iot_thing_group", lambda found: _fields(found, {"ThingGroupName": "name"})),
    "AWS::IoT::BillingGroup": ("aws_iot_billing_group", lambda found: _fields(found, {"BillingGroupName": "name"})),
    "AWS::IAM::Role": ("aws_iam_role", _role),
    "AWS::SNS::Topic": (
        "aws_sns_topic",
        lambda found: _fields(
            found, {"TopicName": "name", "KmsMasterKeyId": "kms_master_key_id", "SignatureVersion": "signature_version"}
        ),
    ),
    "AWS::SNS::TopicPolicy": ("aws_sns_topic_policy", _topic_policy),
    "AWS::SNS::Subscription": (
        "aws_sns_topic_subscription",
        lambda found: _fields(found, {"TopicArn": "topic_arn", "Protocol": "protocol", "Endpoint": "endpoint"}),
    ),
    "AWS::Logs::LogGroup": (
        "aws_cloudwatch_log_group",
        lambda found: _fields(found, {"LogGroupName": "name", "RetentionInDays": "retention_in_days"}),
    ),
    "AWS::IoT::TopicRule": ("aws_iot_topic_rule", _topic_rule),
}
