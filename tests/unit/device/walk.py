"""A journey in a test: a state, a clock that stands still until told, and a draw that always gives the longest wait."""

from dataclasses import replace
from typing import TypeVar

from device.machine.advance import advance
from device.machine.events import (
    Acked,
    Action,
    Begin,
    Closed,
    Event,
    Failed,
    Granted,
    Heard,
    Note,
    Opened,
    Tick,
    Trouble,
)
from device.machine.plan import Endpoint, Plan, Timing
from device.machine.state import State, Timer
from lobby.names import ThingName
from lobby.wire import Route

THING = ThingName("sensor-1")
LOBBY = Endpoint("lobby-1.example", 8883)
OTHER_LOBBY = Endpoint("lobby-2.example", 8884)
ROUTE = Route("target.example", "blue", 8883, 4)
PLAN = Plan(THING, (LOBBY,), Timing(fallback_attempts=3))
Some = TypeVar("Some")


class Walk:
    """Feeds events and remembers what was answered to the last one."""

    def __init__(self, plan: Plan = PLAN, route: Route | None = None) -> None:
        self.plan = plan
        self.state = State()
        self.now = 1000.0
        self.last: tuple[Action, ...] = ()
        self.feed(Begin(route))

    def feed(self, event: Event) -> "Walk":
        self.state, self.last = advance(
            self.state, event, plan=self.plan, now=self.now, draw=lambda _, longest: longest
        )
        return self

    def later(self, seconds: float) -> "Walk":
        """Time passes, with a tick at each deadline on the way."""
        until, seen = self.now + seconds, list[Action]()
        while self.state.next_deadline is not None and self.state.next_deadline <= until:
            self.now = max(self.now, self.state.next_deadline)
            self.feed(Tick())
            seen += self.last
        self.now, self.last = until, tuple(seen)
        return self

    def arrive(self) -> "Walk":
        """Connected, subscribed, and the first message acknowledged."""
        link = self.state.link
        return self.feed(Opened(link)).feed(Granted(link)).feed(Acked(link))

    def fail(self, trouble: Trouble = Trouble.UNREACHABLE) -> "Walk":
        return self.feed(Failed(self.state.link, trouble, "as scripted"))

    def hear(self, payload: bytes, topic: str = f"lobby/{THING}") -> "Walk":
        return self.feed(Heard(self.state.link, topic, payload))

    def goodbye(self) -> "Walk":
        """The goodbye is over, and the next link is opened."""
        return self.feed(Closed(self.state.link)).later(0)

    def fall_back(self) -> "Walk":
        """From a fresh target to the lobby, connected there."""
        for _ in range(self.plan.timing.fallback_attempts):
            self.fail().later(self.longest_wait)
        return self.arrive()

    @property
    def standing(self) -> State:
        """The state, less what is only about lines in the log."""
        deadlines = {timer: at for timer, at in self.state.deadlines.items() if timer.value != Timer.UNTOLD.value}
        return replace(self.state, told=0, untold=0, deadlines=deadlines)

    @property
    def longest_wait(self) -> float:
        deadline = self.state.next_deadline
        return 0.0 if deadline is None else deadline - self.now

    @property
    def events(self) -> list[str]:
        return [action.event for action in self.last if isinstance(action, Note)]

    def done(self, kind: type[Some]) -> list[Some]:
        return [action for action in self.last if isinstance(action, kind)]
