"""A device changes to another lobby: which messages it follows, where it connects, when it forgets the earlier one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device.lobby_store import LobbyStore
from device.machine.events import (
    Connect,
    Connected,
    ForgetRoute,
    LobbyStored,
    Publish,
    Start,
    StorageFailed,
    StorageUpdated,
    StoreLobby,
    StoreRoute,
    SubscriptionGranted,
)
from device.machine.plan import AdoptedLobby, Endpoint
from device.machine.state import Location, State
from lobby.wire import NewLobby, Route, parse_message
from tests.unit.device.failing_disk import FailingCalls
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, PLAN, ROUTE, MachineDriver

NEW = Endpoint("new.example", 8883)
MESSAGE = NewLobby("new.example", 8883).encode()
MOVING = replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY), changes_lobby=True)


def moved(plan: Any = MOVING, route: Route | None = None) -> MachineDriver:
    """A device that has got the message in its lobby, and connects to the new one."""
    driver = MachineDriver(plan, route)
    if route is not None:
        driver.fall_back()
    else:
        driver.go_online()
    driver.receive(MESSAGE)
    return driver


def endpoint_of(driver: MachineDriver) -> Endpoint:
    return driver.actions(Connect)[-1].endpoint


def test_a_hello_announces_the_change_of_lobby_in_a_lobby_only() -> None:
    assert b'"transfer": true' in _first_message(MOVING, None)
    assert b"transfer" not in _first_message(PLAN, None)
    assert b"transfer" not in _first_message(MOVING, ROUTE)


def _first_message(plan: Any, route: Route | None) -> bytes:
    driver = MachineDriver(plan, route)
    number = driver.state.connection_id
    driver.feed(Connected(number)).feed(SubscriptionGranted(number))
    return driver.actions(Publish)[0].payload


def test_the_route_is_removed_before_the_new_lobby_is_stored_and_then_the_device_goes_there() -> None:
    driver = moved(route=ROUTE)
    stored = [each for each in driver.last_actions if isinstance(each, ForgetRoute | StoreLobby)]
    assert stored == [ForgetRoute(), StoreLobby(AdoptedLobby(NEW, (LOBBY, OTHER_LOBBY)))]
    assert driver.state.route is None
    assert endpoint_of(driver.reconnect()) == NEW


def test_an_unreachable_new_lobby_leads_to_the_earlier_ones_which_send_it_there_again() -> None:
    driver = moved().reconnect()
    driver.fail().finish_backoff()
    assert endpoint_of(driver) == LOBBY
    driver.go_online().receive(MESSAGE)
    assert "lobby_repeated" in driver.logged
    assert not driver.actions(StoreLobby) or driver.state.adopted == AdoptedLobby(NEW, (LOBBY, OTHER_LOBBY))
    driver.reconnect().finish_backoff()
    assert driver.state.endpoint == NEW


def test_a_stable_connection_to_the_new_lobby_ends_the_earlier_ones() -> None:
    driver = moved().feed(LobbyStored()).reconnect().go_online()
    driver.advance_time(driver.plan.timing.settle_after)
    assert driver.actions(StoreLobby) == [StoreLobby(AdoptedLobby(NEW))]
    driver.feed(LobbyStored()).fail()
    for _ in range(5):
        driver.finish_backoff().fail()
        assert driver.state.endpoint == NEW


def test_a_route_of_the_new_lobby_ends_the_earlier_ones_too() -> None:
    driver = moved().feed(LobbyStored()).reconnect().go_online()
    driver.receive(Route("target-b.example", "blue", 8883, 1).encode())
    assert driver.actions(StoreLobby) == [StoreLobby(AdoptedLobby(NEW))]
    assert driver.state.route == Route("target-b.example", "blue", 8883, 1)
    driver.reconnect()
    assert driver.state.location is Location.TARGET
    driver.fall_back()
    assert driver.state.endpoint == NEW


@pytest.mark.parametrize("settled", [True, False])
def test_a_stored_lobby_is_used_from_the_start(settled: bool) -> None:
    driver = MachineDriver(MOVING)
    driver.state = State()
    driver.feed(Start(adopted=AdoptedLobby(NEW, () if settled else (LOBBY,))))
    assert endpoint_of(driver) == NEW
    driver.fail().finish_backoff()
    assert driver.state.endpoint == (NEW if settled else LOBBY)


def test_a_third_lobby_keeps_the_second_until_it_works() -> None:
    driver = moved().feed(LobbyStored()).reconnect().go_online()
    driver.advance_time(driver.plan.timing.settle_after)
    driver.receive(NewLobby("third.example", 8883).encode())
    assert driver.state.adopted == AdoptedLobby(Endpoint("third.example"), (NEW,))
    back = driver.reconnect().go_online().receive(NewLobby(NEW.host, NEW.port).encode())
    assert back.state.adopted == AdoptedLobby(NEW, (Endpoint("third.example"),))


@pytest.mark.parametrize(
    ("driver", "payload"),
    [
        pytest.param(MachineDriver(MOVING, ROUTE).go_online(), MESSAGE, id="from a target"),
        pytest.param(MachineDriver(PLAN).go_online(), MESSAGE, id="to a client that does not change its lobby"),
        pytest.param(MachineDriver(MOVING).go_online(), NewLobby(LOBBY.host, LOBBY.port).encode(), id="the same"),
        *(
            pytest.param(MachineDriver(MOVING).go_online(), payload, id=payload.decode())
            for payload in (
                b'{"lobby": null}',
                b'{"lobby": "new.example"}',
                b'{"lobby": {}}',
                b'{"lobby": {"iotep": "a/b"}}',
                b'{"lobby": {"iotep": "new.example", "port": 0}}',
                b'{"lobby": {"iotep": "new.example", "port": true}}',
            )
        ),
    ],
)
def test_any_other_message_is_ignored(driver: MachineDriver, payload: bytes) -> None:
    before = driver.state_without_log
    assert driver.receive(payload).state_without_log == before
    assert "message_ignored" in driver.logged


def test_a_route_with_a_lobby_is_a_route() -> None:
    message = parse_message(b'{"iotep": "t.example", "lobby": {"iotep": "new.example"}}')
    assert message == Route("t.example")


def test_a_lobby_without_a_port_has_that_of_the_connection() -> None:
    driver = MachineDriver(replace(MOVING, lobbies=(Endpoint("a.example", 443),))).go_online()
    driver.receive(NewLobby("new.example").encode())
    assert driver.state.adopted is not None
    assert driver.state.adopted.endpoint == Endpoint("new.example", 443)


def test_a_disk_that_fails_is_tried_again_until_the_lobby_is_stored() -> None:
    driver = moved()
    driver.feed(StorageUpdated()).feed(StorageFailed("full"))
    driver.reconnect().go_online().receive(ROUTE.encode())
    assert [type(each) for each in driver.last_actions if isinstance(each, StoreLobby | StoreRoute)] == [
        StoreLobby,
        StoreRoute,
    ]
    driver.feed(StorageFailed("full")).feed(StorageUpdated())
    driver.advance_time(driver.plan.timing.store_every)
    assert driver.actions(StoreLobby) == [StoreLobby(AdoptedLobby(NEW))]
    driver.feed(LobbyStored()).feed(StorageUpdated())
    driver.advance_time(driver.plan.timing.store_every)
    assert not driver.actions(StoreLobby)


def test_lobbies_that_alternate_cannot_make_the_device_reconnect_quickly() -> None:
    driver, waits = MachineDriver(MOVING).go_online(), []
    for number in range(8):
        driver.receive(NewLobby(f"l{number % 2}.example", 8883).encode()).reconnect()
        waits.append(driver.next_wait if driver.state.phase.value == "backing off" else 0.0)
        driver.finish_backoff().go_online()
    assert waits[2:] == sorted(waits[2:])
    assert waits[-1] > 10


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"x", b'{"format": 1, "sha256": "0", "lobby": {}}'],
)
def test_a_damaged_file_counts_as_none_and_is_set_aside(tmp_path: Path, content: bytes) -> None:
    store = LobbyStore(tmp_path)
    assert store.load().lobby is None
    store.file.write_bytes(content)
    found = store.load()
    assert (found.lobby, "set aside" in found.error) == (None, True)
    assert store.load().error == ""
    for lobby in (AdoptedLobby(NEW, (LOBBY,)), AdoptedLobby(NEW)):
        store.store(lobby)
        assert store.load().lobby == lobby


@pytest.mark.parametrize("call", ["open", "read"])
def test_a_file_that_cannot_be_read_now_is_kept(tmp_path: Path, call: str) -> None:
    LobbyStore(tmp_path).store(AdoptedLobby(NEW))
    found = LobbyStore(tmp_path, FailingCalls([call], "EIO").calls).load()
    assert (found.lobby, "Input/output error" in found.error) == (None, True)
    assert LobbyStore(tmp_path).load().lobby == AdoptedLobby(NEW)
