"""Routes and resets in the state machine: which messages are followed, stored or ignored."""

from dataclasses import replace

import pytest

from device.machine.events import (
    Connect,
    Connected,
    Disconnect,
    Disconnected,
    ForgetRoute,
    ResetRequested,
    StorageFailed,
    StorageUpdated,
    StoreRoute,
    SubscriptionGranted,
)
from device.machine.state import Location
from lobby.wire import Reset, Route
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, PLAN, ROUTE, THING, MachineDriver


def test_a_route_is_stored_before_the_device_leaves_the_lobby() -> None:
    driver = MachineDriver().go_online().receive(ROUTE.encode())
    order = [type(action) for action in driver.last_actions if isinstance(action, StoreRoute | Disconnect)]
    assert order == [StoreRoute, Disconnect]
    driver.reconnect()
    assert [str(action.endpoint) for action in driver.actions(Connect)] == ["target.example:8883"]
    assert "arrived_at_target" in [*driver.feed(Connected(2)).logged, *driver.feed(SubscriptionGranted(2)).logged]


def test_a_route_without_a_port_uses_the_current_port() -> None:
    driver = (
        MachineDriver(replace(PLAN, lobbies=(OTHER_LOBBY,))).go_online().receive(b'{"iotep":"t.example","config":"x"}')
    )
    assert driver.actions(StoreRoute) == [StoreRoute(Route("t.example", "x", 8884, None))]


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b"not json", None),
        (b"[]", None),
        (b"null", None),
        (b"42", None),
        (b"{}", None),
        (b'{"iotep": 7}', None),
        (b'{"iotep": "a b"}', None),
        (b'{"iotep": "t.example", "config": 3}', None),
        (b'{"iotep": "t.example", "config": "x", "port": 99999}', None),
        (b'{"iotep": "t.example", "config": "x", "generation": true}', None),
        (b"[" * 100_000, None),
        (b'{"a":' * 50_000, None),
        (b" " * 200_000, None),
        (b"9" * 10_000, None),
        (Reset().encode(), "lobby/another"),
        (ROUTE.encode(), f"lobby/{THING}/x"),
    ],
)
@pytest.mark.parametrize("route", [None, Route("elsewhere.example", "x", 8883, 1)], ids=["in lobby", "in target"])
def test_any_other_message_is_logged_and_ignored(payload: bytes, topic: str | None, route: Route | None) -> None:
    driver = MachineDriver(route=route).go_online()
    before = driver.state_without_log
    driver.receive(payload, topic or f"lobby/{THING}")
    assert driver.logged == ["message_ignored"]
    assert driver.state_without_log == before


def test_a_reset_in_the_target_removes_the_route_and_returns_to_the_lobby() -> None:
    driver = MachineDriver(route=ROUTE).go_online().receive(Reset().encode())
    assert driver.actions(ForgetRoute)
    assert driver.actions(Disconnect)
    assert driver.reconnect().actions(Connect)[0].endpoint == LOBBY
    assert driver.go_online().receive(replace(ROUTE, generation=1).encode()).actions(StoreRoute)


@pytest.mark.parametrize("phase", ["connecting", "backing off", "online"])
def test_a_reset_by_command_works_in_every_phase(phase: str) -> None:
    driver = MachineDriver(route=ROUTE)
    if phase == "backing off":
        driver.fail()
    elif phase == "online":
        driver.go_online()
    driver.feed(ResetRequested())
    assert driver.actions(ForgetRoute)
    if phase != "backing off":
        driver.feed(Disconnected(driver.state.connection_id))
    driver.advance_time(0)
    assert driver.state.endpoint == LOBBY


def test_a_reset_in_the_lobby_removes_the_route_and_stays_connected() -> None:
    driver = MachineDriver(route=ROUTE).fall_back().receive(Reset().encode())
    assert driver.actions(ForgetRoute)
    assert not driver.actions(Disconnect)


def test_an_older_route_from_a_target_is_always_ignored() -> None:
    driver = MachineDriver(route=ROUTE).go_online()
    for _ in range(3):
        driver.receive(Route("old.example", "x", 8883, 3).encode())
        assert driver.logged == ["route_received", "message_ignored"]


def test_an_older_route_is_followed_when_the_lobby_repeats_it() -> None:
    older = Route("old.example", "x", 8883, 3)
    driver = MachineDriver(route=ROUTE).fall_back().receive(older.encode())
    assert driver.logged == ["route_received", "message_ignored"]
    assert driver.receive(older.encode()).actions(StoreRoute) == [StoreRoute(older)]


@pytest.mark.parametrize(
    "route",
    [
        Route("next.example", "blue", None, 5),
        Route("target.example", "blue", 8884, 5),
        Route("target.example.next.example", "blue", None, 5),
        Route("lobby-1.example", "blue", None, 5),
        Route("target.example", "red", None, None),
    ],
    ids=["another host", "another port", "a longer name", "the lobby", "no generation"],
)
def test_a_target_cannot_send_the_device_to_another_endpoint(route: Route) -> None:
    driver = MachineDriver(route=ROUTE).go_online()
    before = driver.state_without_log
    for _ in range(3):
        driver.receive(route.encode())
        assert driver.logged == ["route_received", "message_ignored"]
    assert driver.state_without_log == before
    assert driver.receive(Reset().encode()).reconnect().state.endpoint == LOBBY


def test_a_route_from_a_target_does_not_count_as_the_first_of_two_from_the_lobby() -> None:
    older = Route("old.example", "x", 8883, 3)
    driver = MachineDriver(route=ROUTE).go_online().receive(older.encode()).fall_back()
    assert driver.state.location is Location.LOBBY
    assert driver.receive(older.encode()).logged == ["route_received", "message_ignored"]


def test_a_new_config_is_stored_and_the_device_reconnects_to_the_target() -> None:
    driver = MachineDriver(route=ROUTE).go_online().receive(replace(ROUTE, config={"led": 1}, generation=5).encode())
    assert driver.actions(StoreRoute)
    assert driver.actions(Disconnect)
    assert driver.reconnect().actions(Connect)[0].endpoint.host == ROUTE.iotep


def test_the_current_route_changes_nothing() -> None:
    driver = MachineDriver(route=ROUTE).go_online().receive(ROUTE.encode())
    assert driver.logged == ["route_received", "message_ignored"]


def test_a_newer_route_received_while_disconnecting_is_followed() -> None:
    driver = (
        MachineDriver()
        .go_online()
        .receive(ROUTE.encode())
        .receive(replace(ROUTE, iotep="newer.example", generation=9).encode())
    )
    assert driver.reconnect().actions(Connect)[0].endpoint.host == "newer.example"


def test_a_full_disk_does_not_stop_the_device_and_the_write_is_retried() -> None:
    driver = MachineDriver().go_online().receive(ROUTE.encode()).feed(StorageFailed("disk full"))
    assert driver.logged == ["route_not_stored"]
    driver.reconnect().go_online()
    assert driver.state.location is Location.TARGET
    assert driver.advance_time(30).actions(StoreRoute) == [StoreRoute(ROUTE)]
    assert driver.feed(StorageUpdated()).logged == ["route_stored"]
    assert not driver.advance_time(60).actions(StoreRoute)
