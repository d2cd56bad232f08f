"""State of the state machine, and `Step`, which collects the changes and actions of one event.

The state is a frozen value that includes all deadlines: the same state, event and time always give the same result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from device.machine.backoff import Uniform
from device.machine.events import Action, Exit, LogEvent
from device.machine.plan import AdoptedLobby, Endpoint, Plan, Timing
from device.machine.provisioning_messages import Pending
from device.machine.renewal_events import Certificates, RenewalAction
from lobby.names import Fingerprint, ThingName
from lobby.wire import PresenceChallenge, Route


class Location(Enum):
    """The kind of broker to which the device connects."""

    PROVISIONING = "provisioning"
    """A lobby, with the claim certificate."""
    LOBBY = "lobby"
    TARGET = "target"
    STANDBY = "standby"
    """The standby of the route, while neither the target nor a lobby is reachable."""


class Phase(Enum):
    """Progress of the current connection."""

    BACKING_OFF = "backing off"
    """Not connected. `Timer.RETRY` is set."""
    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    ONLINE = "online"
    """Subscribed: waits in the lobby, or works in the target."""
    DISCONNECTING = "disconnecting"
    """Disconnecting, to go to `next_location`, or to stop (None)."""
    STOPPED = "stopped"


class Timer(Enum):
    """The deadlines that can be set."""

    ANSWER = "answer"
    """The broker must have answered."""
    RETRY = "retry"
    """Connect again."""
    HELLO = "hello"
    """Send the next hello or report."""
    SETTLED = "settled"
    """The connection counts as stable."""
    REVISIT = "revisit"
    """A route whose target was unreachable is tried again at this time."""
    LOOK = "look"
    """A device in its standby checks whether a lobby or its target answers again."""
    STORAGE = "storage"
    """Write to the storage: another attempt, or a write that was delayed to save writes."""
    IDENTITY = "identity"
    """Store the key, the pending certificate or the identity again."""
    RENEWAL = "renewal"
    """Send the request for a new certificate again."""
    VISIT = "visit"
    """The end of the time in the lobby for a renewal."""
    VISITED = "visited"
    """Until then, no further request of the target leads to the lobby."""
    TRY_NEW = "try new"
    """Try the new certificate in the target again."""
    CERTIFICATES = "certificates"
    """Store the new key or certificate again."""
    LOG_WINDOW = "window"
    """The limit of log lines about messages starts again."""


@dataclass(frozen=True)
class Progress:
    """Progress of provisioning by claim."""

    csr: str = ""
    public_key: bytes = b""
    key_ready: bool = False
    granted: int = 0
    """Topics that are subscribed on this connection."""
    refused: int = 0
    """Consecutive connections that ended at the subscription to the template's topics."""
    pending: Pending | None = None
    """The certificate that is not registered yet."""
    pending_stored: bool = False
    pending_since: float | None = None
    """When the pending certificate was created or loaded."""
    denials: int = 0
    thing: ThingName | None = None
    """The registered thing. Only the storage of the identity is missing."""
    storage_error: str = ""
    """The last error, which is logged once."""
    ending: Exit | None = None
    """The outcome of the client when it is disconnected."""


@dataclass(frozen=True)
class Renewing:
    """Progress of a renewal, and of the choice between two certificates."""

    asked: bool = False
    """The lobby has asked, and the new certificate is not stored yet."""
    csr: str = ""
    public_key: bytes = b""
    attempts: int = 0
    held: Route | None = None
    """A route to follow after the renewal."""
    resume: bool = False
    """A renewal was interrupted: visit the lobby once the device is stable in its target."""
    place: Location | None = None
    connected_with: Fingerprint | None = None
    """The certificate of the current or the last connection (None: the one in the settings)."""
    stable: bool = False
    """The current connection was stable."""
    other: bool = False
    """Use the certificate that is not preferred at this place."""
    new_refused: bool = False
    """The new certificate was refused since the last connection to the target."""
    refusals_of_new: int = 0
    """How often the target has refused the new certificate and accepted the old one."""
    unstored: RenewalAction | None = None
    """The action of the store to repeat."""
    storage_error: str = ""
    """The last error, which is logged once."""


