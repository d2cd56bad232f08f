"""The client: pass events to the state machine and carry out the actions it returns, one at a time.

All events, from awscrt's threads, from signal handlers and from the clock, go through one inbox, so the state
machine handles one event at a time. A failed action becomes an event. An unexpected exception is logged and the client
starts over. Waits use a monotonic clock, so a change of the wall clock does not affect them.
"""

import time
from collections.abc import Callable

from device.event_log import EventLog
from device.inbox import Inbox
from device.interfaces import Connection, Identities, Renewals
from device.machine.advance import advance
from device.machine.backoff import Uniform
from device.machine.events import (
    Action,
    Connect,
    ConnectionAction,
    Disconnect,
    Event,
    Exit,
    ForgetRoute,
    IdentityAction,
    IdentityNotStored,
    IdentityStored,
    KeyReady,
    LobbyStored,
    LogEvent,
    PendingStored,
    PrepareKey,
    Publish,
    ResetRequested,
    RouteAction,
    ShowCode,
    Start,
    StopRequested,
    StorageFailed,
    StorageUpdated,
    StoreIdentity,
    StoreLobby,
    StorePending,
    StoreRoute,
    Subscribe,
    Tick,
)
from device.machine.plan import Plan
from device.machine.renewal_events import (
    Certificates,
    CertificatesNotStored,
    CertificatesStored,
    GiveUpCertificate,
    PrepareRenewalKey,
    PromoteCertificate,
    RenewalAction,
    RenewalEvent,
    StoreCertificate,
)
from device.machine.state import State
from device.storage import Storage
from lobby.wire import Route

POLL_S = 1.0
"""How often the client checks for a reset request."""


