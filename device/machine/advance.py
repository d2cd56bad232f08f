"""Entry point of the state machine.

`advance` takes a state and an event and returns the next state and the actions to carry out. It performs no I/O,
reads no clock and draws no random numbers itself, so tests can try any order of events. In every phase except
`STOPPED` a connection is open, an answer is awaited, or a retry is due; there is no dead end.
"""

from device.machine import connection, messages
from device.machine.backoff import Uniform
from device.machine.events import (
    Action,
    Connected,
    ConnectionFailed,
    Disconnected,
    Event,
    Failure,
    MessageReceived,
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
from device.machine.state import Location, Phase, State, Step, Timer

# awscrt's TLS library (s2n) delays the report of a failed verification by 10 to 30 s, so it looks like a timeout.
_TIMEOUT_HINTS = {Phase.CONNECTING: "; a server certificate of another CA or a wrong clock causes this too"}
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
    else:
        _on_local_event(step, event)
    return step.state, tuple(step.actions)


def _on_local_event(
    step: Step, event: Start | StorageUpdated | StorageFailed | ResetRequested | StopRequested | Tick
) -> None:
    match event:
        case Start():
            _on_start(step, event)
        case StorageUpdated():
            messages.on_storage_updated(step)
        case StorageFailed(detail):
            messages.on_storage_failed(step, detail)
        case ResetRequested():
            messages.on_reset_requested(step)
        case StopRequested():
            step.log("stopping")
            connection.leave(step, None)
        case Tick():
            _on_tick(step)


def _on_start(step: Step, event: Start) -> None:
    """Connect to another broker after each crash, because the broker may have caused it: target, first lobby, target,
    second lobby, and so on."""
    at_target = event.route is not None and event.crashes % 2 == 0
    attempts = event.crashes // 2 if event.route else event.crashes
    step.update(
        route=event.route,
        location=Location.TARGET if at_target else Location.LOBBY,
        lobby_index=attempts % len(step.plan.lobbies),
    )
    step.log("starting", thing=step.plan.thing, place=step.state.location.value)
    connection.connect(step)


def _on_connection_event(step: Step, event: _ConnectionEvent) -> None:
    match event, step.state.phase:
        case Connected(), Phase.CONNECTING:
            connection.subscribe(step)
        case SubscriptionGranted(), Phase.SUBSCRIBING:
            connection.go_online(step)
        case PublishAcknowledged(), Phase.ONLINE:
            connection.on_acknowledged(step)
        case MessageReceived(_, topic, payload), (Phase.SUBSCRIBING | Phase.ONLINE | Phase.DISCONNECTING):
            messages.handle_message(step, topic, payload)
        case ((Disconnected() | ConnectionFailed()), Phase.DISCONNECTING):
            connection.on_disconnected(step)
        case ConnectionFailed(_, failure, detail), (Phase.CONNECTING | Phase.SUBSCRIBING | Phase.ONLINE):
            connection.on_failure(step, failure, detail)
        case _:
            pass  # late event of an operation that was abandoned


def _on_tick(step: Step) -> None:
    """Handle all deadlines that have passed, oldest first."""
    due = sorted((at, timer.value, timer) for timer, at in step.state.deadlines.items() if at <= step.now)
    for _, _, timer in due:
        if step.state.deadlines.get(timer, step.now + 1) <= step.now:
            step.cancel(timer)
            _on_timer(step, timer)


def _on_timer(step: Step, timer: Timer) -> None:
    match timer:
        case Timer.ANSWER:
            _on_answer_overdue(step)
        case Timer.RETRY:
            connection.connect(step)
        case Timer.HELLO:
            connection.send_hello(step)
        case Timer.SETTLED:
            connection.on_settled(step)
        case Timer.REVISIT:
            messages.revisit(step)
        case Timer.STORAGE:
            connection.update_storage(step)
        case Timer.LOG_WINDOW:
            step.end_log_window()


def _on_answer_overdue(step: Step) -> None:
    phase = step.state.phase
    if phase is Phase.DISCONNECTING:
        connection.on_disconnected(step)
    else:
        detail = f"no answer within {step.timing.answer_within:g} s{_TIMEOUT_HINTS.get(phase, '')}"
        connection.on_failure(step, Failure.TIMEOUT, detail)
