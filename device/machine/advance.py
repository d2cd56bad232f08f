"""The journey as a pure state machine: lobby, route, target, and back.

`advance` takes a state and an event and gives the next state and the actions to carry out. It opens nothing, reads
no clock and draws no number of its own, so every order of events can be tried in a test. There is no dead end:
outside of `ENDED` a connection is open, an answer is awaited, or a retry is due.
"""

from device.machine import connection, messages
from device.machine.backoff import Draw
from device.machine.events import (
    Acked,
    Action,
    Begin,
    Closed,
    Event,
    Failed,
    Granted,
    Heard,
    NotSaved,
    Opened,
    ResetAsked,
    Saved,
    StopAsked,
    Tick,
    Trouble,
)
from device.machine.plan import Plan
from device.machine.state import Phase, Place, State, Timer, Turn

# awscrt's TLS (s2n) holds back a failed verification for 10 to 30 s, by design, so it looks like silence.
_HINTS = {Phase.CONNECTING: "; a server that is not of our CA, or a clock that is wrong, looks like this too"}
_LinkEvent = Opened | Granted | Acked | Failed | Closed | Heard


def advance(state: State, event: Event, *, plan: Plan, now: float, draw: Draw) -> tuple[State, tuple[Action, ...]]:
    """What `event`, at the time `now`, makes of `state`, and what is to be done about it.

    `now` is any clock that only goes forward, in seconds; `draw` gives a random number between two.
    """
    turn = Turn(state, plan, now, draw)
    if state.phase is Phase.ENDED:
        return state, ()
    if isinstance(event, _LinkEvent):
        if event.link == state.link:
            _on_link(turn, event)
    else:
        _on_world(turn, event)
    return turn.state, tuple(turn.actions)


def _on_world(turn: Turn, event: Begin | Saved | NotSaved | ResetAsked | StopAsked | Tick) -> None:
    match event:
        case Begin(route, deaths):
            # Whoever is asked may be what it dies of, so it asks another each time: target, lobby, target, next lobby.
            at_target = route is not None and deaths % 2 == 0
            asked = deaths // 2 if route else deaths
            turn.change(
                route=route, place=Place.TARGET if at_target else Place.LOBBY, lobby=asked % len(turn.plan.lobbies)
            )
            turn.note("starting", thing=turn.plan.thing, place=turn.state.place.value)
            connection.connect(turn)
        case Saved():
            messages.kept(turn)
        case NotSaved(detail):
            messages.not_kept(turn, detail)
        case ResetAsked():
            messages.obey_command(turn)
        case StopAsked():
            turn.note("stopping")
            connection.depart(turn, None)
        case Tick():
            _on_tick(turn)


def _on_link(turn: Turn, event: _LinkEvent) -> None:
    match event, turn.state.phase:
        case Opened(), Phase.CONNECTING:
            connection.subscribe(turn)
        case Granted(), Phase.SUBSCRIBING:
            connection.arrive(turn)
        case Acked(), Phase.SERVING:
            connection.acknowledged(turn)
        case Heard(_, topic, payload), (Phase.SUBSCRIBING | Phase.SERVING | Phase.LEAVING):
            messages.hear(turn, topic, payload)
        case ((Closed() | Failed()), Phase.LEAVING):
            connection.departed(turn)
        case Failed(_, trouble, detail), (Phase.CONNECTING | Phase.SUBSCRIBING | Phase.SERVING):
            connection.fail(turn, trouble, detail)
        case _:
            pass  # news of a link that was given up meanwhile


def _on_tick(turn: Turn) -> None:
    """Everything that is due by now, oldest first."""
    due = sorted((at, timer.value, timer) for timer, at in turn.state.deadlines.items() if at <= turn.now)
    for _, _, timer in due:
        if turn.state.deadlines.get(timer, turn.now + 1) <= turn.now:
            turn.cancel(timer)
            _on_due(turn, timer)


def _on_due(turn: Turn, timer: Timer) -> None:
    match timer:
        case Timer.ANSWER:
            _overdue(turn)
        case Timer.RETRY:
            connection.connect(turn)
        case Timer.BEAT:
            connection.speak(turn)
        case Timer.SETTLED:
            connection.settle(turn)
        case Timer.REVISIT:
            messages.revisit(turn)
        case Timer.STORAGE:
            connection.keep(turn)
        case Timer.UNTOLD:
            turn.tell_rest()


def _overdue(turn: Turn) -> None:
    phase = turn.state.phase
    if phase is Phase.LEAVING:
        connection.departed(turn)
    else:
        told = f"no answer within {turn.timing.answer_within:g} s{_HINTS.get(phase, '')}"
        connection.fail(turn, Trouble.SILENT, told)
