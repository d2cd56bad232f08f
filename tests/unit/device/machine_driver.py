"""Driver for tests of the state machine: a state, a manual clock, and jitter that gives the longest wait by default."""

from dataclasses import replace
from typing import TypeVar

from device.machine.advance import advance
from device.machine.backoff import Uniform
from device.machine.events import (
    Action,
    Connected,
    ConnectionFailed,
    Disconnected,
    Event,
    Failure,
    LogEvent,
    MessageReceived,
    PublishAcknowledged,
    Start,
    SubscriptionGranted,
    Tick,
)
from device.machine.plan import Endpoint, Plan, Timing
from device.machine.state import Phase, State, Timer
from lobby.names import ThingName
from lobby.wire import Route

THING = ThingName("sensor-1")
LOBBY = Endpoint("lobby-1.example", 8883)
OTHER_LOBBY = Endpoint("lobby-2.example", 8884)
ROUTE = Route("target.example", "blue", 8883, 4)
PLAN = Plan(THING, (LOBBY,), Timing(fallback_attempts=3))
SomeAction = TypeVar("SomeAction")


class MachineDriver:
    """Feed events to the state machine and keep the actions of the last one."""

    def __init__(
        self,
        plan: Plan = PLAN,
        route: Route | None = None,
        uniform: Uniform = lambda _shortest, longest: longest,
    ) -> None:
        self.plan, self._uniform = plan, uniform
        self.state = State()
        self.now = 1000.0
        self.last_actions: tuple[Action, ...] = ()
        self.feed(Start(route))

    def feed(self, event: Event) -> "MachineDriver":
        self.state, self.last_actions = advance(self.state, event, plan=self.plan, now=self.now, uniform=self._uniform)
        return self

    def advance_time(self, seconds: float) -> "MachineDriver":
        """Let time pass, with a tick at each deadline."""
        until, actions = self.now + seconds, list[Action]()
        while self.state.next_deadline is not None and self.state.next_deadline <= until:
            self.now = max(self.now, self.state.next_deadline)
            self.feed(Tick())
            actions += self.last_actions
        self.now, self.last_actions = until, tuple(actions)
        return self

    def go_online(self) -> "MachineDriver":
        """Connect, subscribe, and have the first message acknowledged."""
        connection_id = self.state.connection_id
        self.feed(Connected(connection_id)).feed(SubscriptionGranted(connection_id))
        return self.feed(PublishAcknowledged(connection_id))

    def fail(self, failure: Failure = Failure.UNREACHABLE) -> "MachineDriver":
        return self.feed(ConnectionFailed(self.state.connection_id, failure, "as scripted"))

    def receive(self, payload: bytes, topic: str = f"lobby/{THING}") -> "MachineDriver":
        return self.feed(MessageReceived(self.state.connection_id, topic, payload))

    def reconnect(self) -> "MachineDriver":
        """Complete the disconnect, and open the next connection."""
        return self.feed(Disconnected(self.state.connection_id)).advance_time(0)

    def finish_backoff(self) -> "MachineDriver":
        """Wait for the retry, if the device is backing off."""
        return self.advance_time(self.next_wait) if self.state.phase is Phase.BACKING_OFF else self

    def fall_back(self) -> "MachineDriver":
        """Fail at the target until the device is connected to the lobby."""
        for _ in range(self.plan.timing.fallback_attempts):
            self.fail().advance_time(self.next_wait)
        return self.go_online()

    @property
    def state_without_log(self) -> State:
        """The state without the fields that only limit log lines."""
        deadlines = {timer: at for timer, at in self.state.deadlines.items() if timer.value != Timer.LOG_WINDOW.value}
        return replace(self.state, logged_lines=0, suppressed_lines=0, deadlines=deadlines)

    @property
    def next_wait(self) -> float:
        """Seconds until the next deadline."""
        deadline = self.state.next_deadline
        return 0.0 if deadline is None else deadline - self.now

    @property
    def logged(self) -> list[str]:
        """Names of the events logged by the last actions."""
        return [action.event for action in self.last_actions if isinstance(action, LogEvent)]

    def actions(self, kind: type[SomeAction]) -> list[SomeAction]:
        """The last actions of this type."""
        return [action for action in self.last_actions if isinstance(action, kind)]
