"""Onboarding: new devices, v0.1 devices, claims before and after the first connection, and a long wait."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.demo import read_label
from infra.local.layout import LOBBY_HOST
from lobby.aws.device_messages import EXPIRY_SECONDS
from lobby.names import Target
from pki.ca.keys import KeyType
from pki.devices.credentials import DevicePaths, write_device
from tests.e2e.bare_mqtt import PUBACK, PUBLISH, SUBACK
from tests.e2e.connections import ACCEPTED, connect_admitted, open_tls
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event, wait_for_v01
from tests.e2e.queued_messages import PersistentClient

ONBOARDED = ["admit", "hello", "claim", "commission", "arrive"]


def test_a_new_device_is_claimed_by_its_label_and_arrives(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    device = fleet.power_on(paths)
    certid = read_label(paths.label)
    deployed.wait(certid, "inlobby")
    assert deployed.claim(certid, config={"interval": 30}) == "claimed"
    route = wait_for_event(device, "route_received")
    assert route["endpoint"] == f"{deployed.layout.endpoint_address(first)}:{deployed.layout.mqtt_port}"
    wait_for_event(device, "arrived_at_target")
    arrived = deployed.wait(certid, "arrived")
    assert (arrived["devicename"], arrived["config"]) == (name_of(paths), {"interval": 30})
    assert events(arrived) == ONBOARDED
    assert arrived["historyIntact"]
    statuses = [deployed.status(certid, scope) for scope in (deployed.lobby, first, second)]
    assert statuses == ["ACTIVE", "ACTIVE", None]


def test_the_thing_of_a_device_that_connects_again_is_marked_as_arrived(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    """After that, the target's rule no longer reports its connections."""
    paths = fleet.make()
    certid, name = certid_of(paths), name_of(paths)
    deployed.claim(certid)
    fleet.power_on(paths)
    deployed.wait(certid, "arrived")
    iot = deployed.client(first, "iot")
    lobby = f"{deployed.lobby}:{certid}"

    def claim(scope: Any = iot) -> str:
        return str(scope.describe_thing(thingName=name)["attributes"]["claim"])

    assert claim() == f"1:default:awaited:{lobby}"
    fleet.power_off()
    fleet.power_on(paths)
    until(lambda: claim() == f"1:default:arrived:{lobby}", claim)
    deployed.move(certid, second)
    deployed.wait(certid, "arrived", targetaccount=second.account)
    until(lambda: claim() == f"1:default:left:{lobby}", claim)
    assert claim(deployed.client(second, "iot")) == f"2:default:awaited:{lobby}"


def test_a_device_claimed_before_its_first_connection_arrives_when_it_is_powered_on(
    deployed: Deployment, fleet: Fleet, second: Target
) -> None:
    paths = fleet.make()
    certid = read_label(paths.label)
    assert deployed.claim(certid, second) == "expected"
    device = fleet.power_on(paths)
    arrived = deployed.wait(certid, "arrived")
    assert wait_for_event(device, "arrived_at_target")["generation"] == 1
    assert [event for event in events(arrived) if event != "hello"] == ["claim", "admit", "commission", "arrive"]
    assert arrived["targetaccount"] == second.account


