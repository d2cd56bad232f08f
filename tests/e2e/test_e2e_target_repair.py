"""A target that refuses calls: the device fails with a reason that tells the operator what to repair, and arrives after
the repair."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.assembly import deploy, read_assembly
from infra.local.bringup import CHECK, REGISTER
from infra.local.synthesis import synthesize
from lobby.domain.targets.target import TARGET_ROLE, profile_policy
from lobby.names import Target, parse_target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of


@dataclass(frozen=True)
class NewTargets:
    """Registered targets without a deployment: another Region of a registered account, and a new account."""

    deployed: Deployment
    assembly: Path
    region: Target
    account: Target

    def deploy(self, target: Target) -> None:
        """Deploy the target's stacks, as `./deploy.sh target` does."""
        clients = self.deployed.emulator.session(target.account, target.region).client
        for stack in read_assembly(self.assembly, target.account, target.region).values():
            if stack.environment == f"aws://{target.account}/{target.region}":
                deploy(stack, {}, clients)


@pytest.fixture(scope="module")
def new_targets(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> NewTargets:
    region = parse_target(deployed.targets[0].account, "us-west-2")
    account = parse_target("400000000004", "eu-north-1")
    contexts = [_register(deployed, target) for target in (deployed.targets[0], region, account)]
    out = tmp_path_factory.mktemp("more") / "cdk.out"
    synthesize(out, {"lobby": str(deployed.lobby), "local": "true", "targets": contexts, "bundle": "false"})
    return NewTargets(deployed, out, region, account)


def _register(deployed: Deployment, target: Target) -> dict[str, str]:
    scope = {"account": target.account, "region": target.region}
    result = deployed.api("admin").ask(REGISTER, **scope, name=f"Target in {target.region}")
    return {**scope, "externalId": result["registerTarget"]["externalId"]}


def _failed_device(deployed: Deployment, fleet: Fleet, target: Target) -> tuple[str, dict[str, Any]]:
    """Claim a new device for `target` and wait until commissioning has failed."""
    paths = fleet.make()
    certid = certid_of(paths)
    fleet.power_on(paths)
    deployed.claim(certid, target)
    failed = deployed.wait(certid, "failed")
    assert str(target) in failed["message"]
    return certid, failed


def _retry_and_wait_for_arrival(deployed: Deployment, certid: str) -> None:
    assert deployed.retry(certid) == "claimed"
    arrived = deployed.wait(certid, "arrived")
    assert (arrived["reason"], arrived["message"]) == (None, None)
    assert events(arrived)[-5:] == ["claim", "fail", "retry", "commission", "arrive"] or "fail" in events(arrived)


def _missing(deployed: Deployment, target: Target) -> list[str]:
    """Return the steps that checkTarget reports as missing."""
    result = deployed.api().ask(CHECK, account=target.account, region=target.region)["checkTarget"]
    return [finding["step"] for finding in result["findings"] if not finding["ok"]]


@pytest.mark.full
def test_an_account_without_the_role_is_reported_and_its_devices_arrive_after_the_deployment(
    deployed: Deployment, fleet: Fleet, new_targets: NewTargets
) -> None:
    assert _missing(deployed, new_targets.account) == ["sts:AssumeRole"]
    certid, failed = _failed_device(deployed, fleet, new_targets.account)
    assert failed["reason"] == "TARGET_ROLE_DENIED"
    assert "./deploy.sh target" in failed["message"]
    assert deployed.status(certid, new_targets.account) is None
    new_targets.deploy(new_targets.account)
    until(lambda: not _missing(deployed, new_targets.account), lambda: _missing(deployed, new_targets.account))
    _retry_and_wait_for_arrival(deployed, certid)


@pytest.mark.full
def test_a_region_without_the_profiles_policy_is_reported_and_its_devices_arrive_after_the_deployment(
    deployed: Deployment, fleet: Fleet, new_targets: NewTargets
) -> None:
    policy, reports = f"policy {profile_policy('default')}", ("device_lobby_connected", "device_lobby_duplicates")
    rules = [f"rule {rule}" for rule in reports]
    assert _missing(deployed, new_targets.region) == [policy, *rules, "subscription of device-lobby-arrivals"]
    certid, failed = _failed_device(deployed, fleet, new_targets.region)
    assert failed["reason"] == "TARGET_POLICY_MISSING"
    new_targets.deploy(new_targets.region)
    until(lambda: not _missing(deployed, new_targets.region), lambda: _missing(deployed, new_targets.region))
    _retry_and_wait_for_arrival(deployed, certid)


@contextmanager
def _without_permissions(iam: Any) -> Iterator[None]:
    """Delete the policies of the target's role and restore them at the end."""
    role = {"RoleName": TARGET_ROLE}
    names = iam.list_role_policies(**role)["PolicyNames"]
    documents = {name: iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"] for name in names}
    assert documents
    for name in documents:
        iam.delete_role_policy(**role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in documents.items():
            iam.put_role_policy(**role, PolicyName=name, PolicyDocument=json.dumps(document))


@pytest.mark.full
def test_a_role_without_its_permissions_is_reported_and_its_devices_arrive_after_the_repair(
    deployed: Deployment, fleet: Fleet, second: Target
) -> None:
    with _without_permissions(deployed.client(second, "iam")):
        certid, failed = _failed_device(deployed, fleet, second)
        assert failed["reason"] == "TARGET_PERMISSION_MISSING"
        assert "iot:CreateThing" in _missing(deployed, second)
    assert _missing(deployed, second) == []
    _retry_and_wait_for_arrival(deployed, certid)


def test_a_role_that_does_not_trust_the_lobby_is_reported(deployed: Deployment, fleet: Fleet, second: Target) -> None:
    iam = deployed.client(second, "iam")
    trust = iam.get_role(RoleName=TARGET_ROLE)["Role"]["AssumeRolePolicyDocument"]
    changed = json.loads(json.dumps(trust).replace("sts:ExternalId", "aws:PrincipalOrgID"))
    # The commissioner does not reuse the session of a target that has been renamed.
    deployed.api("admin").ask(REGISTER, account=second.account, region=second.region, name="Renamed target")
    iam.update_assume_role_policy(RoleName=TARGET_ROLE, PolicyDocument=json.dumps(changed))
    try:
        assert "sts:AssumeRole" in _missing(deployed, second)
    finally:
        iam.update_assume_role_policy(RoleName=TARGET_ROLE, PolicyDocument=json.dumps(trust))
    assert _missing(deployed, second) == []
