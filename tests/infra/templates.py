"""Synthesized templates for tests: resources by type, statements by role, CloudFormation functions resolved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.app import synthesize
from infra.settings import Settings

LOBBY = "100000000001/us-east-1"
TARGETS = [
    {"account": "200000000002", "region": "eu-west-1", "externalId": "the-first-account-s"},
    {"account": "200000000002", "region": "ap-southeast-2", "externalId": "the-first-account-s"},
]
HISTORY = "arn:aws:dynamodb:us-east-1:100000000001:table/device-lobby-history"


def settings(**context: Any) -> Settings:
    """Of a lobby and two targets in one account, changed by `context`."""
    return Settings.from_context(({"lobby": LOBBY, "targets": TARGETS, "bundle": False} | context).get)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. What CloudFormation will fill in is shown as `<LogicalId.Attribute>`."""

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
        """The one resource of a type with these properties."""
        found = [each for each in self.of_type(kind) if properties.items() <= each.items()]
        assert len(found) == 1, f"{len(found)} of {kind} with {properties}"
        return found[0]

    def logical_id(self, properties: dict[str, Any]) -> str:
        """Return the logical id of the resource that has this `properties` object."""
        [logical_id] = [key for key, each in self.template["Resources"].items() if each.get("Properties") is properties]
        return str(logical_id)

    def resolve(self, value: Any) -> Any:
        """The value with references to resources of fixed names resolved to those, and others shown."""
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
        """Everything that a role may do, by the role's name."""
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
        """The resources of each action that a role is allowed."""
        found: dict[str, set[str]] = {}
        for each in self.statements:
            if each.role == role and each.effect == "Allow":
                for action in each.actions:
                    found.setdefault(action, set()).update(each.resources)
        return found


@dataclass(frozen=True)
class Stacks:
    folder: Path
    lobby: Stack
    targets: list[Stack]

    @property
    def all(self) -> list[Stack]:
        return [self.lobby, *self.targets]


def synthesized(settings: Settings, folder: Path, *, nag: bool = False) -> Stacks:
    """Fails where cdk-nag finds what is not acknowledged."""
    synthesize(settings, folder, nag=nag)
    names = ["DeviceLobby"] + [
        f"DeviceLobbyTarget-{each.target.account}-{each.target.region}" for each in settings.targets
    ]
    read = [Stack(json.loads((folder / f"{name}.template.json").read_text())) for name in names]
    return Stacks(folder, read[0], read[1:])