def test_a_v01_device_onboards_unchanged_and_follows_a_reset_message(
    deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on_v01(paths), certid_of(paths)
    deployed.wait(certid, "inlobby")
    assert wait_for_v01(device, "in lobby") == deployed.file.lobby_endpoint
    deployed.claim(certid)
    assert wait_for_v01(device, "in target") == deployed.layout.endpoint_address(first)
    assert device.last("routed")["config"] == "default"
    deployed.wait(certid, "arrived")
    deployed.publish(first, name_of(paths), {"config": "factory reset"})
    wait_for_v01(device, "reset")
    wait_for_v01(device, "in lobby", times=2)
    # It is still claimed, so the lobby sends its route again.
    wait_for_v01(device, "in target", times=2)
    assert device.crash is None


@pytest.mark.parametrize("key_type", [KeyType.EC_P256, KeyType.RSA_2048], ids=str)
def test_a_device_onboards_that_has_the_lobbys_address_and_sends_no_server_name_there(
    deployed: Deployment, fleet: Fleet, tmp_path: Path, first: Target, key_type: KeyType
) -> None:
    paths = _make_with(fleet, tmp_path, key_type)
    certid, thing = certid_of(paths), name_of(paths)
    with connect_admitted(deployed, paths.chain, paths.key, thing, LOBBY_HOST) as device:
        assert device.subscribe(f"lobby/{thing}") == (SUBACK, b"\x00\x07\x01")
        assert device.publish("$aws/rules/lobby", b"{}")[0] == PUBACK
        deployed.wait(certid, "inlobby")
        deployed.claim(certid)
        kind, route = device.read()
        assert kind == PUBLISH
        assert f'"iotep":"{deployed.layout.endpoint_address(first)}"'.encode() in route
    with open_tls(deployed, paths.chain, paths.key, first) as device:
        assert device.connect(thing) == ACCEPTED
        deployed.wait(certid, "arrived")


def test_a_route_that_waits_for_a_persistent_session_expires(deployed: Deployment, fleet: Fleet, first: Target) -> None:
    paths = fleet.make()
    certid, thing = certid_of(paths), name_of(paths)
    with connect_admitted(deployed, paths.chain, paths.key, thing) as device:
        device.publish("$aws/rules/lobby", b"{}")
        deployed.wait(certid, "inlobby")
    client = PersistentClient(thing, deployed.file.server_ca_path, paths.chain, paths.key)
    lobby = (deployed.layout.server_name(deployed.lobby), deployed.layout.mqtt_port)
    client.connect(*lobby)
    client.disconnect()
    deployed.claim(certid)
    deployed.wait(certid, "commissioned")
    client.connect(*lobby)
    client.run_until(lambda: client.messages)
    assert json.loads(client.messages[0].payload)["iotep"] == deployed.layout.endpoint_address(first)
    assert 0 < client.messages[0].properties.MessageExpiryInterval <= EXPIRY_SECONDS  # type: ignore[union-attr]
    client.disconnect()


def test_ten_hellos_of_a_waiting_device_invoke_no_commissioner_and_write_no_history(
    deployed: Deployment, fleet: Fleet
) -> None:
    paths = fleet.make()
    certid, thing = certid_of(paths), name_of(paths)
    with connect_admitted(deployed, paths.chain, paths.key, thing) as device:
        assert device.publish("$aws/rules/lobby", b"{}")[0] == PUBACK
        deployed.wait(certid, "inlobby")
        began = deployed.log_position()
        for _ in range(10):
            assert device.publish("$aws/rules/lobby", b'{"state": "factory default"}')[0] == PUBACK
        until(
            lambda: deployed.calls("device-lobby-receptionist", began)["dynamodb:GetItem"] >= 10,
            lambda: deployed.calls("device-lobby-receptionist", began),
        )
        assert device.subscribe(f"lobby/{thing}")[0] == SUBACK
        deployed.claim(certid)
        assert device.read()[0] == PUBLISH
    calls = deployed.calls("device-lobby-receptionist", began)
    assert sum(calls[action] for action in calls if action != "dynamodb:GetItem") <= 1  # a change of `shows_code`
    assert events(deployed.existing(certid)) == ["admit", "hello", "claim", "commission"]
    (run,) = until(lambda: deployed.log_lines("express", certid))
    assert '"outcome":"commissioned"' in run


def _make_with(fleet: Fleet, directory: Path, key_type: KeyType) -> DevicePaths:
    authority = fleet.deployed.local.manufacturer.authority()
    name = f"plain-{key_type.value}-{directory.parent.name[-3:]}"
    credential = authority.issue_device(name, now=datetime.now(UTC), key_type=key_type)
    return write_device(directory / "devices", credential, label=False)
