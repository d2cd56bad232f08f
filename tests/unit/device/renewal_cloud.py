"""A model of the lobby and a target for a device that renews: which certificates are active where, and each step.

It behaves as decision 46 states, with the weakest guarantees: messages can be lost, the commissioner and the report of
a connection are late, and a replaced certificate is immediately inactive in both places.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from device.identity_store import fingerprint
from device.machine.events import ConnectionFailed, Event, Failure
from device.machine.plan import Endpoint, Plan, Timing
from device.machine.renewal_events import Certificates
from device.renewal_store import RenewalStore
from device.storage import Storage
from lobby.names import Fingerprint
from lobby.wire import HELLO_TOPIC, RENEWAL_TOPIC, NewCertificate, RenewalRequest, Route
from tests.unit.device.machine_driver import LOBBY, THING
from tests.unit.device.provisioning_cloud import CountedKeys, certificate_for
from tests.unit.device.simulated_disk import CutPoint, PowerCut, SimulatedDisk, Tree
from tests.unit.device.simulated_network import DAY, HOUR, STATE_DIR, Broker, SimulatedConnection, SimulatedNetwork

FIRST: Final = Fingerprint("f" * 64)
"""The certificate of the settings."""
ROUTE: Final = Route("target.example", "blue", 8883, 1)
TARGET: Final = Endpoint("target.example", 8883)
ASKED_EVERY: Final = HOUR
"""Instead of a day."""
BY: Final = "2027-01-01T00:00:00.000Z"
RENEWS: Final = Plan(THING, (LOBBY,), Timing(alive_every=1200), renews=True)


@dataclass
class Cloud:
    """`lobby` and `target` are the certificates that are active there. `cut` is the message at which power is lost."""

    current: Fingerprint = FIRST
    pending: Fingerprint | None = None
    pems: dict[Fingerprint, str] = field(default_factory=dict)
    lobby: set[Fingerprint] = field(default_factory=lambda: {FIRST})
    target: set[Fingerprint] = field(default_factory=lambda: {FIRST})
    route: Route = ROUTE
    commissioned: bool = True
    is_due: bool = False
    asked_at: float = -ASKED_EVERY
    refuses_new: bool = False
    """The target refuses each new certificate."""
    answers: bool = True
    """The renewer answers requests."""
    reports: bool = True
    """The target's report of a connection arrives."""
    requests: list[str] = field(default_factory=list)
    effects: int = 0
    cut: tuple[int, str] | None = None

    def effect(self, point: str) -> None:
        """Cut the power if this is the message at which it is lost."""
        self.effects += point == "after"
        if self.cut == (self.effects - (point == "after"), point):
            raise PowerCut

    def copy(self) -> "Cloud":
        """Return the cloud as it is after a power cut: the commissioner continues."""
        copied = replace(self, pems=dict(self.pems), lobby=set(self.lobby), target=set(self.target), cut=None)
        copied = replace(copied, requests=list(self.requests))
        copied.commission()
        return copied

    def sign(self, certificate: Fingerprint | None, csr: str) -> NewCertificate | None:
        """What the renewer does."""
        self.requests.append(csr)
        if not self.is_due or certificate != self.current or not self.answers:
            return None
        public_key = csr[csr.index("public ") :].encode()
        pem = certificate_for(public_key)
        new = fingerprint(pem)
        if new != self.pending:
            if self.pending:
                self.lobby.discard(self.pending)
                self.target.discard(self.pending)
            self.pending, self.pems[new] = new, pem
            self.route = replace(self.route, generation=(self.route.generation or 0) + 1)
            self.commissioned = False
        self.lobby.add(new)
        return NewCertificate(pem, self.route.generation or 0)

    def commission(self) -> None:
        """What the commissioner does."""
        if self.pending and not self.refuses_new:
            self.target.add(self.pending)
        self.commissioned = True

    def report(self, certificate: Fingerprint) -> None:
        """What the report of a connection does: the new certificate is proven, and the old one is retired
        immediately."""
        if certificate == self.pending and self.commissioned and self.reports:
            self.lobby.discard(self.current)
            self.target.discard(self.current)
            self.current, self.pending, self.is_due = certificate, None, False


class _Place(Broker):
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.connection: SimulatedConnection | None = None

    def active(self) -> set[Fingerprint]:
        raise NotImplementedError

    def opened(self, connection: SimulatedConnection) -> None:
        self.cloud.effect("before")
        if (connection.certificate or FIRST) in self.active():
            super().opened(connection)
        else:
            connection.report(ConnectionFailed(connection.id, Failure.REFUSED, "not active"))
        self.cloud.effect("after")

    def closed(self, connection: SimulatedConnection) -> None:
        self.connection = None
        super().closed(connection)