class Client:
    """One running device.

    `connection_factory` creates a connection from its id and the function that it reports events to. `clock_error`
    returns why the wall clock, which TLS uses to check certificates, cannot be right, or an empty string. `crashes` is
    the number of consecutive clients that crashed before this one. `identities` stores the certificate from
    provisioning, and `renewals` the certificates from renewals.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a device
        self,
        plan: Plan,
        storage: Storage,
        event_log: EventLog,
        connection_factory: Callable[[int, Callable[[Event], None]], Connection],
        uniform: Uniform,
        clock: Callable[[], float] = time.monotonic,
        inbox: Inbox | None = None,
        clock_error: Callable[[], str] = lambda: "",
        crashes: int = 0,
        identities: Identities | None = None,
        renewals: Renewals | None = None,
    ) -> None:
        self._plan, self._storage, self._event_log = plan, storage, event_log
        self._connection_factory, self._uniform, self._clock = connection_factory, uniform, clock
        self._clock_error, self._crashes, self._identities = clock_error, crashes, identities
        self._renewals = renewals
        self._inbox = inbox or Inbox()
        self._state = State()
        self._connection: Connection | None = None
        self._poll_at = self._clock()
        self._reset_seen = self._clock_implausible = False
        self._running = True
        self._ending = Exit()

    def post(self, event: Event) -> None:
        """Queue an event. May be called from any thread or signal handler."""
        self._inbox.put(event)

    def run(self) -> Exit:
        """Run until the device is stopped or provisioned, or has arrived with `exit_on_arrival`. Return the outcome."""
        while self._running:
            try:
                self._run_once()
            except Exception as error:  # noqa: BLE001 - a bug must not stop a device in the field
                self._recover(error)
        return self._ending

    def _run_once(self) -> None:
        self._start()
        while self._running:
            self._handle_next()
            self._poll()

    def _start(self) -> None:
        if self._plan.show_codes:
            self._show_code(None)  # a code from an earlier run is no longer valid
        if self._storage.reset_requested():
            self._event_log.record("reset_received", {"by": "command", "before": "start"})
            self._handle(self._start_event(None))
            self._handle(self._update_storage(ForgetRoute()))
            return
        loaded = self._storage.load()
        if loaded.error:
            self._event_log.record("route_unreadable", {"detail": loaded.error})
        self._handle(self._start_event(loaded.route))

    def _start_event(self, route: Route | None) -> Start:
        """Return the event that starts the state machine. Raise `OSError` if the certificates cannot be read now; the
        client then starts again after a pause."""
        found = self._storage.lobby.load()
        if found.error:
            self._event_log.record("lobby_unreadable", {"detail": found.error})
        return Start(route, self._crashes, self._renewals.load() if self._renewals else Certificates(), found.lobby)

    def _recover(self, error: Exception) -> None:
        """Log the exception and wait for the longest retry delay. The client then starts over with only the stored
        route, as after power-on."""
        self._crashes += 1
        self._event_log.record("fault", {"detail": f"{type(error).__name__}: {error}"})
        if self._connection is not None:
            self._connection.close()
        self._state, self._reset_seen = State(connection_id=self._state.connection_id), False
        until = self._clock() + self._plan.timing.retry_cap
        while self._running and (left := until - self._clock()) > 0:
            if isinstance(self._inbox.take(left), StopRequested):
                self._running = False
                self._event_log.record("stopped", {})

    def _handle_next(self) -> None:
        """Handle the next event, then the deadlines that have passed.

        The event is handled first, so an answer that arrived in time does not count as late after a slow disk
        operation. Deadlines are checked after each event, so many messages cannot delay them.
        """
        deadline = self._state.next_deadline
        timeout = POLL_S if deadline is None else min(POLL_S, max(0.0, deadline - self._clock()))
        event = self._inbox.take(timeout)
        if event is not None:
            self._handle(event)
        deadline = self._state.next_deadline
        if deadline is not None and deadline <= self._clock():
            self._handle(Tick())

    def _poll(self) -> None:
        if self._clock() < self._poll_at:
            return
        self._poll_at = self._clock() + POLL_S
        requested = self._storage.reset_requested()
        if requested and not self._reset_seen:
            self._handle(ResetRequested())
        self._reset_seen = requested
        if dropped := self._inbox.take_dropped_count():
            self._event_log.record("messages_dropped", {"count": dropped, "reason": "the inbox is full"})

    def _handle(self, event: Event) -> None:
        self._state, actions = advance(self._state, event, plan=self._plan, now=self._clock(), uniform=self._uniform)
        for action in actions:
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case LogEvent(event, fields):
                self._event_log.record(event, fields)
            case ShowCode(code):
                self._show_code(code)
            case StoreRoute() | ForgetRoute() | StoreLobby():
                self._handle(self._update_storage(action))
            case PrepareKey() | StorePending() | StoreIdentity():
                self._handle(self._update_identity(action))
            case PrepareRenewalKey() | StoreCertificate() | PromoteCertificate() | GiveUpCertificate():
                self._handle(self._update_certificates(action))
            case Exit():
                self._running, self._ending = False, action
            case _:
                self._use_connection(action)

    def _use_connection(self, action: ConnectionAction) -> None:
        if isinstance(action, Connect):
            self._check_clock()
            self._connection = self._new_connection(action)
            self._connection.open(action.endpoint)
        elif self._connection is not None:
            match action:
                case Subscribe(_, topic):
                    self._connection.subscribe(topic)
                case Publish(_, topic, payload):
                    self._connection.publish(topic, payload)
                case Disconnect():
                    self._connection.close()

    def _new_connection(self, action: Connect) -> Connection:
        if action.certificate is None or self._renewals is None:
            return self._connection_factory(action.connection_id, self.post)
        return self._renewals.connection(action.certificate, action.connection_id, self.post)

    def _update_storage(self, action: RouteAction) -> StorageUpdated | LobbyStored | StorageFailed:
        try:
            match action:
                case StoreLobby(lobby):
                    self._storage.lobby.store(lobby)
                    return LobbyStored()
                case StoreRoute(route):
                    self._storage.store(route)
                case ForgetRoute():
                    self._storage.forget()
        except OSError as error:
            return StorageFailed(str(error))
        return StorageUpdated()

    def _update_identity(self, action: IdentityAction) -> KeyReady | PendingStored | IdentityStored | IdentityNotStored:
        if self._identities is None:
            raise TypeError("got a plan with provisioning and no identities, want both")
        try:
            match action:
                case PrepareKey():
                    return self._identities.prepare()
                case StorePending(pending):
                    self._identities.store_pending(pending)
                    return PendingStored()
                case StoreIdentity(thing, certificate):
                    self._storage.lobby.forget()  # first: the lobby of an earlier identity refuses the new one
                    self._identities.store(thing, certificate)
                    return IdentityStored()
        except OSError as error:
            return IdentityNotStored(str(error))

    def _update_certificates(self, action: RenewalAction) -> RenewalEvent:
        if self._renewals is None:
            raise TypeError("got a plan that renews, want renewals with it")
        try:
            match action:
                case PrepareRenewalKey():
                    return self._renewals.prepare()
                case StoreCertificate(pem, generation):
                    return CertificatesStored(self._renewals.store(pem, generation))
                case PromoteCertificate():
                    return CertificatesStored(self._renewals.promote())
                case GiveUpCertificate():
                    return CertificatesStored(self._renewals.give_up())
        except OSError as error:
            return CertificatesNotStored(str(error), action)

    def _show_code(self, code: str | None) -> None:
        """Show the code. If the disk fails, the code is still in the log."""
        try:
            self._storage.show_code(code)
        except OSError as error:
            self._event_log.record("presence_code_not_stored", {"detail": str(error)})

    def _check_clock(self) -> None:
        """Log once that the wall clock is wrong, which explains the TLS failures that follow. The device cannot set
        its clock, so it keeps trying until the clock is set."""
        error = self._clock_error()
        if bool(error) != self._clock_implausible:
            self._clock_implausible = bool(error)
            self._event_log.record("clock_implausible" if error else "clock_plausible", {"detail": error})
