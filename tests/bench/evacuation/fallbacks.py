"""When devices reach the lobby and the standby after their target has failed: a simulation of time, not of load.

The reference client's own state machine, whose connections all fail, gives the time until a device falls back. Then
each device needs a CONNECT in the lobby and one in the standby. In each second, both accounts accept as many as the
quota allows; a refused device waits with the client's back-off. `ideal` is the time without such waits: the quota is
used as soon as a device waits for it.
"""

import heapq
import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from device.machine.advance import advance
from device.machine.events import Connect, ConnectionFailed, Failure, Start, Tick
from device.machine.plan import Endpoint, Plan, Timing
from device.machine.state import Location, State
from lobby.names import ThingName
from lobby.wire import Route

_RETRY: Final = Timing().retry
ANSWER_AFTER: Final = 0.3
"""Seconds between CONNECTs of one device in the lobby and in the standby: subscription, hello, route. The measured time
of the real devices replaces it."""


def own_fallback(seed: int) -> float:
    """Return the seconds from the first failed connection to the target until the device connects to the lobby."""
    uniform = random.Random(seed).uniform  # noqa: S311  # the same device for the same seed
    plan = Plan(ThingName("sensor-1"), (Endpoint("lobby.example"),))
    state, actions = advance(State(), Start(Route("target.example", port=8883)), plan=plan, now=0.0, uniform=uniform)
    now = 0.0
    while True:
        if any(isinstance(action, Connect) for action in actions):
            if state.location is Location.LOBBY:
                return now
            event: ConnectionFailed | Tick = ConnectionFailed(state.connection_id, Failure.UNREACHABLE)
        else:
            now, event = max(now, state.next_deadline or now), Tick()
        state, actions = advance(state, event, plan=plan, now=now, uniform=uniform)


@dataclass
class Quota:
    """A token bucket that holds the operations of one second."""

    rate: float
    _tokens: float = field(init=False)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._tokens = self.rate

    def take(self, now: float) -> bool:
        self._tokens = min(self.rate, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True)
class Arrivals:
    """`after` are the seconds from the outage to each arrival, in order. `hellos` are the times of hellos; `refused`
    counts connections above the quota."""

    after: Sequence[float]
    hellos: Sequence[float]
    refused: int


def arrivals(fallbacks: Iterable[float], rate: float, seed: int = 1) -> Arrivals:
    """Return when devices that fall back at these times arrive in the standby."""
    draw = random.Random(seed).uniform  # noqa: S311  # the same evacuation for the same seed
    lobby, standby = Quota(rate), Quota(rate)
    attempts = [(at, number, False, 0) for number, at in enumerate(fallbacks)]
    heapq.heapify(attempts)
    done, hellos, refused = list[float](), list[float](), 0
    while attempts:
        at, number, routed, failures = heapq.heappop(attempts)
        if not (standby if routed else lobby).take(at):
            refused += 1
            wait = _RETRY.wait(failures + 1, draw)
            heapq.heappush(attempts, (at + wait, number, routed, failures + 1))
        elif routed:
            done.append(at)
        else:
            hellos.append(at)
            heapq.heappush(attempts, (at + ANSWER_AFTER, number, True, 0))
    return Arrivals(done, hellos, refused)


def ideal(fallbacks: Iterable[float], rate: float) -> float:
    """Return when the last device would arrive if each waited in a queue instead of trying again."""
    recent, last = deque[float](), 0.0
    for at in sorted(fallbacks):
        last = max(at, last + 1 / rate) if recent else at
        recent.append(last)
    return last + ANSWER_AFTER
