"""A target's resources as a CloudFormation template in YAML, with comments.

The template works for a stack in one Region and for a StackSet over many Regions of the account. The Region is a pseudo
parameter, and the role is created in only one Region. If a stack is deleted, the role stays, because other Regions use
it.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from admin_api.templates.source import Resource, TargetResources
from lobby.deployment import NAMES
from lobby.domain.targets.target import PLACEHOLDER

_INDENT: Final = "  "
_SHORT: Final = {"Ref": "!Ref", "Fn::Sub": "!Sub"}
_STACK: Final = NAMES.stack("Target")
_SUBSCRIPTION: Final = "AWS::SNS::Subscription"
_TOPIC: Final = "AWS::SNS::Topic"
_ROLE: Final = "AWS::IAM::Role"
ROLE_CONDITION: Final = "CreatesRole"
_INLINE_BYTES: Final = 51_200
"""The size of a template that a call can contain; a larger one must be in S3 (CloudFormation quotas)."""


def cloudformation(target: TargetResources, lobby: str) -> str:
    """Return the template. `lobby` is the lobby's account and Region, for the comment."""
    others = [each.logical_id for each in target.resources if each.type not in (_SUBSCRIPTION, _TOPIC, _ROLE)]
    body = [line for resource in target.resources for line in _resource(resource, others)]
    text = "\n".join([*_head(target, lobby, is_large=False), *body]) + "\n"
    if len(text.encode()) <= _INLINE_BYTES:
        return text
    return "\n".join([*_head(target, lobby, is_large=True), *body]) + "\n"


def _head(target: TargetResources, lobby: str, *, is_large: bool) -> list[str]:
    """Return the lines before the resources. `is_large`: commands read the template from a bucket of the owner."""
    region, where = target.registered.target.region, target.registered.target
    upload = " --s3-bucket BUCKET" if is_large else ""
    address = f"--template-url https://BUCKET.s3.{target.role_region}.amazonaws.com/FILE"
    source = address if is_large else "--template-body file://FILE"
    return [
        f"# Sets this account up as a target of the Device Lobby in {lobby}: the lobby can then register devices here.",
        f"# For {where} and the profiles {', '.join(target.registered.profiles)}. It contains the target's ExternalId.",
        "#",
        "# One Region:",
        f"#   aws cloudformation deploy --template-file FILE --stack-name {_STACK} \\",
        f"#     --capabilities CAPABILITY_NAMED_IAM --region {region}{upload}",
        *(["# A template of this size must be in S3: BUCKET is a bucket of this account, in that Region."] * is_large),
        "# Many Regions of this account (each must be registered with the lobby):",
        f"#   aws cloudformation create-stack-set --stack-set-name {_STACK} {source} \\",
        f"#     --capabilities CAPABILITY_NAMED_IAM --region {target.role_region}",
        f"#   aws cloudformation create-stack-instances --stack-set-name {_STACK} \\",
        f"#     --accounts {where.account} --regions {target.role_region} … --region {target.role_region}",
        'AWSTemplateFormatVersion: "2010-09-09"',
        f"Description: {_text(f'Device Lobby: allows the lobby {lobby} to register devices here')}",
        "Parameters:",
        f"{_INDENT}RoleRegion:",
        f"{_INDENT * 2}Type: String",
        f"{_INDENT * 2}Default: {_text(target.role_region)}",
        f"{_INDENT * 2}Description: Region whose stack creates the account's role; none if the account has it",
        "Conditions:",
        f"{_INDENT}{ROLE_CONDITION}: !Equals [!Ref RoleRegion, !Ref AWS::Region]",
        "Resources:",
    ]


def _resource(resource: Resource, others: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a resource. A subscription is created after the `others`: CloudFormation cannot delete one
    that is not confirmed, so a failed deployment could not be rolled back."""
    yield f"{_INDENT}# {resource.comment}"
    yield f"{_INDENT}{resource.logical_id}:"
    yield f"{_INDENT * 2}Type: {resource.type}"
    if resource.is_role:
        yield f"{_INDENT * 2}Condition: {ROLE_CONDITION}"
        yield f"{_INDENT * 2}DeletionPolicy: Retain"
        yield f"{_INDENT * 2}UpdateReplacePolicy: Retain"
    if resource.type == _SUBSCRIPTION:
        yield f"{_INDENT * 2}DependsOn: [{', '.join(others)}]"
    yield f"{_INDENT * 2}Properties:"
    yield from _block(_portable(dict(resource.properties)), 3)


def _portable(value: Any) -> Any:
    """Return the value with the Region as a pseudo parameter."""
    if isinstance(value, dict):
        return {key: _portable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_portable(each) for each in value]
    if isinstance(value, str) and PLACEHOLDER.region in value:
        return {"Fn::Sub": value.replace("${", "${!").replace(PLACEHOLDER.region, "${AWS::Region}")}
    return value


def _block(value: Any, depth: int) -> Iterator[str]:
    """Write a mapping or a list, indented."""
    pad = _INDENT * depth
    entries = ((f"{key}:", each) for key, each in value.items()) if isinstance(value, dict) else ()
    items = (("-", each) for each in value) if isinstance(value, list) else entries
    for head, each in items:
        plain = _inline(each)
        if plain is not None:
            yield f"{pad}{head} {plain}"
        elif head == "-":
            first, *rest = _block(each, depth + 1)
            yield f"{pad}- {first.strip()}"
            yield from rest
        else:
            yield f"{pad}{head}"
            yield from _block(each, depth + 1)


def _inline(value: Any) -> str | None:
    """Return a value that is written on one line, or None."""
    if isinstance(value, dict) and len(value) == 1:
        [(name, argument)] = value.items()
        if name in _SHORT:
            return f"{_SHORT[name]} {_text(argument) if name == 'Fn::Sub' else argument}"
        if name == "Fn::GetAtt":
            return f"!GetAtt {'.'.join(argument)}"
    if isinstance(value, dict | list):
        return None if value else json.dumps(value)
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    """Return a double-quoted YAML string: JSON's strings are YAML's (YAML 1.2.2, section 1.2)."""
    return json.dumps(value)
