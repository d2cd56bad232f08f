"""Entry point of the state machine.

`advance` takes a state and an event and returns the next state and the actions to carry out. It performs no I/O,
reads no clock and draws no random numbers itself, so tests can try any order of events. In every phase except
`STOPPED` a connection is open, an answer is awaited, or a retry is due; there is no dead end.
"""

from collections.abc import Callable, Mapping
from typing import Final

from device.machine import connection, fallback, messages, new_lobby, provisioning, renewal
from device.machine.backoff import Uniform
from device.machine.events import (
    Action,
    Connected,
    ConnectionFailed,
    Disconnected,
    Event,
    Failure,
    IdentityNotStored,
    IdentityStored,
    KeyReady,
    LobbyStored,
    MessageReceived,
    PendingStored,
    PublishAcknowledged,
    ResetRequested,
    Start,
    StopRequested,
    StorageFailed,
    StorageUpdated,
    SubscriptionGranted,
    Tick,
)
from device.machine.plan import Plan
from device.machine.renewal_events import CertificatesNotStored, CertificatesStored, RenewalKeyReady
from device.machine.state import Location, Phase, Renewing, State, Step, Timer

# awscrt's TLS library (s2n) delays the report of a failed verification by 10 to 30 s, so the failure looks like a
# timeout.
_TIMEOUT_HINTS = {Phase.CONNECTING: "; a server certificate from another CA or a wrong clock can also cause this"}
_ConnectionEvent = (
    Connected | SubscriptionGranted | PublishAcknowledged | ConnectionFailed | Disconnected | MessageReceived
)


def advance(
    state: State, event: Event, *, plan: Plan, now: float, uniform: Uniform
) -> tuple[State, tuple[Action, ...]]:
    """Handle `event` at the time `now`. Return the next state and the actions.

    `now` comes from a monotonic clock, in seconds. `uniform` returns a random number between its two arguments.
    """
    step = Step(state, plan, now, uniform)
    if state.phase is Phase.STOPPED:
        return state, ()
    if isinstance(event, _ConnectionEvent):
        if event.connection_id == state.connection_id:
            _on_connection_event(step, event)
    elif isinstance(event, KeyReady | PendingStored | IdentityStored | IdentityNotStored):
        provisioning.on_storage_event(step, event)
    elif isinstance(event, RenewalKeyReady | CertificatesStored | CertificatesNotStored):
        renewal.on_storage_event(step, event)
    else:
        _on_local_event(step, event)
    return step.state, tuple(step.actions)


def _on_local_event(
    step: Step, event: Start | StorageUpdated | LobbyStored | StorageFailed | ResetRequested | StopRequested | Tick
) -> None:
    match event:
        case Start():
            _on_start(step, event)
        case StorageUpdated():
            messages.on_storage_updated(step)
        case LobbyStored():
            new_lobby.on_lobby_stored(step)
        case StorageFailed(detail):
            messages.on_storage_failed(step, detail)
        case ResetRequested():
            messages.on_reset_requested(step)
        case StopRequested():
            step.log("stopping")
            step.update_progress(ending=None)
            connection.leave(step, None)
        case Tick():
            _on_tick(step)


def _on_start(step: Step, event: Start) -> None:
    """Connect to another broker after each crash, because the broker may have caused it: target, first lobby, target,
    second lobby, and so on. A device without a certificate only gets a certificate, and then the client ends."""
    at_target = event.route is not None and event.crashes % 2 == 0
    attempts = event.crashes // 2 if event.route else event.crashes
    location = Location.TARGET if at_target else Location.LOBBY
    if step.plan.provisioning:
        location = Location.PROVISIONING
    route = None if step.plan.provisioning else event.route
    step.update(route=route, location=location, adopted=None if step.plan.provisioning else event.adopted)
    step.update(lobby_index=attempts % len(step.lobbies))
    held = event.certificates
    step.update(certificates=held, renewing=Renewing(resume=held.has_key and held.new is None))
    step.log("starting", thing=step.plan.thing, place=step.state.location.value)
    if step.plan.provisioning:
        provisioning.start(step)
    else:
        connection.connect(step)


def _on_connection_event(step: Step, event: _ConnectionEvent) -> None:
    if step.plan.provisioning and step.state.phase is not Phase.DISCONNECTING:
        provisioning.on_connection_event(step, event)
        return
    match event, step.state.phase:
        case Connected(), Phase.CONNECTING:
            connection.subscribe(step)
        case SubscriptionGranted(), Phase.SUBSCRIBING:
            connection.go_online(step)
            renewal.on_online(step)
        case PublishAcknowledged(), Phase.ONLINE:
            connection.on_acknowledged(step)
        case MessageReceived(_, topic, payload), (Phase.SUBSCRIBING | Phase.ONLINE | Phase.DISCONNECTING):
            messages.handle_message(step, topic, payload)
        case ((Disconnected() | ConnectionFailed()), Phase.DISCONNECTING):
            connection.on_disconnected(step)
        case ConnectionFailed(_, failure, detail), (Phase.CONNECTING | Phase.SUBSCRIBING | Phase.ONLINE):
            fallback.on_failure(step, failure, detail)
        case _:
            pass  # a late event of an abandoned operation


def _on_tick(step: Step) -> None:
    """Handle all deadlines that have passed, oldest first."""
    due = sorted((at, timer.value, timer) for timer, at in step.state.deadlines.items() if at <= step.now)
    for _, _, timer in due:
        if step.state.deadlines.get(timer, step.now + 1) <= step.now:
            step.cancel(timer)
            _ON_TIMER[timer](step)


def _on_answer_overdue(step: Step) -> None:
    phase = step.state.phase
    if phase is Phase.DISCONNECTING:
        connection.on_disconnected(step)
    else:
        detail = f"no answer within {step.timing.answer_within:g} s{_TIMEOUT_HINTS.get(phase, '')}"
        on_failure = provisioning.on_failure if step.plan.provisioning else fallback.on_failure
        on_failure(step, Failure.TIMEOUT, detail)


def _on_settled(step: Step) -> None:
    connection.on_settled(step)
    new_lobby.settle(step)
    new_lobby.store(step)
    renewal.on_settled(step)


_ON_TIMER: Final[Mapping[Timer, Callable[[Step], None]]] = {
    Timer.ANSWER: _on_answer_overdue,
    Timer.RETRY: connection.connect,
    Timer.HELLO: connection.send_hello,
    Timer.SETTLED: _on_settled,
    Timer.REVISIT: messages.revisit,
    Timer.LOOK: fallback.leave_standby,
    Timer.STORAGE: connection.update_storage,
    Timer.IDENTITY: provisioning.store,
    Timer.RENEWAL: renewal.send,
    Timer.VISIT: renewal.on_visit_over,
    Timer.VISITED: lambda _: None,
    Timer.TRY_NEW: renewal.try_new,
    Timer.CERTIFICATES: renewal.store,
    Timer.LOG_WINDOW: Step.end_log_window,
}
