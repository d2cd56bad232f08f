"""Teardown and rebuild: a deployment with devices is removed completely, and its devices arrive in the next one.

The test has a deployment of its own. It removes the stacks as `./deploy.sh destroy` does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.ministack.quotas import OTHER_IOT_CALLS
from infra.teardown.lobby import LobbyRemoval
from infra.teardown.pacing import DEVICES_PER_SECOND
from infra.teardown.target import TargetRemoval
from lobby.domain.target import TARGET_ROLE
from lobby.names import Target
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import Fleet, certid_of
from tests.infra.local.emulated_cloud import free_ports

pytestmark = pytest.mark.full


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path / "state", *free_ports())
    deployment.up()
    yield deployment
    deployment.down()


def _registered(own: Deployment, scope: Target) -> tuple[list[str], list[str], list[str]]:
    """Return the certificates, things and policies in an account and Region."""
    iot = own.client(scope, "iot")
    return (
        [each["certificateId"] for each in iot.list_certificates()["certificates"]],
        [each["thingName"] for each in iot.list_things()["things"]],
        [each["policyName"] for each in iot.list_policies()["policies"]],
    )


def _session(own: Deployment, scope: Target) -> Any:
    return own.emulator.session(scope.account, scope.region)


def _roles(own: Deployment, scope: Target) -> list[str]:
    return [each["RoleName"] for each in own.client(scope, "iam").list_roles()["Roles"]]


def test_a_device_moves_back_to_its_first_target_after_a_teardown_and_a_rebuild(
    own: Deployment, tmp_path: Path
) -> None:
    fleet = Fleet(own, tmp_path / "fleet")
    first, second = own.targets
    try:
        paths = fleet.make()
        certid = certid_of(paths)
        device = fleet.power_on(paths)
        own.claim(certid, first)
        own.wait(certid, "arrived")
        own.move(certid, second)
        own.wait(certid, "arrived", targetregion=second.region)
        device.stop()
        lines: list[str] = []
        for target in own.targets:
            TargetRemoval(_session(own, target), target, lines.append).run(keep_devices=False)
            assert _registered(own, target) == ([], [], [])
            assert TARGET_ROLE not in _roles(own, target)
        LobbyRemoval(_session(own, own.lobby), own.lobby, lines.append).run(keep_devices=False)
        assert _registered(own, own.lobby) == ([], [], [])
        assert f"1 devices to remove: at least 0 s ({DEVICES_PER_SECOND:g} per second)" in lines
        assert any(line.startswith("  retained: DynamoDB::GlobalTable device-lobby-ledger") for line in lines)
        own.down()
        own.up()
        assert own.existing(certid)["devstate"] == "arrived"
        fleet.power_on(paths)
        own.move(certid, first)
        arrived = own.wait(certid, "arrived", targetregion=first.region)
        assert arrived["historyIntact"]
    finally:
        fleet.power_off()


def test_the_pace_is_that_of_the_quota() -> None:
    assert DEVICES_PER_SECOND == OTHER_IOT_CALLS
