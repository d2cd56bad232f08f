"""Changes of a claim: moves while the device is on or off, release, revocation."""

from typing import Any

import pytest

from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event, wait_for_v01


def _statuses(deployed: Deployment, certid: str, *scopes: Target) -> list[str | None]:
    return [deployed.status(certid, scope) for scope in scopes]


def _wait_until_cleared(deployed: Deployment, certid: str, state: str) -> dict[str, Any]:
    """Wait for `state` without a target to clear."""
    return deployed.wait(certid, state, previousTargets=[])


def test_a_moved_device_receives_a_reset_message_and_arrives_in_its_new_target(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    assert deployed.move(certid, second) == "claimed"
    wait_for_event(device, "reset_received", by="message")
    wait_for_event(device, "arrived_at_target", generation=2)
    moved = _wait_until_cleared(deployed, certid, "arrived")
    assert moved["targetaccount"] == second.account
    assert _statuses(deployed, certid, deployed.lobby, first, second) == ["ACTIVE", "INACTIVE", "ACTIVE"]
    # Moved back: the deactivated certificate is activated again.
    deployed.move(certid, first)
    wait_for_event(device, "arrived_at_target", generation=3)
    _wait_until_cleared(deployed, certid, "arrived")
    assert _statuses(deployed, certid, deployed.lobby, first, second) == ["ACTIVE", "ACTIVE", "INACTIVE"]


@pytest.mark.full
def test_a_device_that_was_off_during_the_move_arrives_in_its_new_target(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    deployed.claim(certid, first)
    before = fleet.power_on(paths)
    wait_for_event(before, "alive_sent")
    deployed.wait(certid, "arrived")
    before.kill()
    fleet.powered.remove(before)
    deployed.move(certid, second)
    _wait_until_cleared(deployed, certid, "commissioned")
    assert deployed.status(certid, first) == "INACTIVE"
    device = fleet.power_on(paths)
    assert wait_for_event(device, "starting")["place"] == "target"
    wait_for_event(device, "fallback_to_lobby")
    wait_for_event(device, "arrived_at_target", generation=2)
    deployed.wait(certid, "arrived", targetaccount=second.account)


@pytest.mark.full
def test_a_moved_v01_device_arrives_in_its_new_target(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on_v01(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    deployed.move(certid, second)
    _wait_until_cleared(deployed, certid, "arrived")
    wait_for_v01(device, "in target", times=2)
    assert device.last("in target") == deployed.layout.endpoint_address(second)
    assert device.crash is None


def test_a_released_device_waits_in_the_lobby_and_can_be_claimed_again(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    assert deployed.release(certid) is False
    wait_for_event(device, "reset_received")
    until(lambda: device.first("hello_sent", place="lobby"), device.last_output)
    released = _wait_until_cleared(deployed, certid, "inlobby")
    assert (released["targetaccount"], released["endpoint"]) == (None, None)
    assert _statuses(deployed, certid, deployed.lobby, first) == ["ACTIVE", "INACTIVE"]
    deployed.claim(certid, second)
    again = deployed.wait(certid, "arrived")
    assert events(again)[-3:] == ["claim", "commission", "arrive"]
    assert again["historyIntact"]


def test_releasing_an_expected_device_deletes_its_row(deployed: Deployment, fleet: Fleet) -> None:
    certid = certid_of(fleet.make())
    deployed.claim(certid)
    assert deployed.release(certid) is True
    assert deployed.device(certid) is None


@pytest.mark.full
def test_a_revoked_device_is_disconnected_everywhere_and_stays_refused(
    deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    assert deployed.revoke(certid) == "revoked"
    _wait_until_cleared(deployed, certid, "revoked")
    until(lambda: _statuses(deployed, certid, deployed.lobby, first) == ["INACTIVE", "INACTIVE"])
    wait_for_event(device, "connection_lost", place="target")
    wait_for_event(device, "refused", place="target")
    wait_for_event(device, "refused", place="lobby")
    # After its certificate is deleted from the registry, the device connects as if for the first time; the row decides.
    iot = deployed.client(deployed.lobby, "iot")
    iot.detach_thing_principal(thingName=name_of(paths), principal=_arn(deployed, certid))
    iot.delete_certificate(certificateId=certid, forceDelete=True)
    until(lambda: deployed.status(certid, deployed.lobby) == "INACTIVE")
    revoked = deployed.existing(certid)
    assert (revoked["devstate"], revoked["reason"]) == ("revoked", "REVOKED")
    assert revoked["message"] == "lost on the way"
    stop = len(device.events())
    until(lambda: len(device.events()) > stop + 6 or None, device.last_output)
    assert not [event for event in device.events()[stop:] if event["event"] == "connected"]


def _arn(deployed: Deployment, certid: str) -> str:
    return f"arn:aws:iot:{deployed.lobby.region}:{deployed.lobby.account}:cert/{certid}"
