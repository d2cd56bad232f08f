"""Scenario for power cuts: a device from first power-on through two targets, a new config and two resets.

The cloud is a small model of the lobby: it stores which target the device belongs to, sends the route after each
hello, and admits the device to that target only. Whatever the disk contains after a power cut, the device must reach
that target after it is powered on again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from device.machine.events import ConnectionFailed, Failure
from device.machine.plan import Endpoint
from device.storage import Storage
from lobby.wire import HELLO_TOPIC, Reset, Route
from tests.unit.device.machine_driver import LOBBY
from tests.unit.device.simulated_disk import CutPoint, PowerCut, SimulatedDisk, Tree, cut_points
from tests.unit.device.simulated_network import STATE_DIR, Broker, SimulatedConnection, SimulatedNetwork

FIRST, SECOND = Route("first.example", "blue", 8883, 1), Route("second.example", "blue", 8883, 3)
NEW_CONFIG, FIRST_AGAIN = replace(FIRST, config="red", generation=2), replace(FIRST, generation=4)
FACTORY_DISK: Tree = {"device": {}}
"""The disk of a device that was never powered on: the state folder does not exist."""
_RESET_STAGE = "a reset by command"


class Cloud:
    """The route of the device, and its current connection."""

    def __init__(self) -> None:
        self.route = FIRST
        self.connection: SimulatedConnection | None = None
        self.arrived_on: Route | None = None

    def send(self, route: Route, message: Route | Reset) -> None:
        """Assign the route, and send `message` to the device if it is connected."""
        self.route, self.arrived_on = route, None
        if self.connection:
            self.connection.push(message.encode())


class _Lobby(Broker):
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        assert topic == HELLO_TOPIC
        self._cloud.connection = connection
        connection.push(self._cloud.route.encode(), after=0.1)


class _Target(Broker):
    """Admit the device if its route has this host, whatever the generation."""

    def __init__(self, cloud: Cloud, host: str) -> None:
        self._cloud, self._host = cloud, host

    def opened(self, connection: SimulatedConnection) -> None:
        if self._cloud.route.iotep == self._host:
            super().opened(connection)
        else:
            connection.report(ConnectionFailed(connection.id, Failure.REFUSED, "not of this target"))

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        self._cloud.connection, self._cloud.arrived_on = connection, self._cloud.route


@dataclass
class Scenario:
    """One run on one disk. `stage` is the current part of the scenario."""

    disk: SimulatedDisk
    cloud: Cloud
    network: SimulatedNetwork
    stage: str = "power-on"

    @classmethod
    def new(cls, tree: Tree, cut: int | None = None, cut_point: CutPoint = "before") -> "Scenario":
        cloud = Cloud()
        targets = {Endpoint(host): _Target(cloud, host) for host in (FIRST.iotep, SECOND.iotep)}
        return cls(SimulatedDisk(tree, cut, cut_point), cloud, SimulatedNetwork({LOBBY: _Lobby(cloud), **targets}))

    def run(self) -> None:
        """Run to the end. Raise `PowerCut` at the cut."""
        stages: list[tuple[str, Callable[[], None]]] = [
            ("a new config", lambda: self.cloud.send(NEW_CONFIG, NEW_CONFIG)),
            ("a move", lambda: self.cloud.send(SECOND, Reset())),
            (_RESET_STAGE, self._request_reset),
            ("back to the first", lambda: self.cloud.send(FIRST_AGAIN, Reset())),
        ]

        def next_stage() -> bool:
            arrived = self.cloud.arrived_on == self.cloud.route
            if not arrived or (self.stage == _RESET_STAGE and not self._reset_done()):
                return False
            if not stages:
                return True
            self.stage, start = stages.pop(0)
            start()
            return False

        self.stage = "the first route"
        self.network.run_device(next_stage, self.disk)

    def _request_reset(self) -> None:
        self.cloud.arrived_on = None
        Storage(STATE_DIR, self.disk).request_reset()

    def _reset_done(self) -> bool:
        log = self.network.log
        return any(event == "reset_received" and fields.get("by") == "command" for _, event, fields in log)


def assert_recovers(scenario: Scenario, tree: Tree, within: float = 3600) -> SimulatedNetwork:
    """Power the device on again with this disk. It must reach the target of its route and store that route."""
    scenario.cloud.arrived_on, scenario.cloud.connection = None, None
    network = SimulatedNetwork(scenario.network.brokers, seed=2)
    disk = SimulatedDisk(tree)
    assert Storage(STATE_DIR, SimulatedDisk(tree)).load().error == ""
    network.run_device(lambda: scenario.cloud.arrived_on == scenario.cloud.route, disk, within)
    assert not network.counts["fault"]
    loaded = Storage(STATE_DIR, disk).load()
    assert loaded.route is not None, loaded.error
    assert loaded.route.iotep == scenario.cloud.route.iotep
    return network


@dataclass(frozen=True)
class Cut:
    """Power was lost at `call`, in this `stage`. `disk_states` are the possible states of the disk afterwards."""

    number: int
    call: str
    cut_point: CutPoint
    stage: str
    scenario: Scenario
    disk_states: tuple[Tree, ...]


def file_system_calls(tree: Tree) -> list[str]:
    """Return the file-system calls of the scenario without a power cut."""
    scenario = Scenario.new(tree)
    scenario.run()
    return scenario.disk.calls


def power_cuts(tree: Tree, selected: Callable[[int], bool] = lambda _: True) -> Iterator[Cut]:
    """Run the scenario once per selected call and cut point."""
    for number, call in enumerate(file_system_calls(tree)):
        for cut_point in cut_points(call) if selected(number) else ():
            scenario = Scenario.new(tree, number, cut_point)
            try:
                scenario.run()
            except PowerCut:
                disk_states = tuple(scenario.disk.possible_states())
                yield Cut(number, call, cut_point, scenario.stage, scenario, disk_states)
            else:
                raise AssertionError(f"call {number}, {call}, was not made this time")
