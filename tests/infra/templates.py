"""Synthesized templates for tests: resources by type, statements by role, CloudFormation functions resolved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra import stack_names
from infra.app import synthesize
from infra.settings import Settings

LOBBY = "100000000001/us-east-1"
TARGETS = [
    {"account": "200000000002", "region": "eu-west-1", "externalId": "the-first-account-s"},
    {"account": "200000000002", "region": "ap-southeast-2", "externalId": "the-first-account-s"},
]
HISTORY = "arn:aws:dynamodb:us-east-1:100000000001:table/device-lobby-history"


def settings(**context: Any) -> Settings:
    """Return the settings of a lobby and two targets in one account, overridden by `context`."""
    return Settings.from_context(({"lobby": LOBBY, "targets": TARGETS, "bundle": False} | context).get)


@dataclass(frozen=True)
class Statement:
    """One policy statement. Values that CloudFormation resolves are shown as `<LogicalId.Attribute>`."""

    role: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: dict[str, Any]


@dataclass
class Stack:
    template: dict[str, Any]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [each["Properties"] for each in self.template["Resources"].values() if each["Type"] == kind]

    def the(self, kind: str, **properties: Any) -> dict[str, Any]:
        """Return the properties of the only resource of this type that has these properties."""
        matching = [each for each in self.of_type(kind) if properties.items() <= each.items()]
        assert len(matching) == 1, f"{len(matching)} of {kind} with {properties}"
        return matching[0]

    def logical_id(self, properties: dict[str, Any]) -> str:
        """Return the logical id of the resource that has this `properties` object."""
        [logical_id] = [key for key, each in self.template["Resources"].items() if each.get("Properties") is properties]
        return str(logical_id)

    def resolve(self, value: Any) -> Any:
        """Return the value with `Ref`, `Fn::GetAtt` and `Fn::Join` replaced by text."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return f"<{value['Ref']}>"
        if set(value) == {"Fn::GetAtt"}:
            return f"<{'.'.join(value['Fn::GetAtt'])}>"
        if set(value) == {"Fn::Join"}:
            separator, parts = value["Fn::Join"]
            return separator.join(map(str, self.resolve(parts)))
        return {key: self.resolve(each) for key, each in value.items()}

    @cached_property
    def statements(self) -> list[Statement]:
        """The inline policy statements of all roles."""
        return list(self._statements())

    def _statements(self) -> Iterator[Statement]:
        for logical_id, resource in self.template["Resources"].items():
            if resource["Type"] == "AWS::IAM::Role":
                properties = resource["Properties"]
                for policy in properties.get("Policies", []):
                    for body in policy["PolicyDocument"]["Statement"]:
                        yield self._statement(properties.get("RoleName", logical_id), body)

    def _statement(self, role: str, body: dict[str, Any]) -> Statement:
        body = self.resolve(body)
        actions, resources = (
            tuple([body[key]] if isinstance(body[key], str) else body[key]) for key in ("Action", "Resource")
        )
        return Statement(role, body["Effect"], actions, resources, body.get("Condition", {}))

    def grants(self, role: str) -> dict[str, set[str]]:
        """Return the resources that a role may access, by action."""
        resources: dict[str, set[str]] = {}
        for each in self.statements:
            if each.role == role and each.effect == "Allow":
                for action in each.actions:
                    resources.setdefault(action, set()).update(each.resources)
        return resources


@dataclass(frozen=True)
class Stacks:
    folder: Path
    lobby: Stack
    targets: list[Stack]
    roles: list[Stack]
    """The stacks of the commissioner's role, one per target account."""

    @property
    def all(self) -> list[Stack]:
        return [self.lobby, *self.targets, *self.roles]


def synthesized(settings: Settings, folder: Path, *, nag: bool = False) -> Stacks:
    """Synthesize the stacks. With `nag`, fail for findings of cdk-nag without a suppression."""
    synthesize(settings, folder, nag=nag)

    def read(name: str) -> Stack:
        return Stack(json.loads((folder / f"{name}.template.json").read_text()))

    targets = settings.targets
    return Stacks(
        folder,
        read(stack_names.LOBBY),
        [read(stack_names.target_id(each.target)) for each in targets],
        [read(stack_names.role_id(each.target.account)) for each in targets if each.create_role],
    )
