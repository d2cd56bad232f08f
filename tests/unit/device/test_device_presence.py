"""Presence codes: announced in the hello, shown once, and removed when no longer valid."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from device.disk import Disk
from device.machine.events import Disconnect, LogEvent, Publish, ShowCode, StoreRoute
from device.machine.plan import Endpoint, Plan
from device.machine.state import State
from device.storage import Storage
from lobby.names import PresenceCode
from lobby.wire import PresenceChallenge, Reset
from tests.unit.device.failing_disk import ERRNOS, FailingCalls
from tests.unit.device.machine_driver import LOBBY, PLAN, ROUTE, THING, MachineDriver
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import HOUR, STATE_DIR, Broker, RespondingBroker, SimulatedNetwork

CODE = PresenceCode("48291375")
CHALLENGE = PresenceChallenge(CODE, 1)
SHOWING_PLAN = replace(PLAN, show_codes=True)
INVALID_CHALLENGES = {
    "a number": b'{"presence": 48291375}',
    "true": b'{"presence": true}',
    "null": b'{"presence": null}',
    "empty": b'{"presence": ""}',
    "short": b'{"presence": "4829137"}',
    "long": b'{"presence": "482913755"}',
    "spaced": b'{"presence": "4829 1375"}',
    "full-width digits": '{"presence": "４８２９１３７５"}'.encode(),
    "letters": b'{"presence": "4829137a"}',
    "an escape": b'{"presence": "\\u001b[2J4829"}',
    "a list": b'{"presence": ["48291375"]}',
    "an object": b'{"presence": {"code": "48291375"}}',
    "a path": b'{"presence": "../../etc"}',
    "a generation of text": b'{"presence": "48291375", "generation": "1"}',
    "a negative generation": b'{"presence": "48291375", "generation": -1}',
    "120,000 digits": b'{"presence": "' + b"4" * 120_000 + b'"}',
}


def waiting_device(plan: Plan = SHOWING_PLAN) -> MachineDriver:
    return MachineDriver(plan).go_online()


def hellos(driver: MachineDriver) -> list[dict[str, object]]:
    return [json.loads(publish.payload) for publish in driver.actions(Publish)]


def second_hello(plan: Plan) -> dict[str, object]:
    driver = waiting_device(plan)
    (hello,) = hellos(driver.advance_time(60 * 1.1))
    return hello


def test_only_a_device_that_can_show_codes_announces_it_in_its_hello() -> None:
    assert second_hello(SHOWING_PLAN)["presence"] is True
    assert "presence" not in second_hello(PLAN)


def test_reports_in_the_target_do_not_announce_it() -> None:
    driver = MachineDriver(SHOWING_PLAN, route=ROUTE).go_online()
    assert ["presence" in hello for hello in hellos(driver.advance_time(60 * 1.1))] == [False]


def test_a_repeated_code_is_shown_and_logged_once() -> None:
    driver = waiting_device().receive(CHALLENGE.encode())
    assert driver.actions(ShowCode) == [ShowCode(CODE)]
    assert driver.actions(LogEvent)[-1] == LogEvent("presence_code", {"code": CODE, "generation": 1})
    assert not driver.actions(Disconnect)
    for _ in range(3):
        assert driver.receive(CHALLENGE.encode()).last_actions == ()


def test_the_code_of_another_claim_replaces_it() -> None:
    driver = (
        waiting_device().receive(CHALLENGE.encode()).receive(PresenceChallenge(PresenceCode("00000000"), 2).encode())
    )
    assert driver.actions(ShowCode) == [ShowCode("00000000")]


def test_a_route_removes_the_code_and_is_followed() -> None:
    driver = waiting_device().receive(CHALLENGE.encode()).receive(ROUTE.encode())
    assert driver.actions(ShowCode) == [ShowCode(None)]
    assert driver.actions(StoreRoute) == [StoreRoute(ROUTE)]
    assert driver.state.shown_challenge is None


def test_a_reset_removes_the_code() -> None:
    driver = waiting_device().receive(CHALLENGE.encode()).receive(Reset().encode())
    assert driver.actions(ShowCode) == [ShowCode(None)]


def test_a_lost_connection_keeps_the_code() -> None:
    driver = waiting_device().receive(CHALLENGE.encode()).fail()
    assert driver.actions(ShowCode) == []
    driver.advance_time(driver.next_wait).go_online()
    assert driver.receive(CHALLENGE.encode()).last_actions == ()


def test_a_device_without_show_codes_shows_none() -> None:
    driver = waiting_device(PLAN).receive(CHALLENGE.encode())
    assert (driver.logged, driver.actions(ShowCode)) == (["message_ignored"], [])


def test_a_code_from_a_target_is_ignored() -> None:
    driver = MachineDriver(SHOWING_PLAN, route=ROUTE).go_online().receive(CHALLENGE.encode())
    assert (driver.logged, driver.actions(ShowCode)) == (["message_ignored"], [])


def test_a_code_for_another_device_is_not_shown() -> None:
    driver = waiting_device().receive(CHALLENGE.encode(), topic=f"lobby/{THING}-2")
    assert (driver.logged, driver.actions(ShowCode)) == (["message_ignored"], [])


@pytest.mark.parametrize("name", INVALID_CHALLENGES)
def test_an_invalid_challenge_is_logged_and_shows_nothing(name: str) -> None:
    driver = waiting_device()
    before = driver.state_without_log
    driver.receive(INVALID_CHALLENGES[name])
    assert (driver.logged, driver.actions(ShowCode)) == (["message_ignored"], [])
    assert driver.state_without_log == before
    assert all(len(str(note.fields)) < 400 for note in driver.actions(LogEvent))


def test_log_lines_about_codes_are_limited() -> None:
    driver, lines = waiting_device(), 0
    for number in range(100):
        driver.receive(PresenceChallenge(PresenceCode(f"{number:08}"), number).encode())
        lines += len(driver.logged)
    assert lines == PLAN.timing.log_limit
    assert isinstance(driver.state, State)


def test_a_route_with_a_presence_field_is_a_route() -> None:
    body = json.loads(ROUTE.encode()) | {"presence": CODE}
    driver = waiting_device().receive(json.dumps(body).encode())
    assert driver.actions(StoreRoute) == [StoreRoute(ROUTE)]


def test_the_code_file_has_one_line_is_private_and_is_removed(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "state")
    storage.show_code(CODE)
    file = tmp_path / "state" / "presence-code"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{CODE}\n", 0o600)
    storage.show_code("00000000")
    assert file.read_text() == "00000000\n"
    storage.show_code(None)
    storage.show_code(None)
    assert list((tmp_path / "state").iterdir()) == []


def test_codes_do_not_change_the_stored_route() -> None:
    disk = SimulatedDisk({"device": {}})
    storage = Storage(STATE_DIR, disk)
    storage.store(ROUTE)
    storage.show_code(CODE)
    storage.show_code(None)
    assert storage.load().route == ROUTE


@pytest.mark.parametrize("error", ERRNOS)
def test_with_a_failing_disk_the_code_is_in_the_log_and_the_device_continues(error: str, tmp_path: Path) -> None:
    network = SimulatedNetwork(
        {LOBBY: RespondingBroker(CHALLENGE.encode()), Endpoint(ROUTE.iotep): Broker()}, SHOWING_PLAN
    )
    failing = FailingCalls(("open", "unlink", "mkdir"), error)
    network.run_device(lambda: network.counts["presence_code"], failing.calls, HOUR, tmp_path)
    assert [fields["code"] for _, event, fields in network.log if event == "presence_code"] == [CODE]
    assert network.counts["presence_code_not_stored"]
    assert not network.counts["fault"]


def test_after_confirmation_the_device_arrives_and_the_code_is_removed() -> None:
    network = SimulatedNetwork(
        {LOBBY: RespondingBroker(CHALLENGE.encode()), Endpoint(ROUTE.iotep): Broker()}, SHOWING_PLAN
    )
    disk = SimulatedDisk({"device": {}})

    def confirmed(event: str, _fields: object) -> None:
        if event == "presence_code":
            network.brokers[LOBBY] = RespondingBroker(ROUTE.encode())

    network.listeners.append(confirmed)
    network.run_device(lambda: network.counts["alive_sent"], disk, HOUR)
    assert not network.counts["fault"]
    with pytest.raises(FileNotFoundError):
        Disk(disk).read(STATE_DIR / "presence-code", 100)


def test_a_code_of_an_earlier_run_is_removed_at_the_start() -> None:
    disk = SimulatedDisk({"device": {}})
    Storage(STATE_DIR, disk).show_code(CODE)
    network = SimulatedNetwork({LOBBY: Broker()}, SHOWING_PLAN)
    network.run_device(lambda: network.counts["hello_sent"], disk, HOUR)
    with pytest.raises(FileNotFoundError):
        Disk(disk).read(STATE_DIR / "presence-code", 100)
