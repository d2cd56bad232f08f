"""Devices that go to their standby by themselves, while their target and the lobby are unreachable for them."""

import json

import pytest

from lobby.contracts.targets import ArrivalMark
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.states import State
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from tests import sns_messages
from tests.aws import Clock
from tests.functional.lobby.evacuated_device import ANN, HOME_TOPIC, STANDBY, TOPIC, Evacuated, prepared_device, sent
from tests.functional.lobby.reception import CERTID, TARGET, Reception


@pytest.fixture
def active(reception: Reception, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Evacuated:
    return prepared_device(reception, clock, StandbyMode.ACTIVE, monkeypatch)


@pytest.fixture
def inactive(reception: Reception, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Evacuated:
    return prepared_device(reception, clock, StandbyMode.INACTIVE, monkeypatch)


def events(active: Evacuated, count: int) -> list[str]:
    with active.calls.uncounted():
        return [entry.event.value for entry in active.ledger.latest(CERTID, count)]


def test_a_route_has_no_standby_in_which_the_certificate_is_inactive(inactive: Evacuated) -> None:
    inactive.reception.hello()
    assert sent()["iotep"] == "a.example"
    assert "standby" not in sent()


def test_the_route_of_a_prepared_device_has_its_standby(active: Evacuated) -> None:
    active.reception.hello()
    assert sent()["standby"] == {"iotep": "b.example", "port": 8443}
    active.evacuate()
    active.clock.advance(seconds=EVACUATION_CACHE.total_seconds())
    active.reception.hello()
    assert "standby" not in sent()


def test_a_device_that_goes_to_its_standby_without_an_evacuation_is_recorded_and_not_called_back(
    active: Evacuated,
) -> None:
    before = active.device()
    assert active.report() == "another target"
    device = active.device()
    assert (device.target, device.devstate, device.generation) == (TARGET, State.COMMISSIONED, before.generation)
    assert device.standby is not None
    assert (device.standby.visited, device.needs_commissioner) == (True, False)
    with active.calls.uncounted():
        (last,) = active.ledger.latest(CERTID, 1)
    assert (last.event.value, last.actor, last.before) == ("standby", "service:arrivals", State.ARRIVED)
    assert "neither" in str(last.reason)
    (mark,) = active.marks
    assert (mark.target, mark.certid, mark.generation, mark.awaited) == (TARGET, CERTID, device.generation, True)
    assert ArrivalMark.decode(mark.encode()) == mark


def test_a_visit_whose_mark_was_not_sent_is_recorded_and_marked_with_the_next_delivery(active: Evacuated) -> None:
    active.queue_answers = False
    with pytest.raises(ConnectionError):
        active.report()
    active.queue_answers = True
    active.report()
    assert events(active, 1) == ["standby"]
    assert [mark.awaited for mark in active.marks] == [True]


def test_a_fallback_to_the_standby_of_an_evacuated_target_marks_nothing_there(active: Evacuated) -> None:
    active.evacuate()
    active.clock.advance(minutes=5)
    received = int(active.clock().timestamp() * 1000)
    assert active.reception.hello(receivedat=received) == "fell back"
    assert sent()["iotep"] == "b.example"
    assert active.marks == []


def test_a_device_that_fetches_an_announced_standby_has_not_fallen_back(active: Evacuated) -> None:
    with active.calls.uncounted():
        active.ledger.announced(active.device(), "service:commissioner")
    active.clock.advance(minutes=5)
    received = int(active.clock().timestamp() * 1000)
    assert active.reception.hello(receivedat=received) == "routed"
    assert sent()["standby"]["iotep"] == "b.example"
    assert active.reception.hello(receivedat=received) == "routed"  # delivered again
    assert (active.device().devstate, active.marks) == (State.ARRIVED, [])
    active.clock.advance(minutes=5)
    received = int(active.clock().timestamp() * 1000)
    assert active.reception.hello(receivedat=received) == "fell back"
    assert [mark.awaited for mark in active.marks] == [True]


def test_further_reports_of_the_same_visit_change_nothing(active: Evacuated) -> None:
    active.report()
    before = active.device()
    active.clock.advance(minutes=10)
    active.report()
    assert active.device() == before
    assert len(active.marks) == 1


def test_a_takeover_during_a_visit_is_no_arrival_and_no_failure(active: Evacuated) -> None:
    active.report()
    before = active.device()
    at = int(active.clock().timestamp() * 1000) + 60_000
    body = {"certid": CERTID, "devicename": "sensor-1", "session": "s1", "version": 1, "at": at}
    body["reason"] = "DUPLICATE_CLIENTID"
    envelope = json.loads((sns_messages.EVENTS / "device_connected.json").read_text())
    signed = sns_messages.signed(envelope | {"TopicArn": TOPIC, "Message": json.dumps(body)})
    assert active.arrivals.process(signed) == "another target"
    assert active.device() == before


def test_the_device_returns_with_its_next_arrival_in_the_target(active: Evacuated) -> None:
    active.report()
    active.clock.advance(minutes=10)
    assert active.report(HOME_TOPIC) == "arrived"
    device = active.device()
    assert device.devstate is State.ARRIVED
    assert device.standby is not None
    assert not device.standby.visited
    assert events(active, 1) == ["arrive"]


def test_a_report_from_before_the_last_arrival_in_the_target_changes_nothing(active: Evacuated) -> None:
    active.report()
    active.clock.advance(minutes=10)
    active.report(HOME_TOPIC)
    before = active.device()
    active.clock.advance(minutes=-9)
    assert active.report() == "another target"
    assert active.device() == before


def test_a_visiting_device_is_sent_its_own_route_by_the_lobby(active: Evacuated) -> None:
    active.report()
    active.reception.hello()
    assert (sent()["iotep"], sent()["standby"]["iotep"]) == ("a.example", "b.example")


def test_an_evacuation_turns_the_visit_into_an_arrival(active: Evacuated) -> None:
    active.report()
    active.evacuate()
    assert active.report() == "arrived"
    device = active.device()
    assert (device.target, device.devstate) == (STANDBY, State.ARRIVED)
    assert device.standby is not None
    assert (device.standby.home, device.standby.visited) == (True, False)


def test_a_visit_after_a_later_arrival_than_the_last_evacuation_is_one_of_its_own(active: Evacuated) -> None:
    active.evacuate()
    active.come_back()
    with active.calls.uncounted():
        active.clock.advance(minutes=10)
        active.ledger.hello(active.device(), "2.0", "service:receptionist")
    active.report(HOME_TOPIC)
    active.clock.advance(minutes=10)
    active.report()
    assert events(active, 1) == ["standby"]


def test_a_device_whose_certificate_is_inactive_there_cannot_visit(inactive: Evacuated) -> None:
    before = inactive.device()
    assert inactive.report() == "another target"
    assert inactive.device() == before


def test_a_moved_device_is_no_longer_visiting(active: Evacuated) -> None:
    active.report()
    with active.calls.uncounted():
        active.ledger.release(CERTID, ANN)
    assert active.device().standby is None
    assert active.report(TOPIC) == "another target"
