"""A world in which hours pass in milliseconds: the real client on a clock of its own, among brokers that play a part.

Nothing runs at the same time as anything else. When the client waits, what was arranged for that time happens, and
where nothing was, the clock jumps.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from device.client import Client
from device.disk import Calls
from device.event_log import Chronicle
from device.inbox import Inbox
from device.machine.events import Acked, Closed, Event, Failed, Granted, Heard, Opened, StopAsked, Trouble
from device.machine.plan import Endpoint, Plan
from device.storage import Storage
from lobby.wire import lobby_topic
from tests.unit.device.platter import Platter
from tests.unit.device.walk import LOBBY, PLAN, ROUTE

STATE = Path("/device/state")
A_MINUTE, AN_HOUR, A_DAY = 60.0, 3600.0, 86_400.0


class NotWithinError(AssertionError):
    """What was waited for did not happen in all that time."""


class Broker:
    """A good one. Others override what they do badly."""

    def opened(self, link: "Line") -> None:
        link.say(Opened(link.number))

    def subscribed(self, link: "Line") -> None:
        link.say(Granted(link.number))

    def published(self, link: "Line", _topic: str) -> None:
        link.say(Acked(link.number))

    def closed(self, link: "Line") -> None:
        link.say(Closed(link.number))


class Absent(Broker):
    """Nobody there, or somebody who turns the device away."""

    def __init__(self, trouble: Trouble = Trouble.UNREACHABLE) -> None:
        self.trouble = trouble

    def opened(self, link: "Line") -> None:
        link.say(Failed(link.number, self.trouble, "as scripted"))


class Saying(Broker):
    """A good one that answers each word of the device with these messages."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = messages

    def published(self, link: "Line", topic: str) -> None:
        super().published(link, topic)
        for message in self.messages:
            link.push(message)


class Line:
    """A connection in the world."""

    def __init__(self, world: "World", number: int, report: Callable[[Event], None]) -> None:
        self.world, self.number, self._report = world, number, report
        self._endpoint: Endpoint | None = None

    @property
    def broker(self) -> Broker:
        """Who is at the other end by now."""
        return self.world.brokers.get(self._endpoint, Absent()) if self._endpoint else Absent()

    def say(self, event: Event, after: float = 0.05) -> None:
        """The device hears of it `after` so many seconds."""
        self.world.arrange(after, lambda: self._report(event))

    def push(self, payload: bytes, topic: str = lobby_topic(PLAN.thing), after: float = 0.05) -> None:
        self.say(Heard(self.number, topic, payload), after)

    def open(self, endpoint: Endpoint) -> None:
        self.world.dialled.append((self.world.now, endpoint))
        self._endpoint = endpoint
        self.broker.opened(self)

    def subscribe(self, _topic: str) -> None:
        self.broker.subscribed(self)

    def publish(self, topic: str, _payload: bytes) -> None:
        self.broker.published(self, topic)

    def close(self) -> None:
        self.broker.closed(self)


class _Waiting(Inbox):
    """Whoever waits here lets time pass."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    def take(self, wait: float) -> Event | None:
        until = self._world.now + wait
        while (event := super().take(0)) is None and self._world.pass_to(until):
            pass
        return event


class World:
    """Brokers by address, a clock, and the log of whatever device is in it."""

    def __init__(self, brokers: Mapping[Endpoint, Broker], plan: Plan = PLAN, seed: int = 1) -> None:
        self.brokers, self.plan = dict(brokers), plan
        self.now = 1000.0
        self.dialled: list[tuple[float, Endpoint]] = []
        self.log: list[tuple[float, str, Mapping[str, object]]] = []
        self.counts: Counter[str] = Counter()
        self.listeners: list[Callable[[str, Mapping[str, object]], None]] = []
        self.doubt = ""
        self.random = random.Random(seed)  # noqa: S311 - jitter
        self._arranged: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def arrange(self, after: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._arranged, (self.now + after, next(self._order), what))

    def pass_to(self, until: float) -> bool:
        """One thing that was arranged happens; False where nothing is left before `until`, and it is then."""
        if self._arranged and self._arranged[0][0] <= until:
            at, _, what = heapq.heappop(self._arranged)
            self.now = max(self.now, at)
            what()
            return True
        self.now = max(self.now, until)
        return False

    def record(self, event: str, fields: Mapping[str, object]) -> None:
        self.log.append((self.now, event, dict(fields)))
        self.counts[event] += 1
        for listener in self.listeners:
            listener(event, fields)

    def new_page(self) -> None:
        """The log begins anew."""
        self.log.clear()
        self.counts.clear()

    @classmethod
    def routed(cls) -> "World":
        """A lobby that knows where the device belongs, and a target that takes it."""
        return cls({LOBBY: Saying(ROUTE.encode()), Endpoint(ROUTE.iotep): Broker()})

    def live(
        self, until: Callable[[], Any], calls: Calls | None = None, within: float = A_DAY, folder: Path = STATE
    ) -> None:
        """A device is powered on with what `calls` hold, and off when `until` is true. Raises `NotWithinError` where
        that does not come within so many seconds."""
        inbox = _Waiting(self)
        client = Client(
            self.plan,
            Storage(folder, Platter() if calls is None else calls),
            cast(Chronicle, self),
            lambda number, report: Line(self, number, report),
            draw=self.random.uniform,
            clock=lambda: self.now,
            inbox=inbox,
            doubts_clock=lambda: self.doubt,
        )
        over, met = self.now + within, False

        def look() -> None:
            nonlocal met
            met = bool(until())
            if met or self.now > over:
                client.post(StopAsked())
            else:
                self.arrange(0.5 if within <= A_MINUTE else 2.0, look)

        self.arrange(0, look)
        try:
            client.run()
        finally:
            self._arranged.clear()  # what was on its way is lost with the power
        if not met:
            tail = "\n".join(map(str, self.log[-20:]))
            raise NotWithinError(f"not within {within:g} s, but\n{tail}")

    def live_for(self, seconds: float, calls: Calls | None = None, folder: Path = STATE) -> None:
        """Powered on for that long."""
        over = self.now + seconds
        self.live(lambda: self.now >= over, calls, 2 * seconds, folder)
