"""A device's whole life, from its box over two targets, a new config and two resets, with the power cut somewhere.

The cloud is a small model of the lobby's promise: it knows where the device belongs, tells it at each hello, and lets
it into that target only. Whatever the disk holds after a cut, the device must get there when it is powered on again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from device.machine.events import Failed, Trouble
from device.machine.plan import Endpoint
from device.storage import Storage
from lobby.wire import HELLO_TOPIC, Reset, Route
from tests.unit.device.platter import How, Platter, PowerCut, Tree, sides
from tests.unit.device.walk import LOBBY
from tests.unit.device.world import STATE, Broker, Line, World

FIRST, SECOND = Route("first.example", "blue", 8883, 1), Route("second.example", "blue", 8883, 3)
RED, AGAIN = replace(FIRST, config="red", generation=2), replace(FIRST, generation=4)
BOX: Tree = {"device": {}}
"""A device that was never powered on: not even its folder is there."""


class Cloud:
    """Where the device belongs, and the line to it."""

    def __init__(self) -> None:
        self.route = FIRST
        self.line: Line | None = None
        self.arrived_on: Route | None = None

    def send(self, route: Route, message: Route | Reset) -> None:
        """From now on it belongs to `route`; what is connected is told `message`."""
        self.route, self.arrived_on = route, None
        if self.line:
            self.line.push(message.encode())


class _Lobby(Broker):
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def published(self, link: Line, topic: str) -> None:
        super().published(link, topic)
        assert topic == HELLO_TOPIC
        self._cloud.line = link
        link.push(self._cloud.route.encode(), after=0.1)


class _Target(Broker):
    """Lets in whom the cloud has sent; cannot know by which generation of the route."""

    def __init__(self, cloud: Cloud, host: str) -> None:
        self._cloud, self._host = cloud, host

    def opened(self, link: Line) -> None:
        if self._cloud.route.iotep == self._host:
            super().opened(link)
        else:
            link.say(Failed(link.number, Trouble.REFUSED, "not of this target"))

    def published(self, link: Line, topic: str) -> None:
        super().published(link, topic)
        self._cloud.line, self._cloud.arrived_on = link, self._cloud.route


@dataclass
class Life:
    """One run of it on one disk. `moment` says what is being done."""

    platter: Platter
    cloud: Cloud
    world: World
    moment: str = "power-on"

    @classmethod
    def new(cls, tree: Tree, cut: int | None = None, how: How = "before") -> "Life":
        cloud = Cloud()
        hosts = {Endpoint(host): _Target(cloud, host) for host in (FIRST.iotep, SECOND.iotep)}
        return cls(Platter(tree, cut, how), cloud, World({LOBBY: _Lobby(cloud), **hosts}))

    def live(self) -> None:
        """To its end, or to the cut: raises `PowerCut`."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("a new config", lambda: self.cloud.send(RED, RED)),
            ("a move", lambda: self.cloud.send(SECOND, Reset())),
            ("a reset by command", self._ask_reset),
            ("back to the first", lambda: self.cloud.send(AGAIN, Reset())),
        ]

        def on() -> bool:
            settled = self.cloud.arrived_on == self.cloud.route
            if not settled or (self.moment == "a reset by command" and not self._reset_done()):
                return False
            if not steps:
                return True
            self.moment, step = steps.pop(0)
            step()
            return False

        self.moment = "the first route"
        self.world.live(on, self.platter)

    def _ask_reset(self) -> None:
        self.cloud.arrived_on = None
        Storage(STATE, self.platter).ask_reset()

    def _reset_done(self) -> bool:
        return any(event == "reset_received" and told.get("by") == "command" for _, event, told in self.world.log)


def come_back(life: Life, tree: Tree, within: float = 3600) -> World:
    """The device is powered on again, on what the platter holds: it must get to where the cloud says, and keep that."""
    life.cloud.arrived_on, life.cloud.line = None, None
    world = World(life.world.brokers, seed=2)
    platter = Platter(tree)
    assert Storage(STATE, Platter(tree)).load().fault == ""
    world.live(lambda: life.cloud.arrived_on == life.cloud.route, platter, within)
    assert not world.counts["fault"]
    kept = Storage(STATE, platter).load()
    assert kept.route is not None, kept.fault
    assert kept.route.iotep == life.cloud.route.iotep
    return world


@dataclass(frozen=True)
class Cut:
    """The power went at `call`, at that `moment` of the life; `images` are the states it may have left."""

    number: int
    call: str
    how: How
    moment: str
    life: Life
    images: tuple[Tree, ...]


def calls_of(tree: Tree) -> list[str]:
    """The file-system calls of a whole life without a cut."""
    life = Life.new(tree)
    life.live()
    return life.platter.calls


def cuts(tree: Tree, numbers: Callable[[int], bool] = lambda _: True) -> Iterator[Cut]:
    """A life for each call that `numbers` picks and each side of it."""
    for number, call in enumerate(calls_of(tree)):
        for how in sides(call) if numbers(number) else ():
            life = Life.new(tree, number, how)
            try:
                life.live()
            except PowerCut:
                yield Cut(number, call, how, life.moment, life, tuple(life.platter.images()))
            else:
                raise AssertionError(f"call {number}, {call}, was not made this time")
