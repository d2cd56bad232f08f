"""The grants of a deployed role, and how to remove one temporarily.

A grant is one action on one resource, as listed in the role's inline policies in the emulator. When a grant is removed
or restored, the Lambdas of the role are restarted: they keep no earlier credentials and no cached results.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Statement = dict[str, Any]


@dataclass(frozen=True, order=True)
class Grant:
    """`policy` and `sid` identify the statement that contains it."""

    role: str
    action: str
    resource: str
    policy: str
    sid: str

    @property
    def where(self) -> str:
        """The resource without the prefixes that all resources share."""
        tail = self.resource.split(":", 5)[-1]
        return tail.replace("table/device-lobby-", "").replace("device-lobby-", "") or "*"


@dataclass(frozen=True)
class UsedPermissions:
    """What roles have used until now, by the emulator's file: the resources of each role and action."""

    resources: dict[tuple[str, str], set[str]]

    @classmethod
    def read(cls, path: Path) -> "UsedPermissions":
        found: dict[tuple[str, str], set[str]] = {}
        with path.open() as lines:
            for used in map(json.loads, lines):
                found.setdefault((used["role"], used["action"]), set()).add(used["resource"])
        return cls(found)

    def include(self, grant: Grant) -> bool:
        """Return whether a call of the role needed the grant, or another one for the same."""
        used = self.resources.get((grant.role, grant.action), set())
        return any(resource == "*" or fnmatchcase(resource, grant.resource) for resource in used)


def _as_list(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


class Roles:
    """The roles of one account."""

    def __init__(self, iam: Any, restart: Callable[[str], None]) -> None:
        """`restart` restarts the Lambdas of a role."""
        self._iam, self._restart = iam, restart

    def grants(self, role: str) -> list[Grant]:
        return sorted(
            Grant(role, action, resource, policy, statement.get("Sid", ""))
            for policy in self._iam.list_role_policies(RoleName=role)["PolicyNames"]
            for statement in self._document(role, policy)["Statement"]
            for action in _as_list(statement["Action"])
            for resource in _as_list(statement["Resource"])
        )

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Remove the grant within the context."""
        before = self._document(grant.role, grant.policy)
        remaining = [each for statement in before["Statement"] for each in subtract(statement, grant)]
        self._put(grant, {**before, "Statement": remaining})
        try:
            yield
        finally:
            self._put(grant, before)

    def _document(self, role: str, policy: str) -> dict[str, Any]:
        document: dict[str, Any] = self._iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return document

    def _put(self, grant: Grant, document: dict[str, Any]) -> None:
        self._iam.put_role_policy(RoleName=grant.role, PolicyName=grant.policy, PolicyDocument=json.dumps(document))
        self._restart(grant.role)


def subtract(statement: Statement, grant: Grant) -> list[Statement]:
    """Return zero to two statements that allow everything the statement allows except the grant."""
    actions, resources = _as_list(statement["Action"]), _as_list(statement["Resource"])
    if statement.get("Sid", "") != grant.sid or grant.action not in actions or grant.resource not in resources:
        return [statement]
    other_actions = [action for action in actions if action != grant.action]
    other_resources = [resource for resource in resources if resource != grant.resource]
    remaining = [{**statement, "Action": other_actions}] if other_actions else []
    if other_resources:
        sid = f"{grant.sid}Rest"
        remaining.append({**statement, "Sid": sid, "Action": [grant.action], "Resource": other_resources})
    return remaining
