"""A device with a classic and a named shadow is moved with them, and reads them in its new target over MQTT."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.bare_mqtt import PUBACK, PUBLISH, SUBACK, BareMqtt
from tests.e2e.connections import ACCEPTED, connect_admitted, open_tls
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import Fleet, certid_of, name_of

CLASSIC: Final = {"desired": {"interval": 30}, "reported": {"interval": 10, "battery": {"level": 71}}}
FIRMWARE: Final = {"reported": {"version": "1.2.3"}}
MOVE: Final = """mutation($id: ID!, $target: TargetInput!, $shadows: ShadowChoice) {
  moveDevice(certid: $id, target: $target, shadows: $shadows) { devstate } }"""
POLICY: Final = "owner-shadows"
"""The policy of the owner of a target, whose devices use shadows. The lobby leaves it attached."""


def permit(deployed: Deployment, paths: DevicePaths, target: Target) -> None:
    """Let a device use the shadows of its thing, as the owner of the target does."""
    iot, arn = deployed.client(target, "iot"), f"arn:aws:iot:{target.region}:{target.account}"
    topics = f"$aws/things/{name_of(paths)}/shadow/*"
    statements = [
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{arn}:topic/{topics}"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{arn}:topicfilter/{topics}"},
    ]
    name = f"{POLICY}-{name_of(paths)}"
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iot.create_policy(policyName=name, policyDocument=document)
    iot.attach_policy(policyName=name, target=f"{arn}:cert/{certid_of(paths)}")


@contextmanager
def connected(deployed: Deployment, paths: DevicePaths, target: Target) -> Iterator[BareMqtt]:
    with open_tls(deployed, paths.chain, paths.key, target) as device:
        assert device.connect(name_of(paths)) == ACCEPTED
        yield device


def ask(device: BareMqtt, topic: str, body: bytes) -> dict[str, Any]:
    """Publish to a shadow topic, and return the accepted answer."""
    assert device.subscribe(f"{topic}/accepted") == (SUBACK, b"\x00\x07\x01")
    packets = [device.publish(topic, body)]
    while not {kind for kind, _ in packets} >= {PUBACK, PUBLISH}:
        packets.append(device.read())
    [message] = [content for kind, content in packets if kind == PUBLISH]
    answer: dict[str, Any] = json.loads(message[message.index(b"{") :])
    return answer


def topics_of(paths: DevicePaths) -> tuple[str, str]:
    base = f"$aws/things/{name_of(paths)}/shadow"
    return base, f"{base}/name/firmware"


@pytest.mark.slow
def test_a_device_reads_its_migrated_shadows_in_its_new_target(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    certid, (classic, named) = certid_of(paths), topics_of(paths)
    with connect_admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
        assert device.publish("$aws/rules/lobby", b"{}")[0] == PUBACK
    deployed.wait(certid, "inlobby")
    deployed.claim(certid, first)
    deployed.wait(certid, "commissioned")
    permit(deployed, paths, first)
    with connected(deployed, paths, first) as device:
        ask(device, f"{classic}/update", json.dumps({"state": CLASSIC}).encode())
        ask(device, f"{named}/update", json.dumps({"state": FIRMWARE}).encode())
    deployed.wait(certid, "arrived")
    target = {"account": second.account, "region": second.region}
    deployed.api().ask(MOVE, id=certid, target=target, shadows="MIGRATE")
    moved = deployed.wait(certid, "commissioned", targetaccount=second.account, previousTargets=[])
    reasons = [entry["reason"] for entry in moved["history"]]
    assert ("shadows: migrate" in reasons, "shadows: 2 of 2 migrated" in reasons) == (True, True)
    permit(deployed, paths, second)
    with connected(deployed, paths, second) as device:
        copied, firmware = ask(device, f"{classic}/get", b""), ask(device, f"{named}/get", b"")
    assert {section: copied["state"][section] for section in ("desired", "reported")} == CLASSIC
    assert (copied["state"]["delta"], copied["version"]) == ({"interval": 30}, 1)
    assert firmware["state"] == FIRMWARE
