"""Hellos and arrivals of devices whose target is evacuated, before and after their rows follow."""

from collections.abc import Callable

import pytest

from lobby.domain.changes import Chosen, Configure
from lobby.domain.device import Device
from lobby.domain.standby.standby import StandbyMode, StandbyStatus
from lobby.domain.standby.standby_changes import Return
from lobby.domain.states import State
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import aws, sns_messages
from tests.aws import Clock
from tests.functional.lobby.evacuated_device import ANN, HOME_TOPIC, STANDBY, TOPIC, Evacuated, prepared_device, sent
from tests.functional.lobby.reception import CERTID, TARGET, Reception

NEW = Fingerprint("cd" * 32)


def renew(ledger: Ledger, device: Device) -> None:
    """Renew the certificate of a device, until it is commissioned in the target with the new one."""
    ledger.record_heartbeat(device, "2.0", can_renew=True)
    ledger.due(device, "2027-12-22T12:00:00.000Z", ANN)
    due = ledger.get(CERTID)
    assert due is not None
    signed = ledger.renew(due, NEW, "PEM", "2049-12-31", "service:renewer")
    ledger.commission(signed, "a.example", "service:commissioner", STANDBY)


@pytest.fixture
def active(reception: Reception, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Evacuated:
    return prepared_device(reception, clock, StandbyMode.ACTIVE, monkeypatch)


@pytest.fixture
def inactive(reception: Reception, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Evacuated:
    return prepared_device(reception, clock, StandbyMode.INACTIVE, monkeypatch)


def test_the_target_is_read_once_and_not_again_for_some_seconds(active: Evacuated) -> None:
    assert [active.reception.hello(), active.reception.hello()] == ["routed", "routed"]
    assert active.calls.names() == ["GetItem", "GetItem", "Publish", "GetItem", "Publish"]
    assert sent()["iotep"] == "a.example"


def test_an_evacuated_device_gets_the_route_of_the_standby_before_its_row_follows(active: Evacuated) -> None:
    active.evacuate()
    generation = active.device().generation
    assert active.reception.hello() == "routed"
    assert active.calls.names() == ["GetItem", "GetItem", "Publish"]
    assert (sent()["iotep"], sent()["port"], sent()["generation"]) == ("b.example", 8443, generation + 1)
    assert active.device().target == TARGET


def test_a_warm_receptionist_knows_of_an_evacuation_after_the_documented_time(active: Evacuated) -> None:
    active.reception.hello()
    active.evacuate()
    active.reception.hello()
    assert sent()["iotep"] == "a.example"
    active.clock.advance(seconds=EVACUATION_CACHE.total_seconds())
    active.reception.hello()
    assert sent()["iotep"] == "b.example"


def test_a_device_with_an_inactive_certificate_waits_for_its_route(inactive: Evacuated) -> None:
    inactive.evacuate()
    aws.published().clear()
    assert inactive.reception.hello() == "waiting"
    assert aws.published() == []


def test_the_arrival_in_the_standby_brings_the_row_there(active: Evacuated) -> None:
    active.evacuate()
    assert active.report() == "arrived"
    device = active.device()
    assert (device.target, device.devstate) == (STANDBY, State.ARRIVED)
    assert device.standby is not None
    assert (device.standby.target, device.standby.home) == (TARGET, True)
    with active.calls.uncounted():
        last = active.ledger.history(CERTID)[-2:]
    assert [(entry.event.value, entry.target) for entry in last] == [
        ("evacuate", str(STANDBY)),
        ("arrive", str(STANDBY)),
    ]
    assert "evacuated at" in str(last[0].reason)


def test_an_arrival_that_is_reported_after_the_row_has_followed_counts(active: Evacuated) -> None:
    active.evacuate()
    at = int(active.clock().timestamp() * 1000)
    active.clock.advance(minutes=10)
    with active.calls.uncounted():
        row = active.ledger.follow(active.device(), STANDBY, "campaign:tests", "evacuation")
        active.ledger.prepared(row, TARGET, StandbyStatus.ACTIVE, "service:commissioner", why="asked to leave")
    envelope = sns_messages.report(CERTID, at, TOPIC)
    assert active.arrivals.process(envelope) == "arrived"


def commission_again(active: Evacuated) -> None:
    with active.calls.uncounted():
        changed = active.ledger.change(Chosen(CERTID), Configure({}, config={"again": 1}), ANN)
        assert changed is not None
        assert changed.devstate is State.CLAIMED
        active.ledger.commission(changed, "b.example", "service:commissioner")


def fall_back(active: Evacuated) -> None:
    with active.calls.uncounted():
        active.ledger.arrive(active.device(), "service:arrivals")
        active.clock.advance(minutes=10)
        active.ledger.hello(active.device(), "2.0", "service:receptionist")


@pytest.mark.parametrize("then", [commission_again, fall_back])
def test_a_late_report_from_before_a_later_change_in_the_standby_does_not_count(
    active: Evacuated, then: Callable[[Evacuated], None]
) -> None:
    active.evacuate()
    at = int(active.clock().timestamp() * 1000)
    active.clock.advance(minutes=10)
    with active.calls.uncounted():
        active.ledger.follow(active.device(), STANDBY, "campaign:tests", "evacuation")
    then(active)
    assert active.device().devstate is State.COMMISSIONED
    assert active.arrivals.process(sns_messages.report(CERTID, at, TOPIC)) == "nothing new"
    active.clock.advance(seconds=1)
    assert active.report() == "arrived"


def test_a_report_of_the_former_target_does_not_bring_the_device_back(active: Evacuated) -> None:
    active.evacuate()
    active.report()
    before = active.device()
    assert active.report(HOME_TOPIC) == "another target"
    assert active.device() == before


def test_a_device_that_may_have_the_route_of_an_ended_evacuation_returns(active: Evacuated) -> None:
    active.evacuate()
    active.come_back()
    before = active.device()
    assert active.report() == "another target"
    device = active.device()
    assert (device.target, device.devstate) == (TARGET, State.CLAIMED)
    assert device.standby is not None
    assert (device.standby.leaving, device.needs_commissioner) == (True, True)
    with active.calls.uncounted():
        (last,) = active.ledger.latest(CERTID, 1)
    assert (last.event.value, last.seq, last.before) == ("return", before.version + 1, State.ARRIVED)
    assert "not evacuated" in str(last.reason)


def test_a_device_that_waits_for_its_return_is_still_asked_to_leave(active: Evacuated) -> None:
    active.evacuate()
    active.report()
    active.come_back()
    with active.calls.uncounted():
        returned = active.ledger.change(
            Chosen(CERTID), Return(active.targets.get(TARGET), "Region up"), "campaign:tests"
        )
    assert returned is not None
    assert active.report() == "another target"
    assert active.device() == returned
    assert returned.standby is not None
    assert returned.standby.leaving


@pytest.mark.parametrize("is_evacuated", [True, False])
def test_a_report_of_a_certificate_that_was_replaced_changes_nothing(active: Evacuated, is_evacuated: bool) -> None:
    with active.calls.uncounted():
        renew(active.ledger, active.device())
        assert active.ledger.arrive(active.device(), "service:arrivals", NEW).current == NEW
        active.prepare(active.device(), StandbyMode.ACTIVE)
    if is_evacuated:
        active.evacuate()
    before = active.device()
    assert before.standby_route() is not None
    assert active.report() == "another target"
    assert active.device() == before


def test_a_device_whose_standby_is_out_of_step_does_not_follow_by_a_report(active: Evacuated) -> None:
    with active.calls.uncounted():
        renew(active.ledger, active.device())
    active.evacuate()
    before = active.device()
    assert active.reception.hello() == "waiting"
    assert active.report() == "another target"
    assert active.device().version == before.version


def test_a_device_with_an_inactive_certificate_cannot_have_arrived_in_the_standby(inactive: Evacuated) -> None:
    inactive.evacuate()
    before = inactive.device()
    assert inactive.report() == "another target"
    assert inactive.device() == before


def test_after_the_return_the_target_has_its_route_again(active: Evacuated) -> None:
    active.evacuate()
    active.come_back()
    active.reception.hello()
    assert sent()["iotep"] == "a.example"
