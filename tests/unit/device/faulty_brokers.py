"""Faulty brokers: they refuse the device, stop answering, disconnect it, route it in a loop, or behave randomly."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from device.machine.events import ConnectionFailed, Failure, MessageReceived
from lobby.wire import Reset, Route, lobby_topic
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, PLAN, ROUTE
from tests.unit.device.simulated_network import Broker, RespondingBroker, SimulatedConnection, UnavailableBroker

Stage = Literal["connection", "subscription", "publish"]


class SilentBroker(Broker):
    """Does not answer at one stage; answers the stages before it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def opened(self, connection: SimulatedConnection) -> None:
        if self._stage != "connection":
            super().opened(connection)

    def subscribed(self, connection: SimulatedConnection) -> None:
        if self._stage != "subscription":
            super().subscribed(connection)

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        if self._stage != "publish":
            super().published(connection, topic)


class DroppingBroker(Broker):
    """Answers a stage and closes the connection some seconds later."""

    def __init__(self, stage: Stage, seconds: float = 0.1) -> None:
        self._stage, self._seconds = stage, seconds

    def _drop(self, connection: SimulatedConnection, stage: Stage) -> None:
        if stage == self._stage:
            connection.report(ConnectionFailed(connection.id, Failure.REFUSED, "closed by the broker"), self._seconds)

    def opened(self, connection: SimulatedConnection) -> None:
        super().opened(connection)
        self._drop(connection, "connection")

    def subscribed(self, connection: SimulatedConnection) -> None:
        super().subscribed(connection)
        self._drop(connection, "subscription")

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        self._drop(connection, "publish")


class NeverDisconnectingBroker(Broker):
    """Does not complete a disconnect, and loses each connection 40 s after a publish."""

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        connection.report(ConnectionFailed(connection.id, Failure.TIMEOUT, "no PINGRESP"), 40)

    def closed(self, connection: SimulatedConnection) -> None:
        pass


class ReroutingBroker(Broker):
    """Sends another route after each hello, each newer than the last."""

    def __init__(self) -> None:
        self._generation = 0

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        super().published(connection, topic)
        self._generation += 1
        connection.push(replace(ROUTE, generation=self._generation).encode())


FAULTY: dict[str, Callable[[], Broker]] = {
    "no listener": lambda: UnavailableBroker(Failure.UNREACHABLE),
    "TLS refused": lambda: UnavailableBroker(Failure.UNTRUSTED),
    "CONNACK refused, or connection closed": lambda: UnavailableBroker(Failure.REFUSED),
    "the key fails": lambda: UnavailableBroker(Failure.LOCAL),
    "no CONNACK": lambda: SilentBroker("connection"),
    "no SUBACK": lambda: SilentBroker("subscription"),
    "no PUBACK": lambda: SilentBroker("publish"),
    "closed after CONNACK": lambda: DroppingBroker("connection"),
    "closed after SUBACK": lambda: DroppingBroker("subscription"),
    "closed after PUBACK": lambda: DroppingBroker("publish"),
    "closed just before it counts as stable": lambda: DroppingBroker("publish", 29.5),
    "closed just after it counts as stable": lambda: DroppingBroker("publish", 31),
    "no PINGRESP, and no end of a disconnect": NeverDisconnectingBroker,
}
LOOPS: dict[str, tuple[Callable[[], Broker], Callable[[], Broker]]] = {
    "the lobby sends a route, the target sends a reset": (
        lambda: RespondingBroker(ROUTE.encode()),
        lambda: RespondingBroker(Reset().encode()),
    ),
    "the lobby sends a route to itself": (
        lambda: RespondingBroker(Route(LOBBY.host, "x", LOBBY.port, 9).encode()),
        lambda: RespondingBroker(Reset().encode()),
    ),
    "the lobby sends another route each time": (ReroutingBroker, lambda: UnavailableBroker(Failure.REFUSED)),
    "another route each time, and a reset": (ReroutingBroker, lambda: RespondingBroker(Reset().encode())),
    "the target sends a new config each time": (lambda: RespondingBroker(ROUTE.encode()), ReroutingBroker),
    "two brokers, each sends a route to the other": (
        lambda: RespondingBroker(ROUTE.encode()),
        lambda: RespondingBroker(Route(LOBBY.host, "x", LOBBY.port, 99).encode()),
    ),
    "routes and resets at once": (
        lambda: RespondingBroker(
            ROUTE.encode(), Reset().encode(), replace(ROUTE, generation=9).encode(), Reset().encode()
        ),
        lambda: RespondingBroker(Reset().encode(), ROUTE.encode(), Reset().encode()),
    ),
}
"""By name: the lobby and the target that send a device in a loop."""


class RandomBroker(Broker):
    """Behaves randomly at each stage."""

    def __init__(self, choice: random.Random, good: Broker) -> None:
        self._choice, self._good = choice, good

    def opened(self, connection: SimulatedConnection) -> None:
        if self._misbehave(connection):
            self._good.opened(connection)

    def subscribed(self, connection: SimulatedConnection) -> None:
        if self._misbehave(connection):
            self._good.subscribed(connection)

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        if self._misbehave(connection):
            self._good.published(connection, topic)

    def closed(self, connection: SimulatedConnection) -> None:
        if self._choice.random() < 0.8:
            super().closed(connection)

    def _misbehave(self, connection: SimulatedConnection) -> bool:
        """Send random messages, perhaps drop the connection, and return whether to answer correctly as well."""
        after = self._choice.choice((0.01, 1, 9, 11, 29, 31, 59, 61))
        for _ in range(self._choice.randrange(3)):
            message, topic = self._choice.choice(_MESSAGES), self._choice.choice(_TOPICS)
            connection.report(MessageReceived(connection.id, topic, message), after * self._choice.random())
        if self._choice.random() < 0.3:
            connection.report(ConnectionFailed(connection.id, self._choice.choice(list(Failure)), "random"), after)
        return self._choice.random() < 0.8


_TOPICS = (lobby_topic(PLAN.thing), lobby_topic(PLAN.thing), "lobby/another", "")
_MESSAGES = (
    Reset().encode(),
    *(Route(host, "x", None, number).encode() for host in ("a.example", ROUTE.iotep) for number in (None, 0, 4, 5)),
    Route(LOBBY.host, "x", LOBBY.port, 7).encode(),
    Route(OTHER_LOBBY.host, {"n": 1}, OTHER_LOBBY.port, None).encode(),
    b"\xff",
    b"{}",
    b"[" * 5000,
)
