"""The grants of a deployed role, one by one, and how to take one away for a while.

A grant is one action on one resource, as the role's inline policies say it in the emulator. Taken away, the Lambdas
that run with the role are started anew, so that nothing is left of what it allowed: credentials, a list in memory.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

Statement = dict[str, Any]


@dataclass(frozen=True, order=True)
class Grant:
    """`policy` and `sid` say where it stands."""

    role: str
    action: str
    resource: str
    policy: str
    sid: str

    @property
    def where(self) -> str:
        """The resource without what is the same for all."""
        tail = self.resource.split(":", 5)[-1]
        return tail.replace("table/device-lobby-", "").replace("device-lobby-", "") or "*"


def as_list(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


class Roles:
    """The roles of one account."""

    def __init__(self, iam: Any, restart: Callable[[str], None]) -> None:
        """`restart` starts the Lambdas of a role anew."""
        self._iam, self._restart = iam, restart

    def grants(self, role: str) -> list[Grant]:
        return sorted(
            Grant(role, action, resource, policy, statement.get("Sid", ""))
            for policy in self._iam.list_role_policies(RoleName=role)["PolicyNames"]
            for statement in self._document(role, policy)["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        )

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        before = self._document(grant.role, grant.policy)
        rest = [each for statement in before["Statement"] for each in less(statement, grant)]
        self._put(grant, {**before, "Statement": rest})
        try:
            yield
        finally:
            self._put(grant, before)

    def _document(self, role: str, policy: str) -> dict[str, Any]:
        found: dict[str, Any] = self._iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return found

    def _put(self, grant: Grant, document: dict[str, Any]) -> None:
        self._iam.put_role_policy(RoleName=grant.role, PolicyName=grant.policy, PolicyDocument=json.dumps(document))
        self._restart(grant.role)


def less(statement: Statement, grant: Grant) -> list[Statement]:
    """The statement as one or two that allow all it did but the grant."""
    actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
    if statement.get("Sid", "") != grant.sid or grant.action not in actions or grant.resource not in resources:
        return [statement]
    other_actions = [action for action in actions if action != grant.action]
    other_resources = [resource for resource in resources if resource != grant.resource]
    rest = [{**statement, "Action": other_actions}] if other_actions else []
    if other_resources:
        sid = f"{grant.sid}Rest"
        rest.append({**statement, "Sid": sid, "Action": [grant.action], "Resource": other_resources})
    return rest


def credentials_of(session: boto3.Session, role_arn: str, **more: Any) -> boto3.Session:
    """A session as the role, of the caller's Region."""
    client: Any = session.client("sts")
    found = client.assume_role(RoleArn=role_arn, RoleSessionName="shown-by-the-tests", **more)["Credentials"]
    return boto3.Session(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region_name=session.region_name
    )
