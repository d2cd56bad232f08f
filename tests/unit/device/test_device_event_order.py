"""No order of events leaves the device stuck."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.machine.advance import advance
from device.machine.events import (
    Connect,
    Connected,
    ConnectionFailed,
    Disconnected,
    Event,
    Exit,
    Failure,
    MessageReceived,
    PublishAcknowledged,
    ResetRequested,
    ShowCode,
    Start,
    StopRequested,
    StorageFailed,
    StorageUpdated,
    SubscriptionGranted,
    Tick,
)
from device.machine.plan import Plan, Timing
from device.machine.state import Phase, State, Timer
from lobby.wire import PresenceChallenge, Reset, Route
from tests.tiers import examples
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, ROUTE, THING

PLAN = Plan(THING, (LOBBY, OTHER_LOBBY), Timing(fallback_attempts=3), show_codes=True)
_AWAITED = {
    Phase.BACKING_OFF: {Timer.RETRY},
    Phase.CONNECTING: {Timer.ANSWER},
    Phase.SUBSCRIBING: {Timer.ANSWER},
    Phase.ONLINE: {Timer.ANSWER, Timer.HELLO},
    Phase.DISCONNECTING: {Timer.ANSWER},
    Phase.STOPPED: set(),
}
_ROUTES = st.builds(
    Route,
    iotep=st.sampled_from(["a.example", "b.example"]),
    config=st.just("x"),
    port=st.sampled_from([None, 1, 8883]),
    generation=st.none() | st.integers(0, 3),
)
_CHALLENGES = st.builds(PresenceChallenge, st.sampled_from(["00000000", "48291375"]), st.none() | st.integers(0, 3))
_PAYLOADS = st.one_of(
    _ROUTES.map(Route.encode),
    _CHALLENGES.map(PresenceChallenge.encode),
    st.just(Reset().encode()),
    st.binary(max_size=40),
)
_AGE = st.integers(0, 1)
"""0: of the current connection. 1: of the one before."""
_EVENTS = st.one_of(
    st.tuples(st.sampled_from([Connected, SubscriptionGranted, PublishAcknowledged, Disconnected]), _AGE),
    st.tuples(st.just(ConnectionFailed), _AGE, st.sampled_from(Failure)),
    st.tuples(st.just(MessageReceived), _AGE, st.sampled_from([f"lobby/{THING}", "other"]), _PAYLOADS),
    st.tuples(st.sampled_from([StorageUpdated, ResetRequested])),
    st.just((StorageFailed, "disk full")),
    st.tuples(st.just(Tick), st.floats(0, 1000)),
)


def _event(drawn: tuple[object, ...], connection_id: int) -> Event:
    kind, *rest = drawn
    if kind is Tick:
        return Tick()
    if rest and isinstance(rest[0], int):
        rest[0] = connection_id - rest[0]
    event: Event = kind(*rest)  # type: ignore[operator] # the strategy pairs each class with its arguments
    return event


def _assert_deadline_set(state: State) -> None:
    awaited = _AWAITED[state.phase]
    assert not awaited or awaited & set(state.deadlines), f"no deadline in phase {state.phase}: {state}"


@pytest.mark.slow
@settings(max_examples=examples(400), deadline=None)
@given(st.none() | st.just(ROUTE), st.lists(_EVENTS, max_size=40), st.randoms(use_true_random=False))
def test_no_order_of_events_leaves_the_device_without_a_deadline(route, drawn, random) -> None:  # type: ignore[no-untyped-def]
    now = 0.0
    state, _ = advance(State(), Start(route), plan=PLAN, now=now, uniform=random.uniform)
    _assert_deadline_set(state)
    for each in drawn:
        if each[0] is Tick:
            now += each[1]
        event = _event(each, state.connection_id)
        state, actions = advance(state, event, plan=PLAN, now=now, uniform=random.uniform)
        _assert_deadline_set(state)
        assert sum(isinstance(action, Connect) for action in actions) <= 1
        codes = [action.code for action in actions if isinstance(action, ShowCode)]
        assert not codes or codes[-1] == (state.shown_challenge.code if state.shown_challenge else None)
    attempts = 0
    for _ in range(20):
        assert state.next_deadline is not None
        now = max(now, state.next_deadline)
        state, actions = advance(state, Tick(), plan=PLAN, now=now, uniform=random.uniform)
        attempts += sum(isinstance(action, Connect) for action in actions)
    assert attempts, "the device never retries if every answer is missing"
    state, actions = advance(state, StopRequested(), plan=PLAN, now=now, uniform=random.uniform)
    if state.phase is not Phase.STOPPED:
        _, actions = advance(state, Disconnected(state.connection_id), plan=PLAN, now=now, uniform=random.uniform)
    assert any(isinstance(action, Exit) for action in actions)
