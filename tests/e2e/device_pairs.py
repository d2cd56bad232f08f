"""Two devices in the lobby or in a target: an attacker, and a victim that receives messages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.bare_mqtt import PUBACK, PUBLISH, SUBACK, BareMqtt
from tests.e2e.connections import ACCEPTED, connect_admitted, open_tls
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import certid_of, name_of

GRANTED = (SUBACK, b"\x00\x07\x01")
MARKER = {"marker": "nothing before it"}


@dataclass(frozen=True)
class Pair:
    """Two devices in `scope`. The attacker may publish to the topics `allowed` and subscribe to `subscribed`."""

    deployed: Deployment
    scope: Target
    attacker: DevicePaths
    victim: DevicePaths
    allowed: tuple[str, ...]
    subscribed: tuple[str, ...]

    @property
    def own(self) -> str:
        return name_of(self.attacker)

    @property
    def other(self) -> str:
        return name_of(self.victim)

    def topic(self, pattern: str) -> str:
        return pattern.format(own=self.own, victim=self.other, OWN=self.own.upper())

    @contextmanager
    def connected(self, paths: DevicePaths) -> Iterator[BareMqtt]:
        with open_tls(self.deployed, paths.chain, paths.key, self.scope) as device:
            assert device.connect(name_of(paths)) == ACCEPTED
            yield device

    @contextmanager
    def listening(self, paths: DevicePaths) -> Iterator[BareMqtt]:
        with self.connected(paths) as device:
            assert device.subscribe(f"lobby/{name_of(paths)}") == GRANTED
            yield device

    def publish_marker(self, name: str) -> None:
        self.deployed.publish(self.scope, name, MARKER)


def assert_next_is_marker(pair: Pair, device: BareMqtt, name: str) -> None:
    """Publish the marker to `name` and assert that it is the next message: no other message was received before it."""
    pair.publish_marker(name)
    kind, packet = device.read()
    assert (kind, packet.endswith(json.dumps(MARKER).encode())) == (PUBLISH, True), packet


def pair_in_lobby(deployed: Deployment) -> Pair:
    attacker, victim = (deployed.local.manufacturer.make_device() for _ in range(2))
    for paths in (attacker, victim):
        with connect_admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
            assert device.publish("$aws/rules/lobby", b"{}")[0] == PUBACK
        deployed.wait(certid_of(paths), "inlobby")
    return Pair(deployed, deployed.lobby, attacker, victim, ("$aws/rules/lobby",), ("lobby/{own}",))


def pair_in_target(deployed: Deployment, profile: str) -> Pair:
    target, pair = deployed.targets[0], pair_in_lobby(deployed)
    for paths in (pair.attacker, pair.victim):
        deployed.claim(certid_of(paths), target, profile=profile)
        deployed.wait(certid_of(paths), "commissioned", "arrived")
    subscribed = ("lobby/{own}", "app/{own}/#", "app/{own}/+/x", "app/{own}/log")
    return Pair(deployed, target, pair.attacker, pair.victim, ("app/{own}", "app/{own}/log"), subscribed)
