"""The standby of a route: used only while target and lobby are unreachable, and left as soon as one of them answers."""

import json
from dataclasses import replace

import pytest

from device.machine.events import (
    Connect,
    Connected,
    Disconnect,
    Failure,
    Publish,
    PublishAcknowledged,
    StoreRoute,
    SubscriptionGranted,
)
from device.machine.plan import Timing
from device.machine.state import Location, Phase, Timer
from lobby.names import PresenceCode
from lobby.wire import FACTORY_RESET, PresenceChallenge, RenewalRequest, Route, StandbyEndpoint
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, PLAN, ROUTE, MachineDriver

WITH_STANDBY = replace(ROUTE, standby=StandbyEndpoint("standby.example", 8883))


def endpoints(driver: MachineDriver) -> list[str]:
    return [action.endpoint.host for action in driver.actions(Connect)]


def fail_until(driver: MachineDriver, place: Location, failure: Failure = Failure.UNREACHABLE) -> list[str]:
    """Let each connection fail until the device is at this place. Return the brokers that it tried."""
    tried = list[str]()
    for _ in range(60):
        driver.fail(failure).advance_time(driver.next_wait)
        tried += endpoints(driver)
        if driver.state.location is place:
            return tried
    raise AssertionError(f"the device is at {driver.state.location}, and has tried {tried}")


@pytest.fixture
def at_standby() -> MachineDriver:
    driver = MachineDriver(route=WITH_STANDBY)
    fail_until(driver, Location.STANDBY)
    return driver.go_online()


def look(driver: MachineDriver) -> MachineDriver:
    """Wait until the device leaves its standby. The standby acknowledges its reports."""
    while driver.state.phase is not Phase.DISCONNECTING:
        driver.advance_time(driver.next_wait)
        if driver.actions(Publish):
            driver.feed(PublishAcknowledged(driver.state.connection_id))
    return driver.reconnect()


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.TIMEOUT, Failure.REFUSED])
def test_a_device_that_reaches_neither_target_nor_lobby_goes_to_its_standby(failure: Failure) -> None:
    driver = MachineDriver(route=WITH_STANDBY)
    tried = fail_until(driver, Location.STANDBY, failure)
    assert tried == ["target.example"] * 2 + ["lobby-1.example"] * 3 + ["standby.example"]
    driver.feed(Connected(driver.state.connection_id)).feed(SubscriptionGranted(driver.state.connection_id))
    assert "arrived_at_standby" in driver.logged
    assert driver.actions(Publish)[0].topic == "app/sensor-1"
    assert driver.state.route == WITH_STANDBY


def test_without_a_standby_the_device_tries_its_target_again() -> None:
    driver = MachineDriver(replace(PLAN, timing=Timing(fallback_attempts=3, revisit_base=1)), ROUTE)
    fail_until(driver, Location.LOBBY)
    assert fail_until(driver, Location.TARGET)[-1] == "target.example"


def test_a_device_that_did_not_fail_at_its_target_tries_it_before_the_standby() -> None:
    driver = MachineDriver(route=WITH_STANDBY).go_online()
    driver.receive(RenewalRequest("2027-12-22T12:00:00.000Z", 4).encode())
    assert driver.state.location is Location.TARGET  # this client does not renew
    driver.state = replace(driver.state, location=Location.LOBBY)
    assert fail_until(driver, Location.TARGET)[-1] == "target.example"


def test_a_lobby_that_answers_keeps_a_device_from_its_standby() -> None:
    driver = MachineDriver(route=WITH_STANDBY)
    fail_until(driver, Location.LOBBY)
    for _ in range(12):
        driver.go_online().advance_time(40)
        driver.fail(Failure.REFUSED).advance_time(driver.next_wait)
        assert driver.state.location is not Location.STANDBY
        if driver.state.location is Location.TARGET:
            fail_until(driver, Location.LOBBY)


def test_a_device_in_the_standby_tries_lobby_and_target_once_and_returns_immediately(at_standby: MachineDriver) -> None:
    look(at_standby)
    since = at_standby.now
    assert endpoints(at_standby) == ["lobby-1.example"]
    at_standby.fail().advance_time(0)
    assert endpoints(at_standby) == ["target.example"]
    at_standby.fail().advance_time(0)
    assert endpoints(at_standby) == ["standby.example"]
    assert at_standby.now == since


def test_the_time_in_the_standby_grows_to_its_limit(at_standby: MachineDriver) -> None:
    stays = []
    for _ in range(7):
        since = at_standby.now
        look(at_standby)
        stays.append(at_standby.now - since)
        at_standby.fail().advance_time(0).fail().advance_time(0).go_online()
    assert stays == [58.5, 120, 240, 480, 900, 900, 900]  # the first includes the wait of 1.5 s before the connection


