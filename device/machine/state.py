"""Where a device stands on its journey, and the sheet on which one turn of it is worked out.

The state is a frozen value, deadlines included: the same state, event and time always give the same turn. `Turn`
lives only while one event is handled and is never seen outside of the journey.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from device.machine.backoff import Draw
from device.machine.events import Action, Note
from device.machine.plan import Endpoint, Plan, Timing
from lobby.wire import PresenceChallenge, Route


class Place(Enum):
    """Whom the device turns to."""

    LOBBY = "lobby"
    TARGET = "target"


class Phase(Enum):
    """How far it has come with the present link."""

    RESTING = "resting"
    """No connection; a retry is due at a known time."""
    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    SERVING = "serving"
    """Subscribed: waits in the lobby, or works in the target."""
    LEAVING = "leaving"
    """Saying goodbye, to go to `next_place`, or to end where that is None."""
    ENDED = "ended"


class Timer(Enum):
    """What may be due."""

    ANSWER = "answer"
    """The broker owes one."""
    RETRY = "retry"
    BEAT = "beat"
    """The next hello or report."""
    SETTLED = "settled"
    """The connection has proved itself."""
    REVISIT = "revisit"
    """Until then a route that led nowhere is not tried again."""
    STORAGE = "storage"
    """The storage refused, or shall be spared; ask it again."""
    UNTOLD = "untold"
    """The log has room again for what others send."""


@dataclass(frozen=True)
class State:
    """One device's standing. Counters count what happened in a row."""

    phase: Phase = Phase.RESTING
    place: Place = Place.LOBBY
    next_place: Place | None = None
    endpoint: Endpoint | None = None
    """Of the present link."""
    link: int = 0
    lobby: int = 0
    """Which of the plan's lobbies is being asked."""
    route: Route | None = None
    """The one to follow; its port is always filled in."""
    doubted: Route | None = None
    """One of an older generation than `route`, which the lobby has named once."""
    confirmed: bool = False
    """Since the fallback the lobby has named the same `route` again."""
    failures: int = 0
    """At this place; decides when to try the other."""
    streak: int = 0
    """Wherever; decides how long to wait."""
    troubled_since: float | None = None
    refusals: int = 0
    fallbacks: int = 0
    hops: int = 0
    """Times sent from one place to the other without staying."""
    storage_fault: str = ""
    """What the storage last refused with; told once."""
    shown: PresenceChallenge | None = None
    """What the device shows now."""
    bare: bool = False
    """The storage is known to hold no route."""
    told: int = 0
    """Lines about messages since the log last had room."""
    untold: int = 0
    deadlines: Mapping[Timer, float] = field(default_factory=dict)

    @property
    def next_deadline(self) -> float | None:
        """When a `Tick` is wanted, on the clock that is handed in."""
        return min(self.deadlines.values(), default=None)


@dataclass
class Turn:
    """One event being handled: the state so far and the actions so far."""

    state: State
    plan: Plan
    now: float
    draw: Draw
    actions: list[Action] = field(default_factory=list)

    @property
    def timing(self) -> Timing:
        return self.plan.timing

    def change(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def do(self, action: Action) -> None:
        self.actions.append(action)

    def note(self, event: str, **fields: object) -> None:
        self.do(Note(event, fields))

    def tell(self, event: str, **fields: object) -> None:
        """A note about what others sent, while there is room for it."""
        if not self.pending(Timer.UNTOLD):
            self.remind(Timer.UNTOLD, self.timing.tell_every)
        if self.state.told < self.timing.tell_at_most:
            self.change(told=self.state.told + 1)
            self.note(event, **fields)
        else:
            self.change(untold=self.state.untold + 1)

    def tell_rest(self) -> None:
        if self.state.untold:
            self.note("messages_untold", lines=self.state.untold)
        self.change(told=0, untold=0)

    def remind(self, timer: Timer, seconds: float) -> None:
        self.change(deadlines={**self.state.deadlines, timer: self.now + seconds})

    def cancel(self, *timers: Timer) -> None:
        self.change(deadlines={t: at for t, at in self.state.deadlines.items() if t not in timers})

    def pending(self, timer: Timer) -> bool:
        return timer in self.state.deadlines
