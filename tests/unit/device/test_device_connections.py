"""Connections of the state machine: retries, fallback to the lobby, stop."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, cycle, repeat

import pytest

from device.machine.advance import advance
from device.machine.backoff import Uniform
from device.machine.events import (
    Connect,
    Connected,
    ConnectionFailed,
    Disconnect,
    Disconnected,
    Exit,
    Failure,
    ForgetRoute,
    Publish,
    PublishAcknowledged,
    Start,
    StopRequested,
    StoreRoute,
    Subscribe,
    SubscriptionGranted,
)
from device.machine.plan import Plan, Timing
from device.machine.state import Location, Phase, State, Timer
from lobby.wire import HELLO_TOPIC, Reset
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, PLAN, ROUTE, THING, MachineDriver


def test_without_a_route_the_device_subscribes_at_the_lobby_before_its_hello() -> None:
    driver = MachineDriver()
    assert driver.actions(Connect) == [Connect(1, LOBBY)]
    driver.feed(Connected(1))
    assert driver.actions(Subscribe) == [Subscribe(1, f"lobby/{THING}")]
    assert not driver.actions(Publish)
    driver.feed(SubscriptionGranted(1))
    assert [publish.topic for publish in driver.actions(Publish)] == [HELLO_TOPIC]


def test_with_a_route_the_device_connects_to_the_target_first() -> None:
    driver = MachineDriver(route=ROUTE)
    assert [str(action.endpoint) for action in driver.actions(Connect)] == ["target.example:8883"]
    driver.go_online()
    assert driver.state.location is Location.TARGET


def test_after_a_crash_another_broker_is_tried_first() -> None:
    plan, hosts = replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)), list[str]()
    for crashes in range(6):
        _, actions = advance(State(), Start(ROUTE, crashes), plan=plan, now=0, uniform=lambda _, longest: longest)
        hosts += [action.endpoint.host for action in actions if isinstance(action, Connect)]
    assert hosts == [f"{name}.example" for name in ("target", "lobby-1", "target", "lobby-2", "target", "lobby-1")]
    _, actions = advance(State(), Start(None, 1), plan=plan, now=0, uniform=lambda _, longest: longest)
    assert [action.endpoint for action in actions if isinstance(action, Connect)] == [OTHER_LOBBY]


def test_the_next_hello_waits_for_the_acknowledgement_of_the_last() -> None:
    driver = MachineDriver().go_online()
    assert driver.advance_time(60 * 1.1).actions(Publish)
    driver.feed(PublishAcknowledged(1))
    assert not driver.advance_time(60).actions(Publish)
    assert driver.advance_time(10).actions(Publish)


def test_a_closed_first_connection_is_retried_soon_at_the_same_lobby() -> None:
    driver = MachineDriver(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)))
    waits = []
    for _ in range(2):
        driver.fail(Failure.REFUSED)
        waits.append(driver.next_wait)
        driver.advance_time(driver.next_wait)
        assert driver.actions(Connect)[0].endpoint == LOBBY
    assert waits == [1.5, 3.0]


def test_a_refused_device_tries_every_lobby_with_growing_waits() -> None:
    driver = MachineDriver(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)))
    start, attempts = driver.now, []
    for _ in range(40):
        driver.fail(Failure.REFUSED).advance_time(driver.next_wait)
        attempts.append(driver.actions(Connect)[0].endpoint)
    assert {LOBBY, OTHER_LOBBY} == set(attempts)
    assert driver.now - start > 30 * 59


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.TIMEOUT, Failure.UNTRUSTED, Failure.LOCAL])
def test_after_an_unavailable_lobby_the_next_is_tried_immediately(failure: Failure) -> None:
    driver = MachineDriver(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY))).fail(failure).advance_time(0)
    assert [action.endpoint for action in driver.actions(Connect)] == [OTHER_LOBBY]
    assert driver.fail(failure).next_wait == 1.5


@pytest.mark.parametrize(
    "events", [[], [Connected(1)], [Connected(1), SubscriptionGranted(1)]], ids=["connect", "suback", "puback"]
)
def test_a_broker_that_does_not_answer_in_time_is_disconnected(events: list[Connected | SubscriptionGranted]) -> None:
    driver = MachineDriver()
    for event in events:
        driver.feed(event)
    driver.advance_time(10)
    assert driver.actions(Disconnect) == [Disconnect(1)]
    assert driver.state.phase is Phase.BACKING_OFF


def test_an_unreachable_target_makes_the_device_fall_back_and_keep_its_route() -> None:
    driver = MachineDriver(route=ROUTE)
    driver.fail().advance_time(driver.next_wait).fail().advance_time(driver.next_wait).fail()
    assert "fallback_to_lobby" in driver.logged
    assert not driver.actions(ForgetRoute)
    assert driver.advance_time(driver.next_wait).actions(Connect)[0].endpoint == LOBBY
    assert driver.state.route == ROUTE


def time_until_fallback(failures: Iterable[Failure], uniform: Uniform = lambda _shortest, longest: longest) -> float:
    """Return the seconds from the first failure at the target to the fallback, with the waits of the reference."""
    driver = MachineDriver(replace(PLAN, timing=Timing()), route=ROUTE, uniform=uniform)
    since = driver.now
    for failure in failures:
        if "fallback_to_lobby" in driver.fail(failure).logged:
            break
        driver.advance_time(driver.next_wait)
    return driver.now - since


@pytest.mark.parametrize("uniform", [min, max], ids=["shortest waits", "longest waits"])
@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.TIMEOUT, Failure.UNTRUSTED])
def test_a_target_that_does_not_answer_makes_the_device_fall_back_after_two_minutes(
    failure: Failure, uniform: Uniform
) -> None:
    assert 120 <= time_until_fallback(repeat(failure), uniform) < 120 + 60


@pytest.mark.parametrize("uniform", [min, max], ids=["shortest waits", "longest waits"])
def test_a_target_that_refuses_the_device_makes_it_fall_back_after_ten_minutes(uniform: Uniform) -> None:
    """On AWS a changed policy takes effect within eight minutes."""
    assert 600 <= time_until_fallback(repeat(Failure.REFUSED), uniform) < 600 + 60


def test_a_refusal_shows_that_the_target_answers() -> None:
    mixed = cycle([Failure.UNREACHABLE, Failure.TIMEOUT, Failure.REFUSED])
    assert 600 <= time_until_fallback(mixed) < 600 + 60
    assert 120 <= time_until_fallback(chain([Failure.REFUSED], repeat(Failure.UNREACHABLE))) < 120 + 62


def test_a_connection_that_is_never_stable_counts_as_a_failure() -> None:
    driver = MachineDriver(route=ROUTE)
    for _ in range(3):
        driver.go_online().fail(Failure.REFUSED).advance_time(driver.next_wait)
    assert driver.state.location is Location.LOBBY


def test_a_stable_connection_resets_the_failure_count() -> None:
    driver = MachineDriver(route=ROUTE)
    for _ in range(6):
        driver.go_online().advance_time(31).fail(Failure.REFUSED).advance_time(driver.next_wait)
    assert driver.state.location is Location.TARGET
    assert driver.state.failures == 1


def test_after_a_fallback_the_same_route_is_retried_with_growing_waits() -> None:
    driver, waits = MachineDriver(route=ROUTE), []
    for _ in range(4):
        driver.fall_back().receive(ROUTE.encode())
        assert driver.logged[-1] == "route_repeated"
        waits.append(driver.state.deadlines[Timer.REVISIT] - driver.now)
        while driver.state.phase is not Phase.DISCONNECTING:
            driver.advance_time(driver.next_wait).feed(PublishAcknowledged(driver.state.connection_id))
        driver.reconnect()
        assert str(driver.state.endpoint) == "target.example:8883"
    assert waits == sorted(waits)
    assert waits[-1] > 7 * waits[0]


def test_after_a_fallback_a_new_route_is_followed_immediately() -> None:
    driver = MachineDriver(route=ROUTE).fall_back().receive(replace(ROUTE, generation=5).encode())
    assert driver.actions(StoreRoute)
    assert str(driver.reconnect().state.endpoint) == "target.example:8883"


def test_with_lobby_and_target_unreachable_the_device_tries_both_in_turn() -> None:
    driver, attempts = MachineDriver(route=ROUTE), set[tuple[bool, str]]()
    for _ in range(60):
        driver.fail().advance_time(driver.next_wait)
        attempts.update((driver.now > 2000, action.endpoint.host) for action in driver.actions(Connect))
    assert {(True, "lobby-1.example"), (True, "target.example")} <= attempts


def test_a_device_sent_back_and_forth_waits_longer_each_time() -> None:
    driver, start = MachineDriver().go_online(), 1000.0
    for _ in range(12):
        for message in (ROUTE, Reset()):
            driver.receive(message.encode()).reconnect().finish_backoff().go_online()
    assert driver.now - start > 600


def test_events_of_an_earlier_connection_change_nothing() -> None:
    driver = MachineDriver().fail().advance_time(1)
    before = driver.state
    for event in (
        Connected(1),
        SubscriptionGranted(1),
        PublishAcknowledged(1),
        ConnectionFailed(1, Failure.REFUSED),
        Disconnected(1),
    ):
        assert driver.feed(event).last_actions == ()
    assert driver.state == before


@pytest.mark.parametrize("phase", ["connecting", "backing off", "online"])
def test_a_stop_disconnects_and_exits(phase: str) -> None:
    driver = MachineDriver()
    if phase == "backing off":
        assert driver.fail().feed(StopRequested()).actions(Exit)
        return
    if phase == "online":
        driver.go_online()
    assert driver.feed(StopRequested()).actions(Disconnect)
    assert driver.feed(StopRequested()).state.phase is Phase.DISCONNECTING
    assert driver.feed(Disconnected(1)).actions(Exit)
    assert driver.receive(ROUTE.encode()).last_actions == ()


def test_a_stop_exits_when_the_disconnect_is_never_completed() -> None:
    assert MachineDriver().go_online().feed(StopRequested()).advance_time(10).actions(Exit)


def test_exit_on_arrival_exits_in_the_target_and_not_in_the_lobby() -> None:
    driver = MachineDriver(Plan(THING, (LOBBY,), exit_on_arrival=True)).go_online()
    assert driver.state.phase is Phase.ONLINE
    driver.receive(ROUTE.encode()).reconnect().go_online()
    assert driver.feed(Disconnected(driver.state.connection_id)).actions(Exit)


def test_a_hello_contains_the_client_version() -> None:
    driver = MachineDriver().feed(Connected(1)).feed(SubscriptionGranted(1))
    assert set(json.loads(driver.actions(Publish)[0].payload)) == {"version"}
