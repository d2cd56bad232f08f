"""A claim that changes: moves with the device on and off, release, revocation."""

from typing import Any

from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.workbench import Workbench, certid_of, does, name_of, says


def _statuses(deployed: Deployment, certid: str, *scopes: Target) -> list[str | None]:
    return [deployed.status(certid, scope) for scope in scopes]


def _settled(deployed: Deployment, certid: str, state: str) -> dict[str, Any]:
    """In `state`, and nothing of an earlier claim left to clear."""
    return deployed.wait(certid, state, previousTargets=[])


def test_a_moved_device_is_told_and_arrives_in_its_new_target(
    deployed: Deployment, bench: Workbench, first: Target, second: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    assert deployed.move(certid, second) == "claimed"
    says(device, "reset_received", by="message")
    says(device, "arrived_at_target", generation=2)
    moved = _settled(deployed, certid, "arrived")
    assert moved["targetaccount"] == second.account
    assert _statuses(deployed, certid, deployed.lobby, first, second) == ["ACTIVE", "INACTIVE", "ACTIVE"]
    # And back again: what was left behind is made good.
    deployed.move(certid, first)
    says(device, "arrived_at_target", generation=3)
    _settled(deployed, certid, "arrived")
    assert _statuses(deployed, certid, deployed.lobby, first, second) == ["ACTIVE", "ACTIVE", "INACTIVE"]


def test_a_device_that_was_off_while_it_was_moved_finds_its_new_target(
    deployed: Deployment, bench: Workbench, first: Target, second: Target
) -> None:
    paths = bench.make()
    certid = certid_of(paths)
    deployed.claim(certid, first)
    before = bench.power(paths)
    says(before, "alive_sent")
    deployed.wait(certid, "arrived")
    before.kill()
    bench.powered.remove(before)
    deployed.move(certid, second)
    _settled(deployed, certid, "commissioned")
    assert deployed.status(certid, first) == "INACTIVE"
    device = bench.power(paths)
    assert says(device, "starting")["place"] == "target"
    says(device, "fallback_to_lobby")
    says(device, "arrived_at_target", generation=2)
    deployed.wait(certid, "arrived", targetaccount=second.account)


def test_a_moved_v01_device_arrives_in_its_new_target(
    deployed: Deployment, bench: Workbench, first: Target, second: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power_v01(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    deployed.move(certid, second)
    _settled(deployed, certid, "arrived")
    does(device, "in target", times=2)
    assert device.last("in target") == deployed.layout.endpoint_address(second)
    assert device.crash is None


def test_a_released_device_waits_in_the_lobby_and_can_be_claimed_again(
    deployed: Deployment, bench: Workbench, first: Target, second: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    assert deployed.release(certid) is False
    says(device, "reset_received")
    until(lambda: device.first("hello_sent", place="lobby"), device.last_output)
    released = _settled(deployed, certid, "inlobby")
    assert (released["targetaccount"], released["endpoint"]) == (None, None)
    assert _statuses(deployed, certid, deployed.lobby, first) == ["ACTIVE", "INACTIVE"]
    deployed.claim(certid, second)
    again = deployed.wait(certid, "arrived")
    assert events(again)[-3:] == ["claim", "commission", "arrive"]
    assert again["historyIntact"]


def test_a_released_expectation_is_forgotten(deployed: Deployment, bench: Workbench) -> None:
    certid = certid_of(bench.make())
    deployed.claim(certid)
    assert deployed.release(certid) is True
    assert deployed.device(certid) is None


def test_a_revoked_device_is_cut_off_everywhere_and_stays_out(
    deployed: Deployment, bench: Workbench, first: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    assert deployed.revoke(certid) == "revoked"
    _settled(deployed, certid, "revoked")
    until(lambda: _statuses(deployed, certid, deployed.lobby, first) == ["INACTIVE", "INACTIVE"])
    says(device, "connection_lost", place="target")
    says(device, "refused", place="target")
    says(device, "refused", place="lobby")
    # Taken out of the registry, its next connect is a first one: the ledger remembers.
    iot = deployed.client(deployed.lobby, "iot")
    iot.detach_thing_principal(thingName=name_of(paths), principal=_arn(deployed, certid))
    iot.delete_certificate(certificateId=certid, forceDelete=True)
    until(lambda: deployed.status(certid, deployed.lobby) == "INACTIVE")
    revoked = deployed.known(certid)
    assert (revoked["devstate"], revoked["reason"]) == ("revoked", "REVOKED")
    assert revoked["message"] == "lost on the way"
    stop = len(device.events())
    until(lambda: len(device.events()) > stop + 6 or None, device.last_output)
    assert not [event for event in device.events()[stop:] if event["event"] == "connected"]


def _arn(deployed: Deployment, certid: str) -> str:
    return f"arn:aws:iot:{deployed.lobby.region}:{deployed.lobby.account}:cert/{certid}"
