"""The client: feeds events to the journey and carries out what it answers, one thing at a time.

All events, from awscrt's threads, from signals and from the clock, pass through one inbox, so the journey is never
in two minds. Whatever fails while an action is carried out becomes an event; a fault of our own is told, and the
journey begins anew. Waits are on a clock that nobody can set.
"""

import time
from collections.abc import Callable
from typing import Protocol

from device.event_log import Chronicle
from device.inbox import Inbox
from device.machine.advance import advance
from device.machine.backoff import Draw
from device.machine.events import (
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
    Show,
    StopAsked,
    Store,
    Subscribe,
    Tick,
)
from device.machine.plan import Endpoint, Plan
from device.machine.state import State
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
    """One device, running. `dial` makes the link with a number, which reports to `post`; `doubts_clock` says why the
    wall clock, by which certificates are judged, cannot be right, or nothing; `deaths` are of clients before it."""

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        chronicle: Chronicle,
        dial: Callable[[int, Callable[[Event], None]], Connection],
        draw: Draw,
        clock: Callable[[], float] = time.monotonic,
        inbox: Inbox | None = None,
        doubts_clock: Callable[[], str] = lambda: "",
        deaths: int = 0,
    ) -> None:
        self._plan, self._storage, self._chronicle, self._dial = plan, storage, chronicle, dial
        self._draw, self._clock, self._doubts_clock, self._deaths = draw, clock, doubts_clock, deaths
        self._inbox = inbox or Inbox()
        self._state = State()
        self._link: Connection | None = None
        self._watch_at = self._clock()
        self._reset_seen = self._clock_doubtful = False
        self._running = True

    def post(self, event: Event) -> None:
        """Hand in an event, from any thread or signal handler."""
        self._inbox.put(event)

    def run(self) -> None:
        """The whole journey. Returns when the device was told to stop, or has arrived where that was the task."""
        while self._running:
            try:
                self._live()
            except Exception as fault:  # noqa: BLE001 - a fault of our own must not strand a device in the field
                self._stumble(fault)

    def _live(self) -> None:
        self._begin()
        while self._running:
            self._handle_next()
            self._watch()

    def _begin(self) -> None:
        if self._plan.show_codes:
            self._show(None)  # what an earlier life showed is nobody's question any more
        if self._storage.reset_asked():
            self._chronicle.record("reset_received", {"by": "command", "before": "start"})
            self._handle(Begin(None, self._deaths))
            self._handle(self._keep(Forget()))
            return
        loaded = self._storage.load()
        if loaded.fault:
            self._chronicle.record("route_unreadable", {"detail": loaded.fault})
        self._handle(Begin(loaded.route, self._deaths))

    def _stumble(self, fault: Exception) -> None:
        """Told; then, after the longest wait, as after power-on, with nothing remembered but what the disk holds."""
        self._deaths += 1
        self._chronicle.record("fault", {"detail": f"{type(fault).__name__}: {fault}"})
        if self._link is not None:
            self._link.close()
        self._state, self._reset_seen = State(link=self._state.link), False
        until = self._clock() + self._plan.timing.retry_cap
        while self._running and (left := until - self._clock()) > 0:
            if isinstance(self._inbox.take(left), StopAsked):
                self._running = False
                self._chronicle.record("stopped", {})

    def _handle_next(self) -> None:
        """What happened first, then what is due: an answer that came in time is not called late, however long the
        disk took, and a flood of messages cannot stop the clock."""
        deadline = self._state.next_deadline
        wait = WATCH_S if deadline is None else min(WATCH_S, max(0.0, deadline - self._clock()))
        event = self._inbox.take(wait)
        if event is not None:
            self._handle(event)
        deadline = self._state.next_deadline
        if deadline is not None and deadline <= self._clock():
            self._handle(Tick())

    def _watch(self) -> None:
        if self._clock() < self._watch_at:
            return
        self._watch_at = self._clock() + WATCH_S
        asked = self._storage.reset_asked()
        if asked and not self._reset_seen:
            self._handle(ResetAsked())
        self._reset_seen = asked
        if dropped := self._inbox.count_dropped():
            self._chronicle.record("messages_dropped", {"count": dropped, "reason": "they came faster than they go"})

    def _handle(self, event: Event) -> None:
        self._state, actions = advance(self._state, event, plan=self._plan, now=self._clock(), draw=self._draw)
        for action in actions:
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Note(event, fields):
                self._chronicle.record(event, fields)
            case Show(code):
                self._show(code)
            case Store() | Forget():
                self._handle(self._keep(action))
            case Exit():
                self._running = False
            case _:
                self._on_wire(action)

    def _on_wire(self, action: Open | Subscribe | Publish | Close) -> None:
        if isinstance(action, Open):
            self._look_at_clock()
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

    def _keep(self, action: Store | Forget) -> Saved | NotSaved:
        try:
            if isinstance(action, Store):
                self._storage.store(action.route)
            else:
                self._storage.forget()
        except OSError as error:
            return NotSaved(str(error))
        return Saved()

    def _show(self, code: str | None) -> None:
        """A device whose disk refuses still says its code in the log."""
        try:
            self._storage.show(code)
        except OSError as error:
            self._chronicle.record("presence_code_not_stored", {"detail": str(error)})

    def _look_at_clock(self) -> None:
        """TLS judges certificates by the wall clock. The device cannot set it; it can say that it is wrong, so that
        the refusals that follow are understood, and try until somebody has set it."""
        doubt = self._doubts_clock()
        if bool(doubt) != self._clock_doubtful:
            self._clock_doubtful = bool(doubt)
            self._chronicle.record("clock_doubtful" if doubt else "clock_plausible", {"detail": doubt})
