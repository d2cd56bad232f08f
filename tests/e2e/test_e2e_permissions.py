"""The permissions of every role, verified by the emulated IAM with probes on all resources. A role has exactly the
permissions of its policy. A session in a target has the permissions for commissioning there, and none in another target
or in another Region of the same account.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from commissioner.target_gateway.session_policies import commissioning_policy
from commissioner.target_gateway.sessions import SESSION_NAME, Sessions
from lobby.domain.targets.target import TARGET_ROLE, RegisteredTarget
from lobby.names import Target, parse_region
from tests.bench.iam.grants import Grant, Roles
from tests.e2e.deployment import Deployment
from tests.e2e.iam_probe_calls import iot_probes, probes
from tests.e2e.iam_probes import Caller, Probe, Resources, list_resources

pytestmark = pytest.mark.full

COMMISSIONER = "device-lobby-commissioner"
ELSEWHERE = parse_region("us-west-2")
"""A Region without a target."""
NO_PROBE = {
    "dynamodb:DescribeStream": "the emulator has no stream as a resource",
    "dynamodb:GetRecords": "as DescribeStream",
    "dynamodb:GetShardIterator": "as DescribeStream",
    "logs:CreateLogStream": "the emulator names log groups without the `:*` that AWS requires",
    "logs:PutLogEvents": "as CreateLogStream",
    "logs:DescribeLogStreams": "as CreateLogStream",
    "iot:CreateKeysAndCertificate": "an allowed call creates a certificate",
    "sts:AssumeRole": "the targets' roles are in other accounts, see below",
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
    "iot:UpdateThing",
    "iot:GetPolicy",
    "iot:Publish",
    "iot:DeleteConnection",
    "iot:GetThingShadow",
    "iot:UpdateThingShadow",
    "iot:DeleteThingShadow",
    "iot:ListNamedShadowsForThing",
}
"""Actions on the lobby's own resources in the target: the policies of its profiles, its topic."""


class RoleCallers:
    """Callers with the credentials of the deployment's roles."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self._session = deployed.emulator.session(deployed.lobby.account, deployed.lobby.region)
        self._callers: dict[str, Caller] = {}
        self.lobby_resources: Resources = self.resources(deployed.lobby)

    def resources(self, scope: Target) -> Resources:
        keys = {"aws_access_key_id": scope.account, "aws_secret_access_key": self.deployed.emulator.secret}
        return list_resources(self.caller(keys, scope).client)

    @property
    def roles(self) -> list[str]:
        return [role for role in self.lobby_resources.roles if role.startswith("device-lobby-")]

    def grants(self, role: str, scope: Target) -> list[Grant]:
        return Roles(self.deployed.client(scope, "iam"), lambda _role: None).grants(role)

    def assume(self, role: str) -> Caller:
        """Assume a role of the lobby, which is changed to trust the root user for this call only."""
        lobby = self.deployed.lobby
        if role not in self._callers:
            iam = self.deployed.client(lobby, "iam")
            arn = f"arn:aws:iam::{lobby.account}:role/{role}"
            trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            root = {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{lobby.account}:root"},
                "Action": "sts:AssumeRole",
            }
            extended = {**trust, "Statement": [*trust["Statement"], root]}
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(extended))
            try:
                session = self.deployed.client(lobby, "sts").assume_role(RoleArn=arn, RoleSessionName="probes")
            finally:
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
            self._callers[role] = self.caller(_keys(session["Credentials"]), lobby)
        return self._callers[role]

    def caller(self, credentials: dict[str, Any], scope: Target) -> Caller:
        """Return a caller in `scope`. Without credentials it is the root user of the lobby's account."""
        return Caller(self._session, credentials, scope.region)

    def registered(self, target: Target) -> RegisteredTarget:
        """Return the target as the commissioner reads it."""
        row = self.deployed.client(self.deployed.lobby, "dynamodb").get_item(
            TableName="device-lobby-targets", Key={"kind": {"S": "target"}, "target": {"S": str(target)}}
        )["Item"]
        return RegisteredTarget(target, "", row["externalid"]["S"], (), "", "")

    def assume_in_target(self, target: Target, *, policy_of: Target | None = None) -> Caller:
        """Assume the target's role as the commissioner, optionally with the session policy of another target."""
        registered = self.registered(target)
        params = {"RoleArn": registered.role_arn, "RoleSessionName": SESSION_NAME, "ExternalId": registered.externalid}
        policy = {} if policy_of is None else {"Policy": json.dumps(commissioning_policy(policy_of))}
        session = self.assume(COMMISSIONER).client("sts").assume_role(**params, **policy)
        return self.caller(_keys(session["Credentials"]), target)


def _keys(credentials: dict[str, Any]) -> dict[str, Any]:
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


@pytest.fixture(scope="module")
def callers(deployed: Deployment) -> RoleCallers:
    return RoleCallers(deployed)