def test_each_lobby_is_tried_before_the_target() -> None:
    driver = MachineDriver(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)), WITH_STANDBY)
    fail_until(driver, Location.STANDBY)
    look(driver.go_online())
    tried = endpoints(driver)
    for _ in range(3):
        tried += endpoints(driver.fail().advance_time(0))
    assert tried == ["lobby-1.example", "lobby-2.example", "target.example", "standby.example"]


def test_a_target_that_answers_gets_its_device_back(at_standby: MachineDriver) -> None:
    look(at_standby).fail().advance_time(0).go_online().advance_time(40)
    assert at_standby.state.location is Location.TARGET
    assert (at_standby.state.standby_visits, at_standby.state.looking) == (0, False)


def test_a_target_that_answers_and_fails_immediately_does_not_get_its_device_back(at_standby: MachineDriver) -> None:
    look(at_standby).fail().advance_time(0).go_online().advance_time(1)
    at_standby.fail().advance_time(at_standby.next_wait)
    assert endpoints(at_standby) == ["standby.example"]


def test_a_lobby_that_answers_decides(at_standby: MachineDriver) -> None:
    look(at_standby).go_online()
    at_standby.receive(WITH_STANDBY.encode())
    at_standby.reconnect()
    assert endpoints(at_standby) == ["target.example"]
    tried = fail_until(at_standby, Location.LOBBY)
    assert "standby.example" not in tried


def test_an_evacuation_that_the_lobby_knows_of_is_followed_from_the_standby(at_standby: MachineDriver) -> None:
    look(at_standby).go_online()
    at_standby.receive(Route("standby.example", "blue", 8883, 5).encode()).reconnect()
    at_standby.go_online().advance_time(40)
    assert at_standby.state.location is Location.TARGET
    assert Timer.LOOK not in at_standby.state.deadlines


def test_a_standby_that_fails_leads_to_the_target(at_standby: MachineDriver) -> None:
    assert fail_until(at_standby, Location.TARGET)[-1] == "target.example"
    assert Timer.LOOK not in at_standby.state.deadlines
    assert fail_until(at_standby, Location.STANDBY)[-1] == "standby.example"


@pytest.mark.parametrize(
    "payload",
    [
        Route("evil.example", "red", 8883, 9).encode(),
        replace(WITH_STANDBY, config="red", generation=9).encode(),
        PresenceChallenge(PresenceCode("12345678"), 4).encode(),
        RenewalRequest("2027-12-22T12:00:00.000Z", 4).encode(),
    ],
)
def test_a_standby_cannot_move_or_configure_a_device(at_standby: MachineDriver, payload: bytes) -> None:
    at_standby.receive(payload)
    assert at_standby.state.route == WITH_STANDBY
    assert not at_standby.actions(StoreRoute)
    assert at_standby.state.phase is Phase.ONLINE


def test_a_reset_in_the_standby_sends_the_device_to_the_lobby(at_standby: MachineDriver) -> None:
    at_standby.receive(json.dumps({"config": FACTORY_RESET}).encode()).reconnect()
    assert (endpoints(at_standby), at_standby.state.route) == (["lobby-1.example"], None)
    assert Timer.LOOK not in at_standby.state.deadlines


def test_another_standby_from_the_lobby_is_stored_and_not_followed() -> None:
    driver = MachineDriver(route=ROUTE).fall_back()
    driver.receive(replace(WITH_STANDBY, standby=StandbyEndpoint("standby.example")).encode())
    assert driver.actions(StoreRoute) == [StoreRoute(WITH_STANDBY)]
    assert driver.state.route == WITH_STANDBY
    assert not driver.actions(Disconnect)  # its target was unreachable just now


def test_a_standby_from_the_target_is_fetched_from_the_lobby() -> None:
    driver = MachineDriver(route=ROUTE).go_online()
    driver.receive(replace(ROUTE, standby=StandbyEndpoint("evil.example")).encode())
    assert not driver.actions(StoreRoute)
    assert endpoints(driver.reconnect()) == ["lobby-1.example"]
    driver.go_online().receive(WITH_STANDBY.encode())
    assert driver.actions(StoreRoute) == [StoreRoute(WITH_STANDBY)]
    assert endpoints(driver.reconnect()) == ["target.example"]
    driver.go_online().receive(replace(ROUTE, standby=StandbyEndpoint("other.example")).encode())
    assert driver.state.phase is Phase.ONLINE  # at most one visit in a minute


def test_a_new_route_from_the_target_keeps_the_standby_that_the_lobby_gave() -> None:
    driver = MachineDriver(route=WITH_STANDBY).go_online()
    driver.receive(replace(ROUTE, config="red", generation=5, standby=StandbyEndpoint("evil.example")).encode())
    assert driver.state.route == replace(WITH_STANDBY, config="red", generation=5)
