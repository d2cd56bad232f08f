"""A target that says no: the device has failed with a reason that an operator can act on; mended, it arrives."""

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
from lobby.domain.target import TARGET_ROLE, profile_policy
from lobby.names import Target, parse_target
from tests.e2e.deployment import Deployment, events
from tests.e2e.workbench import Workbench, certid_of


@dataclass(frozen=True)
class NewTargets:
    """Registered, with nothing deployed in them yet: another Region of a known account, and a new account."""

    deployed: Deployment
    assembly: Path
    region: Target
    account: Target

    def deploy(self, target: Target) -> None:
        """What `./deploy.sh target` does."""
        stack = f"DeviceLobbyTarget-{target.account}-{target.region}"
        clients = self.deployed.emulator.session(target.account, target.region).client
        deploy(read_assembly(self.assembly, target.account, target.region)[stack], {}, clients)


@pytest.fixture(scope="module")
def new_targets(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> NewTargets:
    region = parse_target(deployed.targets[0].account, "us-west-2")
    account = parse_target("400000000004", "eu-north-1")
    contexts = [_registered(deployed, target) for target in (deployed.targets[0], region, account)]
    out = tmp_path_factory.mktemp("more") / "cdk.out"
    synthesize(out, {"lobby": str(deployed.lobby), "local": "true", "targets": contexts, "bundle": "false"})
    return NewTargets(deployed, out, region, account)


def _registered(deployed: Deployment, target: Target) -> dict[str, str]:
    where = {"account": target.account, "region": target.region}
    answer = deployed.api("admin").ask(REGISTER, **where, name=f"Target in {target.region}")
    return {**where, "externalId": answer["registerTarget"]["externalId"]}


def _failed(deployed: Deployment, bench: Workbench, target: Target) -> tuple[str, dict[str, Any]]:
    """A new device, claimed for `target`, that could not be commissioned."""
    paths = bench.make()
    certid = certid_of(paths)
    bench.power(paths)
    deployed.claim(certid, target)
    failed = deployed.wait(certid, "failed")
    assert str(target) in failed["message"]
    return certid, failed


def _arrives_after_a_retry(deployed: Deployment, certid: str) -> None:
    assert deployed.retry(certid) == "claimed"
    arrived = deployed.wait(certid, "arrived")
    assert (arrived["reason"], arrived["message"]) == (None, None)
    assert events(arrived)[-5:] == ["claim", "fail", "retry", "commission", "arrive"] or "fail" in events(arrived)


def _missing(deployed: Deployment, target: Target) -> list[str]:
    """What checkTarget finds missing, by step."""
    answer = deployed.api().ask(CHECK, account=target.account, region=target.region)["checkTarget"]
    return [finding["step"] for finding in answer["findings"] if not finding["ok"]]


def test_an_account_without_our_role_is_said_so_and_its_devices_arrive_once_it_is_deployed(
    deployed: Deployment, bench: Workbench, new_targets: NewTargets
) -> None:
    assert _missing(deployed, new_targets.account) == ["sts:AssumeRole"]
    certid, failed = _failed(deployed, bench, new_targets.account)
    assert failed["reason"] == "TARGET_ROLE_DENIED"
    assert "./deploy.sh target" in failed["message"]
    assert deployed.status(certid, new_targets.account) is None
    new_targets.deploy(new_targets.account)
    assert _missing(deployed, new_targets.account) == []
    _arrives_after_a_retry(deployed, certid)


def test_a_region_without_the_profiles_policy_is_said_so_and_its_devices_arrive_once_it_is_deployed(
    deployed: Deployment, bench: Workbench, new_targets: NewTargets
) -> None:
    assert _missing(deployed, new_targets.region) == [f"policy {profile_policy('default')}"]
    certid, failed = _failed(deployed, bench, new_targets.region)
    assert failed["reason"] == "TARGET_POLICY_MISSING"
    new_targets.deploy(new_targets.region)
    assert _missing(deployed, new_targets.region) == []
    _arrives_after_a_retry(deployed, certid)


@contextmanager
def _without_permissions(iam: Any) -> Iterator[None]:
    """The target's role as it would be if somebody had taken its policies away."""
    role = {"RoleName": TARGET_ROLE}
    names = iam.list_role_policies(**role)["PolicyNames"]
    kept = {name: iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"] for name in names}
    assert kept
    for name in kept:
        iam.delete_role_policy(**role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in kept.items():
            iam.put_role_policy(**role, PolicyName=name, PolicyDocument=json.dumps(document))


def test_a_role_that_lost_its_permissions_is_said_so_and_its_devices_arrive_once_it_has_them_again(
    deployed: Deployment, bench: Workbench, second: Target
) -> None:
    with _without_permissions(deployed.client(second, "iam")):
        certid, failed = _failed(deployed, bench, second)
        assert failed["reason"] == "TARGET_PERMISSION_MISSING"
        assert "iot:CreateThing" in _missing(deployed, second)
    assert _missing(deployed, second) == []
    _arrives_after_a_retry(deployed, certid)


def test_a_role_that_no_longer_trusts_the_lobby_is_said_so(
    deployed: Deployment, bench: Workbench, second: Target
) -> None:
    iam = deployed.client(second, "iam")
    trust = iam.get_role(RoleName=TARGET_ROLE)["Role"]["AssumeRolePolicyDocument"]
    nobody = json.loads(json.dumps(trust).replace("sts:ExternalId", "aws:PrincipalOrgID"))
    # A renamed target is another one to the commissioner, which then keeps no session for it.
    deployed.api("admin").ask(REGISTER, account=second.account, region=second.region, name="Under new management")
    iam.update_assume_role_policy(RoleName=TARGET_ROLE, PolicyDocument=json.dumps(nobody))
    try:
        assert "sts:AssumeRole" in _missing(deployed, second)
    finally:
        iam.update_assume_role_policy(RoleName=TARGET_ROLE, PolicyDocument=json.dumps(trust))
    assert _missing(deployed, second) == []