class Lobby(_Place):
    def active(self) -> set[Fingerprint]:
        return self.cloud.lobby

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        cloud, certificate = self.cloud, connection.certificate or FIRST
        cloud.effect("before")
        super().published(connection, topic)
        self.connection = connection
        if topic == HELLO_TOPIC:
            assert json.loads(connection.payload)["renew"] is True
            if cloud.commissioned:
                if cloud.is_due and certificate != cloud.pending:
                    connection.push(RenewalRequest(BY, cloud.route.generation).encode(), after=0.1)
                connection.push(cloud.route.encode(), after=0.15)
        else:
            assert topic == RENEWAL_TOPIC
            answer = cloud.sign(certificate, json.loads(connection.payload)["csr"])
            if answer is not None:
                connection.push(answer.encode(), after=0.2)
                connection.network.schedule(2.0, lambda: self._commission(connection))
        cloud.effect("after")

    def _commission(self, connection: SimulatedConnection) -> None:
        self.cloud.commission()
        if self.connection is connection:
            connection.push(self.cloud.route.encode())


class Target(_Place):
    def active(self) -> set[Fingerprint]:
        return self.cloud.target

    def subscribed(self, connection: SimulatedConnection) -> None:
        super().subscribed(connection)
        certificate = connection.certificate or FIRST
        connection.network.schedule(1.0, lambda: self.cloud.report(certificate))

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        cloud, now = self.cloud, connection.network.now
        if cloud.is_due and now - cloud.asked_at >= ASKED_EVERY:
            cloud.asked_at = now
            connection.push(RenewalRequest(BY, cloud.route.generation).encode())


@dataclass
class RenewingDevice:
    """A device in its target, on a disk, that is asked to renew. `keys` and `cloud` survive power cuts."""

    cloud: Cloud = field(default_factory=lambda: Cloud(is_due=True))
    keys: CountedKeys = field(default_factory=CountedKeys)
    now: float = 1000.0
    log: list[str] = field(default_factory=list)

    def store(self, disk: SimulatedDisk) -> RenewalStore:
        return RenewalStore(STATE_DIR, THING, FIRST, self.keys, calls=disk)

    def run(self, disk: SimulatedDisk, until: Callable[[], bool], within: float = 3 * DAY) -> SimulatedNetwork:
        """Run until the condition is true. Raise `PowerCut`."""
        network = SimulatedNetwork({LOBBY: Lobby(self.cloud), TARGET: Target(self.cloud)}, RENEWS)
        network.now = self.now
        try:
            renewals = SimulatedRenewals(network, self.store(disk))
            network.run_device(until, disk, within, renewals=renewals)
        finally:
            assert not network.counts["fault"], network.log
            self.now = network.now
            self.log += [event for _, event, _ in network.log]
        return network

    def renew(self, disk: SimulatedDisk, within: float = 3 * DAY) -> SimulatedNetwork:
        """Run until the device uses its new certificate only, and the cloud as well."""
        return self.run(disk, lambda: not self.cloud.is_due and self.is_renewed(disk), within)

    def is_renewed(self, disk: SimulatedDisk) -> bool:
        held = stored_on(disk, self.keys)
        return held.new is None and held.used == self.cloud.current != FIRST


class SimulatedRenewals:
    """`device.interfaces.Renewals` with simulated connections."""

    def __init__(self, network: SimulatedNetwork, store: RenewalStore) -> None:
        self._network, self._store = network, store
        self.load, self.prepare, self.store = store.load, store.prepare, store.store
        self.promote, self.give_up = store.promote, store.give_up

    def connection(
        self, certificate: Fingerprint, connection_id: int, report: Callable[[Event], None]
    ) -> SimulatedConnection:
        return SimulatedConnection(self._network, connection_id, report, certificate)


def disk_in_target(cut: int | None = None, cut_point: CutPoint = "before") -> SimulatedDisk:
    """Return the disk of a device that has arrived."""
    return SimulatedDisk(_tree_in_target(), cut, cut_point)


def _tree_in_target() -> Tree:
    disk = SimulatedDisk({"device": {}})
    Storage(STATE_DIR, disk).store(ROUTE)
    (tree,) = disk.possible_states()
    return tree


def stored_on(disk: SimulatedDisk, keys: CountedKeys) -> Certificates:
    """Return what is on the disk, without a call of the disk that counts."""
    trees = list(disk.possible_states())
    return RenewalStore(STATE_DIR, THING, FIRST, keys, calls=SimulatedDisk(trees[-1])).load()


def names_on(disk: SimulatedDisk) -> set[str]:
    """Return the names in the state folder."""
    *_, tree = disk.possible_states()
    device = tree["device"]
    assert isinstance(device, dict)
    state = device[Path(STATE_DIR).name]
    assert isinstance(state, dict)
    return set(state)
