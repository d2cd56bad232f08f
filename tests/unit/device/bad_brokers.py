"""Brokers that a device must outlive: those that turn it away, fall silent, drop it, lead it in circles, or do whatever
they please."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from device.machine.events import Failed, Heard, Trouble
from lobby.wire import Reset, Route, lobby_topic
from tests.unit.device.walk import LOBBY, OTHER_LOBBY, PLAN, ROUTE
from tests.unit.device.world import Absent, Broker, Line, Saying

Stage = Literal["connection", "subscription", "publish"]


class Quiet(Broker):
    """Never answers at one stage; what comes before it is answered."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def opened(self, link: Line) -> None:
        if self._stage != "connection":
            super().opened(link)

    def subscribed(self, link: Line) -> None:
        if self._stage != "subscription":
            super().subscribed(link)

    def published(self, link: Line, topic: str) -> None:
        if self._stage != "publish":
            super().published(link, topic)


class Dropping(Broker):
    """Does its part, and hangs up so many seconds later."""

    def __init__(self, stage: Stage, seconds: float = 0.1) -> None:
        self._stage, self._seconds = stage, seconds

    def _drop(self, link: Line, stage: Stage) -> None:
        if stage == self._stage:
            link.say(Failed(link.number, Trouble.REFUSED, "hung up"), self._seconds)

    def opened(self, link: Line) -> None:
        super().opened(link)
        self._drop(link, "connection")

    def subscribed(self, link: Line) -> None:
        super().subscribed(link)
        self._drop(link, "subscription")

    def published(self, link: Line, topic: str) -> None:
        super().published(link, topic)
        self._drop(link, "publish")


class NeverGone(Broker):
    """Does not answer a goodbye, and loses whom it has after a while."""

    def published(self, link: Line, topic: str) -> None:
        super().published(link, topic)
        link.say(Failed(link.number, Trouble.SILENT, "no PINGRESP"), 40)

    def closed(self, link: Line) -> None:
        pass


class Renaming(Broker):
    """Names another route at each hello, each newer than the one before."""

    def __init__(self) -> None:
        self._generation = 0

    def published(self, link: Line, topic: str) -> None:
        super().published(link, topic)
        self._generation += 1
        link.push(replace(ROUTE, generation=self._generation).encode())


REFUSING: dict[str, Callable[[], Broker]] = {
    "nobody there": lambda: Absent(Trouble.UNREACHABLE),
    "TLS refused": lambda: Absent(Trouble.UNTRUSTED),
    "CONNACK refused, or hung up": lambda: Absent(Trouble.REFUSED),
    "the key fails": lambda: Absent(Trouble.LOCAL),
    "no CONNACK": lambda: Quiet("connection"),
    "no SUBACK": lambda: Quiet("subscription"),
    "no PUBACK": lambda: Quiet("publish"),
    "closed at once": lambda: Dropping("connection"),
    "closed after SUBACK": lambda: Dropping("subscription"),
    "closed after PUBACK": lambda: Dropping("publish"),
    "closed just before it counts as sound": lambda: Dropping("publish", 29.5),
    "closed just after": lambda: Dropping("publish", 31),
    "no PINGRESP, nor a goodbye": NeverGone,
}
CIRCLES: dict[str, tuple[Callable[[], Broker], Callable[[], Broker]]] = {
    "the lobby sends, the target sends back": (lambda: Saying(ROUTE.encode()), lambda: Saying(Reset().encode())),
    "the lobby sends to itself": (
        lambda: Saying(Route(LOBBY.host, "x", LOBBY.port, 9).encode()),
        lambda: Saying(Reset().encode()),
    ),
    "the lobby sends elsewhere each time": (Renaming, lambda: Absent(Trouble.REFUSED)),
    "elsewhere each time, and back": (Renaming, lambda: Saying(Reset().encode())),
    "the target names a new config each time": (lambda: Saying(ROUTE.encode()), Renaming),
    "two brokers, each names the other": (
        lambda: Saying(ROUTE.encode()),
        lambda: Saying(Route(LOBBY.host, "x", LOBBY.port, 99).encode()),
    ),
    "routes and resets in one breath": (
        lambda: Saying(ROUTE.encode(), Reset().encode(), replace(ROUTE, generation=9).encode(), Reset().encode()),
        lambda: Saying(Reset().encode(), ROUTE.encode(), Reset().encode()),
    ),
}
"""By name: the lobby and the target that lead a device round."""


class Anything(Broker):
    """Whatever it pleases, at each stage."""

    def __init__(self, choice: random.Random, good: Broker) -> None:
        self._choice, self._good = choice, good

    def opened(self, link: Line) -> None:
        if self._as_it_should(link):
            self._good.opened(link)

    def subscribed(self, link: Line) -> None:
        if self._as_it_should(link):
            self._good.subscribed(link)

    def published(self, link: Line, topic: str) -> None:
        if self._as_it_should(link):
            self._good.published(link, topic)

    def closed(self, link: Line) -> None:
        if self._choice.random() < 0.8:
            super().closed(link)

    def _as_it_should(self, link: Line) -> bool:
        """After anything else that it does, or instead."""
        after = self._choice.choice((0.01, 1, 9, 11, 29, 31, 59, 61))
        for _ in range(self._choice.randrange(3)):
            message, topic = self._choice.choice(_ANYTHING_SAID), self._choice.choice(_TOPICS)
            link.say(Heard(link.number, topic, message), after * self._choice.random())
        if self._choice.random() < 0.3:
            link.say(Failed(link.number, self._choice.choice(list(Trouble)), "as it pleases"), after)
        return self._choice.random() < 0.8


_TOPICS = (lobby_topic(PLAN.thing), lobby_topic(PLAN.thing), "lobby/another", "")
_ANYTHING_SAID = (
    Reset().encode(),
    *(Route(host, "x", None, number).encode() for host in ("a.example", ROUTE.iotep) for number in (None, 0, 4, 5)),
    Route(LOBBY.host, "x", LOBBY.port, 7).encode(),
    Route(OTHER_LOBBY.host, {"n": 1}, OTHER_LOBBY.port, None).encode(),
    b"\xff",
    b"{}",
    b"[" * 5000,
)
