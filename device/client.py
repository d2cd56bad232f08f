"""The client: feeds events to the journey and carries out what it answers, one thing at a time.

All events, from awscrt's threads, from signals and from the clock, pass through one queue, so the journey is never
in two minds. Whatever fails while an action is carried out becomes an event.
"""

import queue
import time
from collections.abc import Callable
from typing import Protocol

from device.chronicle import Chronicle
from device.journey import advance
from device.moves import (
    Action,
    Begin,
    Close,
    Event,
    Exit,
    Forget,
    Note,
    NotSaved,
    Open,
    Publish,
    ResetAsked,
    Saved,
    Store,
    Subscribe,
    Tick,
)
from device.patience import Draw
from device.plan import Endpoint, Plan
from device.state import State
from device.storage import Storage

WATCH_S = 1.0
"""How often the client looks whether someone has asked for a reset."""


class Connection(Protocol):
    """What `link.Link` is to the client."""

    def open(self, endpoint: Endpoint) -> None: ...
    def subscribe(self, topic: str) -> None: ...
    def publish(self, topic: str, payload: bytes) -> None: ...
    def close(self) -> None: ...


class Client:
    """One device, running. `dial` makes the link with a number, which reports to `post`."""

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        chronicle: Chronicle,
        dial: Callable[[int, Callable[[Event], None]], Connection],
        draw: Draw,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan, self._storage, self._chronicle, self._dial = plan, storage, chronicle, dial
        self._draw, self._clock = draw, clock
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._state = State()
        self._link: Connection | None = None
        self._reset_seen = False
        self._running = True

    def post(self, event: Event) -> None:
        """Hand in an event, from any thread or signal handler."""
        self._events.put(event)

    def run(self) -> None:
        """The whole journey. Returns when the device was told to stop, or has arrived where that was the task."""
        self._handle(self._remembered())
        while self._running:
            self._handle_next()
            self._watch_for_reset()

    def _remembered(self) -> Begin:
        if self._storage.reset_asked():
            self._chronicle.record("reset_received", {"by": "command", "before": "start"})
            self._keep(Forget())
            return Begin()
        loaded = self._storage.load()
        if loaded.fault:
            self._chronicle.record("route_unreadable", {"detail": loaded.fault})
        return Begin(loaded.route)

    def _handle_next(self) -> None:
        """What happened first, then what is due: an answer that came in time is not called late, however long the
        disk took, and a flood of messages cannot stop the clock."""
        deadline = self._state.next_deadline
        wait = WATCH_S if deadline is None else min(WATCH_S, max(0.0, deadline - self._clock()))
        event = self._next_event(wait)
        if event is not None:
            self._handle(event)
        deadline = self._state.next_deadline
        if deadline is not None and deadline <= self._clock():
            self._handle(Tick())

    def _next_event(self, wait: float) -> Event | None:
        try:
            return self._events.get(timeout=wait)
        except queue.Empty:
            return None

    def _watch_for_reset(self) -> None:
        asked = self._storage.reset_asked()
        if asked and not self._reset_seen:
            self.post(ResetAsked())
        self._reset_seen = asked

    def _handle(self, event: Event) -> None:
        self._state, actions = advance(self._state, event, plan=self._plan, now=self._clock(), draw=self._draw)
        for action in actions:
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Note(event, fields):
                self._chronicle.record(event, fields)
            case Store() | Forget():
                self._keep(action)
            case Exit():
                self._running = False
            case _:
                self._on_wire(action)

    def _on_wire(self, action: Open | Subscribe | Publish | Close) -> None:
        if isinstance(action, Open):
            self._link = self._dial(action.link, self.post)
            self._link.open(action.endpoint)
        elif self._link is not None:
            match action:
                case Subscribe(_, topic):
                    self._link.subscribe(topic)
                case Publish(_, topic, payload):
                    self._link.publish(topic, payload)
                case Close():
                    self._link.close()

    def _keep(self, action: Store | Forget) -> None:
        try:
            if isinstance(action, Store):
                self._storage.store(action.route)
            else:
                self._storage.forget()
        except OSError as error:
            self.post(NotSaved(str(error)))
        else:
            self.post(Saved())