@dataclass(frozen=True)
class State:
    """The state of one client. Counters count consecutive failures or changes."""

    phase: Phase = Phase.BACKING_OFF
    location: Location = Location.LOBBY
    next_location: Location | None = None
    endpoint: Endpoint | None = None
    """Endpoint of the current connection."""
    connection_id: int = 0
    online_since: float | None = None
    """When the current or the last connection was subscribed."""
    lobby_index: int = 0
    """The index of the current one of the plan's lobbies."""
    route: Route | None = None
    """The route to follow. Its port is always set."""
    unconfirmed_route: Route | None = None
    """A route of an older generation than `route` that the lobby has sent once."""
    route_confirmed: bool = False
    """Whether the lobby has repeated `route` since the fallback."""
    failures: int = 0
    """Failures at this location. They decide when to try the other location."""
    failure_streak: int = 0
    """Failures at any location. They decide how long to wait."""
    failing_since: float | None = None
    unanswered_since: float | None = None
    """The first failure since the broker last answered with a refusal. It counts only during `failing_since`."""
    refusals: int = 0
    fallbacks: int = 0
    standby_visits: int = 0
    """How often the device has gone to its standby since it was stable in its target."""
    looking: bool = False
    """Whether the device has left its standby to check whether a lobby or its target answers."""
    hops: int = 0
    """Changes of location without a stable connection."""
    storage_error: str = ""
    """The last storage error, which is logged once."""
    shown_challenge: PresenceChallenge | None = None
    """The presence challenge that the device shows now."""
    adopted: AdoptedLobby | None = None
    """The lobby that the device has changed to (None: it uses the lobbies of its settings)."""
    lobby_stored: bool = True
    storage_empty: bool = False
    """Whether the storage certainly contains no route."""
    logged_lines: int = 0
    """Lines about messages in this log window."""
    suppressed_lines: int = 0
    """Lines above the limit in this log window."""
    deadlines: Mapping[Timer, float] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    certificates: Certificates = field(default_factory=Certificates)
    renewing: Renewing = field(default_factory=Renewing)

    @property
    def next_deadline(self) -> float | None:
        """Time of the next `Tick`, on the clock that is passed to `advance`."""
        return min(self.deadlines.values(), default=None)


@dataclass
class Step:
    """The handling of one event: the state and the actions so far."""

    state: State
    plan: Plan
    now: float
    uniform: Uniform
    actions: list[Action] = field(default_factory=list)

    @property
    def timing(self) -> Timing:
        return self.plan.timing

    @property
    def lobbies(self) -> tuple[Endpoint, ...]:
        """Return the lobbies to which the device connects, in order."""
        return self.state.adopted.lobbies if self.state.adopted else self.plan.lobbies

    def update(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def update_progress(self, **changes: Any) -> None:
        self.update(progress=replace(self.state.progress, **changes))

    def update_renewing(self, **changes: Any) -> None:
        self.update(renewing=replace(self.state.renewing, **changes))

    def ignore(self, reason: str) -> None:
        """Log why a message is ignored."""
        self.log_limited("message_ignored", reason=reason)

    def act(self, action: Action) -> None:
        self.actions.append(action)

    def log(self, event: str, **fields: object) -> None:
        self.act(LogEvent(event, fields))

    def log_limited(self, event: str, **fields: object) -> None:
        """Log a line about a received message, unless the limit of this log window is reached."""
        if not self.is_set(Timer.LOG_WINDOW):
            self.set_timer(Timer.LOG_WINDOW, self.timing.log_window)
        if self.state.logged_lines < self.timing.log_limit:
            self.update(logged_lines=self.state.logged_lines + 1)
            self.log(event, **fields)
        else:
            self.update(suppressed_lines=self.state.suppressed_lines + 1)

    def end_log_window(self) -> None:
        """Log the number of suppressed lines, if any, and reset the limit."""
        if self.state.suppressed_lines:
            self.log("messages_suppressed", lines=self.state.suppressed_lines)
        self.update(logged_lines=0, suppressed_lines=0)

    def set_timer(self, timer: Timer, seconds: float) -> None:
        self.update(deadlines={**self.state.deadlines, timer: self.now + seconds})

    def cancel(self, *timers: Timer) -> None:
        self.update(deadlines={timer: at for timer, at in self.state.deadlines.items() if timer not in timers})

    def is_set(self, timer: Timer) -> bool:
        return timer in self.state.deadlines
