"""Power is cut at every file-system call while a device changes to another lobby, and it arrives there without help.

The earlier lobby answers until the device has settled in the new one. Then it refuses the device, like a lobby that has
deactivated the certificate.
"""

from dataclasses import replace
from functools import partial

from device.machine.events import ConnectionFailed, Failure
from device.machine.plan import Endpoint
from device.storage import Storage
from lobby.wire import NewLobby, Reset, Route
from tests.unit.device.machine_driver import LOBBY
from tests.unit.device.simulated_disk import PowerCut, SimulatedDisk, Tree, cut_points
from tests.unit.device.simulated_network import STATE_DIR, Broker, SimulatedConnection, SimulatedNetwork

OLD, NEW = Route("old-target.example", "blue", 8883, 7), Route("new-target.example", "blue", 8883, 1)
NEW_LOBBY = Endpoint("new-lobby.example")


class World:
    """Both lobbies and both targets. `sold`: the old lobby has transferred the device."""

    def __init__(self, *, sold: bool = False, closed: bool = False) -> None:
        self.sold, self.closed, self.arrived = sold, closed, ""
        self.connection: SimulatedConnection | None = None


class _OldLobby(Broker):
    def __init__(self, world: World) -> None:
        self._world = world

    def opened(self, connection: SimulatedConnection) -> None:
        if self._world.closed:
            connection.report(ConnectionFailed(connection.id, Failure.REFUSED, "inactive"))
        else:
            super().opened(connection)

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        answer = NewLobby(NEW_LOBBY.host, NEW_LOBBY.port).encode() if self._world.sold else OLD.encode()
        connection.push(answer, after=0.1)


class _NewLobby(Broker):
    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        connection.push(NEW.encode(), after=0.1)


class _Target(Broker):
    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    def opened(self, connection: SimulatedConnection) -> None:
        if self._world.sold and self._name == OLD.iotep:
            connection.report(ConnectionFailed(connection.id, Failure.REFUSED, "cleared"))
        else:
            super().opened(connection)

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        self._world.arrived, self._world.connection = self._name, connection


def network(world: World, seed: int = 1) -> SimulatedNetwork:
    targets = {Endpoint(name): _Target(world, name) for name in (OLD.iotep, NEW.iotep)}
    made = SimulatedNetwork({LOBBY: _OldLobby(world), NEW_LOBBY: _NewLobby(), **targets}, seed=seed)
    made.plan = replace(made.plan, changes_lobby=True)
    return made


def run(disk: SimulatedDisk, world: World) -> None:
    """From the first power-on to the new target. Raise `PowerCut` at the cut."""

    def done() -> bool:
        if world.arrived == OLD.iotep and not world.sold and world.connection is not None:
            world.sold = True
            world.connection.push(Reset().encode())
        return world.arrived == NEW.iotep

    network(world).run_device(done, disk)


def has_arrived(world: World) -> bool:
    return world.arrived == NEW.iotep


def tried(number: int) -> list[tuple[World, Tree]]:
    """Return the world and the disk after each power cut at this call."""
    states: list[tuple[World, Tree]] = []
    calls = SimulatedDisk({"device": {}})
    run(calls, World())
    for cut_point in cut_points(calls.calls[number]):
        disk, world = SimulatedDisk({"device": {}}, number, cut_point), World()
        try:
            run(disk, world)
        except PowerCut:
            states += [(world, tree) for tree in disk.possible_states()]
    return states


def test_the_device_arrives_at_its_new_lobby_after_a_power_cut_at_any_call() -> None:
    whole = SimulatedDisk({"device": {}})
    run(whole, World())
    assert {"rename lobby.json.new", "fsync lobby.json.new", "unlink route.json"} <= set(whole.calls)
    count = 0
    for number in range(len(whole.calls)):
        for before, tree in tried(number):
            settled = Storage(STATE_DIR, SimulatedDisk(tree)).lobby.load().lobby
            closed = settled is not None and not settled.before
            world = World(sold=True, closed=closed)
            network(world, seed=2).run_device(partial(has_arrived, world), SimulatedDisk(tree), 3600)
            count += 1
            assert before.arrived in ("", OLD.iotep, NEW.iotep)
    assert count > 50
