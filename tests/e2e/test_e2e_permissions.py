"""Who may do what, asked of the emulated IAM itself: each role is worn, and tried with everything that there is.

What a role's own policy grants is let in, and nothing else is, whatever the resource. A session in a target can do what
commissioning takes there, and nothing in another target, nor in another Region of the same account.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from commissioner.target_gateway.session_policies import commissioning_policy
from commissioner.target_gateway.sessions import SESSION_NAME, Sessions
from infra.local.environment import ROOT_SECRET
from lobby.domain.target import TARGET_ROLE, RegisteredTarget
from lobby.names import Target, parse_region
from tests.bench.iam.grants import Grant, Roles
from tests.e2e.deployment import Deployment
from tests.e2e.probes import Caller, Names, Probe, found, iot_probes, probes

COMMISSIONER = "device-lobby-commissioner"
ELSEWHERE = parse_region("us-west-2")
"""A Region in which no target is."""
NO_PROBE = {
    "dynamodb:DescribeStream": "the emulator knows no stream as a resource",
    "dynamodb:GetRecords": "as DescribeStream",
    "dynamodb:GetShardIterator": "as DescribeStream",
    "logs:CreateLogStream": "the emulator names log groups without the `:*` that AWS asks for",
    "logs:PutLogEvents": "as CreateLogStream",
    "logs:DescribeLogStreams": "as CreateLogStream",
    "sts:AssumeRole": "of targets' roles, which are in other accounts: below",
}
COMMISSIONING = {
    "iot:RegisterCertificateWithoutCA",
    "iot:AttachThingPrincipal",
    "iot:DescribeEndpoint",
    "iot:DescribeCertificate",
    "iot:UpdateCertificate",
    "iot:AttachPolicy",
    "iot:ListAttachedPolicies",
    "iot:DetachPolicy",
    "iot:CreateThing",
    "iot:DescribeThing",
    "iot:GetPolicy",
    "iot:Publish",
}
"""Each on the lobby's own part of the target: its profiles' policies, its topic."""


class Wardrobe:
    """The roles of a deployment, to be worn by a test."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self._session = deployed.emulator.session(deployed.lobby.account, deployed.lobby.region)
        self._worn: dict[str, Caller] = {}
        self.names: Names = self.found(deployed.lobby)

    def found(self, where: Target) -> Names:
        keys = {"aws_access_key_id": where.account, "aws_secret_access_key": ROOT_SECRET}
        return found(self.caller(keys, where).client)

    @property
    def roles(self) -> list[str]:
        return [role for role in self.names.roles if role.startswith("device-lobby-")]

    def grants(self, role: str, where: Target) -> list[Grant]:
        return Roles(self.deployed.client(where, "iam"), lambda _role: None).grants(role)

    def wear(self, role: str) -> Caller:
        """The role's own credentials. It trusts Lambda, or AWS IoT, and for one call the account's root."""
        lobby = self.deployed.lobby
        if role not in self._worn:
            iam = self.deployed.client(lobby, "iam")
            arn = f"arn:aws:iam::{lobby.account}:role/{role}"
            trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            root = {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{lobby.account}:root"},
                "Action": "sts:AssumeRole",
            }
            opened = {**trust, "Statement": [*trust["Statement"], root]}
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
            try:
                answer = self.deployed.client(lobby, "sts").assume_role(RoleArn=arn, RoleSessionName="shown")
            finally:
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
            self._worn[role] = self.caller(_keys(answer["Credentials"]), lobby)
        return self._worn[role]

    def caller(self, credentials: dict[str, Any], where: Target) -> Caller:
        """With no credentials, the root of the lobby's account."""
        return Caller(self._session, credentials, where.region)

    def registered(self, target: Target) -> RegisteredTarget:
        """As the commissioner knows it."""
        row = self.deployed.client(self.deployed.lobby, "dynamodb").get_item(
            TableName="device-lobby-targets", Key={"kind": {"S": "target"}, "target": {"S": str(target)}}
        )["Item"]
        return RegisteredTarget(target, "", row["externalid"]["S"], (), "", "")

    def enter(self, target: Target, *, policy_of: Target | None = None, as_role: str = COMMISSIONER) -> Caller:
        """In the target's role, as the commissioner enters it; or with another target's session policy."""
        registered = self.registered(target)
        narrowed = {} if policy_of is None else {"Policy": json.dumps(commissioning_policy(policy_of))}
        answer = (
            self.wear(as_role)
            .client("sts")
            .assume_role(
                RoleArn=registered.role_arn, RoleSessionName=SESSION_NAME, ExternalId=registered.externalid, **narrowed
            )
        )
        return self.caller(_keys(answer["Credentials"]), target)


def _keys(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }


@pytest.fixture(scope="module")
def wardrobe(deployed: Deployment) -> Wardrobe:
    return Wardrobe(deployed)


