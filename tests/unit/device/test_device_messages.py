"""Hostile messages: none crashes a device, invalid ones change nothing, and none fills log, disk or memory."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.inbox import MAX_WAITING, Inbox
from device.machine.events import (
    Disconnected,
    LogEvent,
    MessageReceived,
    PublishAcknowledged,
    StopRequested,
    StoreRoute,
)
from device.machine.plan import Endpoint
from device.machine.state import Phase
from device.storage import Storage
from lobby.wire import Reset, Route
from tests.tiers import examples
from tests.unit.device.hostile_messages import INVALID, REPEATED, UNUSUAL
from tests.unit.device.machine_driver import LOBBY, ROUTE, MachineDriver
from tests.unit.device.random_messages import NEWER, PAYLOADS, ROUTE_MESSAGE, TOPICS, check_messages
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import (
    HOUR,
    STATE_DIR,
    Broker,
    RespondingBroker,
    SimulatedConnection,
    SimulatedNetwork,
)


@pytest.mark.parametrize("location", ["lobby", "target"])
@pytest.mark.parametrize("name", [*INVALID, *REPEATED])
def test_an_invalid_message_is_logged_and_changes_nothing(name: str, location: str) -> None:
    driver = MachineDriver(route=ROUTE if location == "target" else None).go_online()
    before = driver.state_without_log
    driver.receive({**INVALID, **REPEATED}[name])
    assert driver.logged == ["message_ignored"]
    assert driver.state_without_log == before


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_route_is_stored_and_the_device_recovers_from_it(name: str) -> None:
    network = SimulatedNetwork({LOBBY: RespondingBroker(UNUSUAL[name]), Endpoint(ROUTE.iotep): Broker()})
    disk = SimulatedDisk({"device": {}})
    network.run_device(lambda: network.counts["route_stored"], disk, HOUR)
    stored = Storage(STATE_DIR, disk).load()
    assert stored.route is not None, stored.error
    network.brokers[LOBBY] = RespondingBroker(Route(ROUTE.iotep, "x", 8883, 2**64 - 1).encode())
    network.clear_log()
    network.run_device(lambda: network.counts["alive_sent"], disk, HOUR)
    assert not network.counts["fault"]
    assert Storage(STATE_DIR, disk).load().route != stored.route


class _FloodingBroker(RespondingBroker):
    """Sends all messages after the subscription and after each hello."""

    def subscribed(self, connection: SimulatedConnection) -> None:
        super().subscribed(connection)
        for message in self.messages:
            connection.push(message)


def test_the_route_after_a_flood_of_invalid_messages_is_followed() -> None:
    network = SimulatedNetwork(
        {
            LOBBY: _FloodingBroker(*INVALID.values(), ROUTE_MESSAGE),
            Endpoint(ROUTE.iotep): _FloodingBroker(*INVALID.values()),
        }
    )
    network.run_for(HOUR)
    assert network.counts["arrived_at_target"] == 1
    assert not network.counts["fault"]
    assert len(network.log) < 60 * (network.plan.timing.log_limit + 5)


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(st.none() | st.just(ROUTE), st.lists(st.tuples(TOPICS, PAYLOADS), min_size=1, max_size=12))
def test_no_message_crashes_a_device_and_only_valid_ones_move_it(
    route: Route | None, messages: list[tuple[str, bytes]]
) -> None:
    check_messages(route, messages)


def test_log_lines_about_messages_are_limited_and_the_rest_is_counted() -> None:
    driver, lines = MachineDriver().go_online(), 0
    for _ in range(5000):
        lines += len(driver.receive(b"nonsense").logged)
    assert lines == driver.plan.timing.log_limit
    suppressed = [
        entry.fields for entry in driver.advance_time(61).actions(LogEvent) if entry.event == "messages_suppressed"
    ]
    assert suppressed == [{"lines": 5000 - lines}]
    assert driver.feed(PublishAcknowledged(1)).receive(b"nonsense").logged == ["message_ignored"]


@pytest.mark.parametrize("stored", [None, ROUTE], ids=["in lobby", "fallen back"])
def test_thousands_of_resets_in_the_lobby_write_the_disk_once(stored: Route | None) -> None:
    network = SimulatedNetwork({LOBBY: RespondingBroker(*[Reset().encode()] * 1000)})
    disk = SimulatedDisk({"device": {"state": {}}})
    if stored:
        Storage(STATE_DIR, disk).store(stored)
        network.brokers[Endpoint(stored.iotep)] = RespondingBroker(Reset().encode())
    network.run_for(600, disk)
    assert network.counts["route_forgotten"] == 1
    assert network.counts["hello_sent"] >= 9


def test_thousands_of_routes_while_disconnecting_write_the_disk_twice() -> None:
    routes = [replace(ROUTE, generation=number) for number in range(1, 1001)]
    network = SimulatedNetwork(
        {LOBBY: _SlowBroker(*[route.encode() for route in routes]), Endpoint(ROUTE.iotep): Broker()}
    )
    disk = SimulatedDisk({"device": {"state": {}}})
    network.run_for(60, disk)
    assert network.counts["route_stored"] == 2
    assert Storage(STATE_DIR, disk).load().route == routes[-1]
    assert network.counts["arrived_at_target"] == 1


class _SlowBroker(RespondingBroker):
    """Completes a disconnect late and sends its messages one by one in the meantime."""

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        Broker.published(self, connection, topic)
        for number, message in enumerate(self.messages):
            connection.push(message, after=0.001 * number)

    def closed(self, connection: SimulatedConnection) -> None:
        connection.network.schedule(3, lambda: Broker.closed(self, connection))


def test_a_route_not_yet_stored_is_stored_when_the_device_stops() -> None:
    driver = MachineDriver().go_online().receive(ROUTE_MESSAGE).receive(NEWER.encode())
    assert not driver.actions(StoreRoute)
    driver.feed(StopRequested()).feed(Disconnected(driver.state.connection_id))
    assert driver.state.phase is Phase.STOPPED
    assert driver.actions(StoreRoute) == [StoreRoute(NEWER)]


def test_an_older_generation_is_followed_only_when_the_lobby_repeats_it() -> None:
    older = [replace(ROUTE, generation=number) for number in (3, 2, 1, 0)]
    driver = MachineDriver(route=ROUTE).go_online()
    for _ in range(3):
        for route in older:
            assert not driver.receive(route.encode()).actions(StoreRoute)
    driver.fall_back()
    for route in older:
        assert not driver.receive(route.encode()).actions(StoreRoute)
    assert driver.receive(older[-1].encode()).actions(StoreRoute)


def test_only_messages_above_the_inbox_limit_are_dropped_and_counted() -> None:
    inbox = Inbox()
    for number in range(MAX_WAITING + 1000):
        inbox.put(MessageReceived(1, "lobby/x", bytes(number)))
    for _ in range(200):
        inbox.put(PublishAcknowledged(1))
    assert inbox.take_dropped_count() == 1000
    assert inbox.take_dropped_count() == 0
    taken = [inbox.take(0) for _ in range(MAX_WAITING + 200)]
    assert taken.count(PublishAcknowledged(1)) == 200
    assert inbox.take(0) is None