def _granted(grants: list[Grant], tried: list[Probe]) -> set[Probe]:
    return {probe for probe in tried if any(probe.allowed_by(grant.action, grant.resource) for grant in grants)}


def _names(tried: set[Probe]) -> list[str]:
    return sorted(f"{probe.action} on {probe.resource}" for probe in tried)


def test_each_role_may_do_what_its_policy_grants_and_nothing_else(callers: RoleCallers) -> None:
    lobby = callers.deployed.lobby
    tried = probes(lobby, callers.lobby_resources)
    differences = {}
    for role in callers.roles:
        caller, granted = callers.assume(role), _granted(callers.grants(role, lobby), tried)
        allowed = caller.allowed(tried)
        differences[role] = {"not granted": _names(allowed - granted), "denied": _names(granted - allowed)}
    assert {role: difference for role, difference in differences.items() if any(difference.values())} == {}


def test_the_role_in_a_target_may_do_what_its_policy_grants_and_nothing_else(
    callers: RoleCallers, first: Target
) -> None:
    tried = probes(first, callers.resources(first))
    caller, granted = callers.assume_in_target(first), _granted(callers.grants(TARGET_ROLE, first), tried)
    allowed = caller.allowed(tried)
    assert (_names(allowed - granted), _names(granted - allowed)) == ([], [])


def test_every_permission_has_a_probe(callers: RoleCallers, first: Target) -> None:
    """The tests above then show that the role has the permission and the other roles do not."""
    lobby = callers.deployed.lobby
    for scope, roles in ((lobby, callers.roles), (first, [TARGET_ROLE])):
        tried = probes(scope, callers.lobby_resources if scope == lobby else callers.resources(scope))
        grants = [grant for role in roles for grant in callers.grants(role, scope) if grant.action not in NO_PROBE]
        assert [grant for grant in grants if not _granted([grant], tried)] == [], "want a probe in iam_probe_calls.py"


# Sessions in targets.


def test_a_session_in_a_target_may_do_what_commissioning_needs_and_no_more(callers: RoleCallers, first: Target) -> None:
    session = Sessions(callers.assume(COMMISSIONER).client("sts")).of(callers.registered(first))
    caller = callers.caller(session.credentials, first)
    allowed = caller.allowed(iot_probes(first))
    assert {probe.action for probe in allowed} == COMMISSIONING
    outside = ("policy/another", "topic/app", "topic/$aws")
    assert [probe for probe in allowed if any(part in probe.resource for part in outside)] == []


def test_a_session_may_do_nothing_in_another_region_of_the_same_account(callers: RoleCallers, first: Target) -> None:
    elsewhere = Target(first.account, ELSEWHERE)
    session = Sessions(callers.assume(COMMISSIONER).client("sts")).of(callers.registered(first))
    limited = callers.caller(session.credentials, elsewhere)
    unlimited = replace(callers.assume_in_target(first), region=ELSEWHERE)
    assert limited.allowed(iot_probes(elsewhere)) == set()
    assert unlimited.may(iot_probes(elsewhere)[0]), "the session policy denies it, not the role"


def test_a_session_for_one_target_may_do_nothing_in_another(
    callers: RoleCallers, first: Target, second: Target
) -> None:
    """It has no permissions with the first target's credentials, and none in the second's role with the first's session
    policy."""
    session = Sessions(callers.assume(COMMISSIONER).client("sts")).of(callers.registered(first))
    for caller in (callers.caller(session.credentials, second), callers.assume_in_target(second, policy_of=first)):
        assert caller.allowed(iot_probes(second)) == set()
    for region in (first.region, second.region):
        scope = Target(second.account, region)
        caller = replace(callers.assume_in_target(second, policy_of=first), region=region)
        assert caller.allowed(iot_probes(scope)) == set()


def _may_assume(caller: Caller, target: RegisteredTarget, external_id: str | None) -> bool:
    condition = {} if external_id is None else {"ExternalId": external_id}
    params = {"RoleArn": target.role_arn, "RoleSessionName": SESSION_NAME, **condition}
    return caller.may(Probe("sts:AssumeRole", target.role_arn, "sts", "AssumeRole", params))


def test_only_the_commissioner_with_the_targets_external_id_assumes_its_role(
    callers: RoleCallers, first: Target, second: Target
) -> None:
    a, b = callers.registered(first), callers.registered(second)
    for role in callers.roles:
        assert _may_assume(callers.assume(role), b, b.externalid) is (role == COMMISSIONER), role
    for secret in (a.externalid, b.externalid.upper(), b.externalid[:-1], "*", None):
        assert not _may_assume(callers.assume(COMMISSIONER), b, secret)
    root = callers.caller({}, callers.deployed.lobby)
    for caller in (callers.assume_in_target(first), root):
        assert not _may_assume(caller, b, b.externalid)