def _granted(grants: list[Grant], tried: list[Probe]) -> set[Probe]:
    return {probe for probe in tried if any(probe.allowed_by(grant.action, grant.resource) for grant in grants)}


def _told(tried: set[Probe]) -> list[str]:
    return sorted(f"{probe.action} on {probe.resource}" for probe in tried)


def test_each_role_is_let_in_where_its_policy_says_so_and_nowhere_else(wardrobe: Wardrobe) -> None:
    lobby = wardrobe.deployed.lobby
    tried = probes(lobby, wardrobe.names)
    wrong = {}
    for role in wardrobe.roles:
        caller, granted = wardrobe.wear(role), _granted(wardrobe.grants(role, lobby), tried)
        let_in = caller.let_in(tried)
        wrong[role] = {"let in": _told(let_in - granted), "shut out": _told(granted - let_in)}
    assert {role: found for role, found in wrong.items() if any(found.values())} == {}


def test_the_role_in_a_target_is_let_in_where_its_policy_says_so_and_nowhere_else(
    wardrobe: Wardrobe, first: Target
) -> None:
    tried = probes(first, wardrobe.found(first))
    caller, granted = wardrobe.enter(first), _granted(wardrobe.grants(TARGET_ROLE, first), tried)
    let_in = caller.let_in(tried)
    assert (_told(let_in - granted), _told(granted - let_in)) == ([], [])


def test_every_permission_is_tried(wardrobe: Wardrobe, first: Target) -> None:
    """That a role has it is then shown, and that the others do not."""
    lobby = wardrobe.deployed.lobby
    for where, roles in ((lobby, wardrobe.roles), (first, [TARGET_ROLE])):
        tried = probes(where, wardrobe.names if where == lobby else wardrobe.found(where))
        grants = [grant for role in roles for grant in wardrobe.grants(role, where) if grant.action not in NO_PROBE]
        assert [grant for grant in grants if not _granted([grant], tried)] == [], "want a probe in probes.py"


# Sessions in targets.


def test_a_session_for_a_target_does_there_what_commissioning_takes_and_no_more(
    wardrobe: Wardrobe, first: Target
) -> None:
    session = Sessions(wardrobe.wear(COMMISSIONER).client("sts")).of(wardrobe.registered(first))
    caller = wardrobe.caller(session.credentials, first)
    let_in = caller.let_in(iot_probes(first))
    assert {probe.action for probe in let_in} == COMMISSIONING
    outside = ("policy/another", "topic/app", "topic/$aws")
    assert [probe for probe in let_in if any(part in probe.resource for part in outside)] == []


def test_it_does_nothing_in_another_region_of_the_same_account(wardrobe: Wardrobe, first: Target) -> None:
    elsewhere = Target(first.account, ELSEWHERE)
    session = Sessions(wardrobe.wear(COMMISSIONER).client("sts")).of(wardrobe.registered(first))
    narrow, wide = wardrobe.caller(session.credentials, elsewhere), replace(wardrobe.enter(first), region=ELSEWHERE)
    assert narrow.let_in(iot_probes(elsewhere)) == set()
    assert wide.may(iot_probes(elsewhere)[0]), "the role alone is not what keeps it out"


def test_handling_one_target_it_cannot_touch_another(wardrobe: Wardrobe, first: Target, second: Target) -> None:
    """Neither with what it holds for the first, nor in the second's role with what the first's turn allows."""
    held = Sessions(wardrobe.wear(COMMISSIONER).client("sts")).of(wardrobe.registered(first))
    for caller in (wardrobe.caller(held.credentials, second), wardrobe.enter(second, policy_of=first)):
        assert caller.let_in(iot_probes(second)) == set()
    for beside in (first.region, second.region):
        theirs = Target(second.account, beside)
        caller = replace(wardrobe.enter(second, policy_of=first), region=beside)
        assert caller.let_in(iot_probes(theirs)) == set()


def _enters(caller: Caller, target: RegisteredTarget, external_id: str | None) -> bool:
    given = {} if external_id is None else {"ExternalId": external_id}
    params = {"RoleArn": target.role_arn, "RoleSessionName": SESSION_NAME, **given}
    return caller.may(Probe("sts:AssumeRole", target.role_arn, "sts", "AssumeRole", params))


def test_a_target_is_entered_by_the_commissioner_with_its_own_secret_only(
    wardrobe: Wardrobe, first: Target, second: Target
) -> None:
    a, b = wardrobe.registered(first), wardrobe.registered(second)
    for role in wardrobe.roles:
        assert _enters(wardrobe.wear(role), b, b.externalid) is (role == COMMISSIONER), role
    for secret in (a.externalid, b.externalid.upper(), b.externalid[:-1], "*", None):
        assert not _enters(wardrobe.wear(COMMISSIONER), b, secret)
    root = wardrobe.caller({}, wardrobe.deployed.lobby)
    for caller in (wardrobe.enter(first), root):
        assert not _enters(caller, b, b.externalid)
