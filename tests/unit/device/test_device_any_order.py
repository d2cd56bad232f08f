"""Whatever happens in whatever order, a device is never stuck."""

from hypothesis import given, settings
from hypothesis import strategies as st

from device.machine.advance import advance
from device.machine.events import (
    Acked,
    Begin,
    Closed,
    Event,
    Exit,
    Failed,
    Granted,
    Heard,
    NotSaved,
    Open,
    Opened,
    ResetAsked,
    Saved,
    Show,
    StopAsked,
    Tick,
    Trouble,
)
from device.machine.plan import Plan, Timing
from device.machine.state import Phase, State, Timer
from lobby.wire import PresenceChallenge, Reset, Route
from tests.unit.device.walk import LOBBY, OTHER_LOBBY, ROUTE, THING

PLAN = Plan(THING, (LOBBY, OTHER_LOBBY), Timing(fallback_attempts=3), show_codes=True)
_AWAITED = {
    Phase.RESTING: {Timer.RETRY},
    Phase.CONNECTING: {Timer.ANSWER},
    Phase.SUBSCRIBING: {Timer.ANSWER},
    Phase.SERVING: {Timer.ANSWER, Timer.BEAT},
    Phase.LEAVING: {Timer.ANSWER},
    Phase.ENDED: set(),
}
_ROUTES = st.builds(
    Route,
    iotep=st.sampled_from(["a.example", "b.example"]),
    config=st.just("x"),
    port=st.sampled_from([None, 1, 8883]),
    generation=st.none() | st.integers(0, 3),
)
_QUESTIONS = st.builds(PresenceChallenge, st.sampled_from(["00000000", "48291375"]), st.none() | st.integers(0, 3))
_PAYLOADS = st.one_of(
    _ROUTES.map(Route.encode),
    _QUESTIONS.map(PresenceChallenge.encode),
    st.just(Reset().encode()),
    st.binary(max_size=40),
)
_AGES = st.integers(0, 1)
"""0: of the present link. 1: of the one before."""
_ANY = st.one_of(
    st.tuples(st.sampled_from([Opened, Granted, Acked, Closed]), _AGES),
    st.tuples(st.just(Failed), _AGES, st.sampled_from(Trouble)),
    st.tuples(st.just(Heard), _AGES, st.sampled_from([f"lobby/{THING}", "other"]), _PAYLOADS),
    st.tuples(st.sampled_from([Saved, ResetAsked])),
    st.just((NotSaved, "disk full")),
    st.tuples(st.just(Tick), st.floats(0, 1000)),
)


def _event(drawn: tuple[object, ...], link: int) -> Event:
    kind, *rest = drawn
    if kind is Tick:
        return Tick()
    if rest and isinstance(rest[0], int):
        rest[0] = link - rest[0]
    made: Event = kind(*rest)  # type: ignore[operator] # the strategy pairs each class with its arguments
    return made


def _check(state: State) -> None:
    awaited = _AWAITED[state.phase]
    assert not awaited or awaited & set(state.deadlines), f"{state.phase} waits for nothing: {state}"


@settings(max_examples=400, deadline=None)
@given(st.none() | st.just(ROUTE), st.lists(_ANY, max_size=40), st.randoms(use_true_random=False))
def test_no_order_of_events_leaves_it_waiting_for_nothing(route, drawn, random) -> None:  # type: ignore[no-untyped-def]
    now = 0.0
    state, _ = advance(State(), Begin(route), plan=PLAN, now=now, draw=random.uniform)
    _check(state)
    for one in drawn:
        if one[0] is Tick:
            now += one[1]
        event = _event(one, state.link)
        state, actions = advance(state, event, plan=PLAN, now=now, draw=random.uniform)
        _check(state)
        assert sum(isinstance(action, Open) for action in actions) <= 1
        shown = [action.code for action in actions if isinstance(action, Show)]
        assert not shown or shown[-1] == (state.shown.code if state.shown else None)
    dialled = 0
    for _ in range(20):
        assert state.next_deadline is not None
        now = max(now, state.next_deadline)
        state, actions = advance(state, Tick(), plan=PLAN, now=now, draw=random.uniform)
        dialled += sum(isinstance(action, Open) for action in actions)
    assert dialled, "with every answer missing it never tried again"
    state, actions = advance(state, StopAsked(), plan=PLAN, now=now, draw=random.uniform)
    if state.phase is not Phase.ENDED:
        _, actions = advance(state, Closed(state.link), plan=PLAN, now=now, draw=random.uniform)
    assert any(isinstance(action, Exit) for action in actions)
