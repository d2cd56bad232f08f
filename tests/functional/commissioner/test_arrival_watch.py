"""Devices that do not arrive for long are marked as awaited again, so that a lost mark does not hide their arrival."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from commissioner.lambdas.marker import Marker
from commissioner.sweeping import arrival_watch
from commissioner.sweeping.arrival_watch import ArrivalWatch
from commissioner.target_gateway.session_policies import marking_policy
from commissioner.target_gateway.sessions import Sessions
from lobby.arrival_marks import marks_to
from lobby.contracts.targets import ArrivalMark
from lobby.domain.connections.late_arrivals import MARKED_AT
from lobby.domain.states import State
from lobby.ledger.clock import timestamp
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    KEY,
    ONE,
    THREE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    client_error,
    wall_clock,
)
from tests.functional.commissioner.standby_lobby import StandbyLobby

QUEUE: Final = aws.ENVIRONMENT["MARKS_QUEUE"]


class Watched:
    """A lobby and its watch. `marks` are the requests that were sent."""

    def __init__(self, lobby: LobbyWithTargets) -> None:
        self.lobby, self.clock = lobby, lobby.clock
        self.since = timestamp(self.clock())
        self.marks: list[ArrivalMark] = []
        self.watch = self.watch_with(self.marks.append)
        self.note: dict[str, Any] = {}

    def watch_with(self, mark: Callable[[ArrivalMark], object]) -> ArrivalWatch:
        targets = RecentTargets(Targets.read_only(), self.clock, EVACUATION_CACHE)
        return ArrivalWatch(self.lobby.ledger, aws.client("iot-data"), mark, targets, self.clock)

    def run(self, time_is_up: bool = False) -> int:
        return self.watch.walk(self.note, self.since, lambda: time_is_up)

    def await_for(self, age: timedelta) -> int:
        """Advance the clock and make a run."""
        self.clock.advance(seconds=age.total_seconds())
        return self.run()

    def fall_back(self, certid: Fingerprint = ONE) -> None:
        self.clock.advance(minutes=2)
        with self.lobby.calls.uncounted():
            self.lobby.ledger.hello(self.lobby.device(certid), "2.0", "service:receptionist")
        self.lobby.calls.forget()


@pytest.fixture
def watched(calls: Calls, clock: Clock) -> Watched:
    """Three devices have fallen back to the lobby."""
    watched = Watched(LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3"))
    for certid in (ONE, TWO, THREE):
        watched.lobby.place(certid)
        watched.fall_back(certid)
    return watched


def with_standby(calls: Calls, clock: Clock) -> Watched:
    lobby = StandbyLobby(calls, clock)
    lobby.place()
    return Watched(lobby)


def claim() -> str:
    return str(aws.registry(A)["things"]["sensor-1"]["claim"])


def test_a_device_whose_mark_was_dropped_is_awaited_again_in_its_target(watched: Watched) -> None:
    """The device was marked as arrived, and the target did not answer when it fell back."""
    sessions = Sessions(aws.client("sts"), wall_clock, policy=marking_policy)
    marker = Marker(RecentTargets(Targets.read_only(), watched.clock), sessions, KEY)
    sqs = aws.client("sqs")
    sqs.create_queue(QueueName=QUEUE.rpartition("/")[2])
    device = watched.lobby.device()
    assert device.devicename is not None
    send = marks_to(sqs, QUEUE)
    watched.watch = watched.watch_with(send)

    def work() -> None:
        messages = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10)["Messages"]
        assert marker.process([{"messageId": each["MessageId"], "body": each["Body"]} for each in messages]) == []

    send(ArrivalMark(A, ONE, device.devicename, 1, "default"))
    work()
    assert claim() == f"1:default:arrived:{KEY}:{ONE}"
    assert watched.await_for(MARKED_AT[0]) == 3
    work()
    assert claim() == f"1:default:awaited:{KEY}:{ONE}"


def test_a_device_is_marked_once_at_each_age(watched: Watched) -> None:
    began, ages = watched.clock(), []
    with watched.lobby.calls.uncounted():
        watched.lobby.release(TWO)
        watched.lobby.release(THREE)
    for _ in range(9 * 24):
        if watched.await_for(timedelta(hours=1)):
            ages.append(watched.clock() - began)
    assert tuple(ages) == MARKED_AT
    assert [(mark.target, mark.certid, mark.awaited) for mark in watched.marks] == [(A, ONE, True)] * len(MARKED_AT)


@pytest.mark.parametrize("age", MARKED_AT)
def test_a_device_of_less_than_the_age_is_not_marked(watched: Watched, age: timedelta) -> None:
    entered = {certid: watched.lobby.device(certid).enteredat for certid in (ONE, TWO, THREE)}
    watched.await_for(age - timedelta(seconds=1))
    before = [mark.certid for mark in watched.marks]
    assert sorted(before.count(certid) for certid in entered) == [MARKED_AT.index(age)] + [MARKED_AT.index(age) + 1] * 2


def test_a_device_that_has_arrived_meanwhile_is_not_marked(watched: Watched) -> None:
    arrive = watched.lobby.ledger.arrive
    device = watched.lobby.device()
    watched.lobby.calls.meanwhile["GetItem"] = lambda: arrive(device, "service:arrivals")
    assert watched.await_for(MARKED_AT[0]) == 2
    assert {mark.certid for mark in watched.marks} == {TWO, THREE}
    assert watched.lobby.device().devstate is State.ARRIVED


def test_devices_of_an_archived_target_are_marked(watched: Watched) -> None:
    with watched.lobby.calls.uncounted():
        TargetAdministration(watched.lobby.targets, watched.clock).archive(A, ANN)
    assert watched.await_for(MARKED_AT[0]) == 3


def test_devices_of_an_evacuated_target_are_marked_only_after_its_return(calls: Calls, clock: Clock) -> None:
    watched = with_standby(calls, clock)
    watched.fall_back()
    lobby: Any = watched.lobby
    with calls.uncounted():
        lobby.standbys.evacuate(A, ANN, "Region down")
    assert watched.await_for(MARKED_AT[0]) == 0
    with calls.uncounted():
        lobby.standbys.come_back(A, ANN)
    assert watched.await_for(MARKED_AT[1]) == 1


def test_an_evacuated_device_is_awaited_in_the_standby(calls: Calls, clock: Clock) -> None:
    watched = with_standby(calls, clock)
    lobby: Any = watched.lobby
    assert lobby.deliver(lobby.evacuate()) == []
    assert watched.await_for(MARKED_AT[0]) == 1
    (mark,) = watched.marks
    claimed = str(aws.registry(B)["things"]["sensor-1"]["claim"])
    assert (mark.target, claimed) == (B, f"{mark.generation}:default:awaited:{KEY}:{ONE}")


def test_a_device_that_visits_its_standby_is_awaited_in_its_target(calls: Calls, clock: Clock) -> None:
    watched = with_standby(calls, clock)
    with calls.uncounted():
        watched.lobby.ledger.visit(watched.lobby.device(), B, "service:arrivals", "unreachable")
    assert watched.await_for(MARKED_AT[0]) == 1
    assert [mark.target for mark in watched.marks] == [A]


def test_a_device_that_renews_is_awaited_with_its_new_certificate(watched: Watched) -> None:
    new, lobby = Fingerprint("ab" * 32), watched.lobby
    with lobby.calls.uncounted():
        lobby.ledger.due(lobby.device(), "2027-12-22T12:00:00.000Z", "service:reconciler")
        lobby.ledger.renew(lobby.device(), new, "PEM", "2049-12-31", "service:renewer")
        lobby.ledger.commission(lobby.device(), "a.example", "service:commissioner")
    watched.await_for(MARKED_AT[0])
    assert {mark.certid: mark.certificate for mark in watched.marks} == {ONE: new, TWO: None, THREE: None}
    assert all(ArrivalMark.decode(mark.encode()) == mark for mark in watched.marks)


def test_a_large_search_is_continued_by_the_next_runs(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival_watch, "DEVICES_PER_RUN", 2)
    assert watched.await_for(MARKED_AT[0]) == 2
    assert watched.await_for(timedelta(minutes=5)) == 1
    assert sorted(mark.certid for mark in watched.marks) == sorted((ONE, TWO, THREE))
    watched.lobby.calls.forget()
    assert watched.await_for(timedelta(minutes=5)) == 0
    assert watched.lobby.calls.names() == []


def test_a_run_without_time_left_leaves_the_devices_to_the_next_one(watched: Watched) -> None:
    watched.clock.advance(seconds=MARKED_AT[0].total_seconds())
    assert watched.run(time_is_up=True) == 0
    assert watched.run() == 3


def test_a_run_that_fails_is_continued_at_the_device_that_was_not_marked(watched: Watched) -> None:
    sent: list[ArrivalMark] = []

    def send(mark: ArrivalMark) -> None:
        if len(sent) == 1 and not watched.marks:
            raise ConnectionError("no answer from the queue")
        sent.append(mark)

    watched.watch = watched.watch_with(send)
    with pytest.raises(ConnectionError):
        watched.await_for(MARKED_AT[0])
    watched.marks = list(sent)
    assert watched.run() == 2
    assert sorted(mark.certid for mark in sent) == sorted((ONE, TWO, THREE))


def test_a_row_that_cannot_be_read_does_not_stop_the_search(watched: Watched) -> None:
    watched.lobby.make_unreadable(ONE)
    assert watched.await_for(MARKED_AT[0]) == 2
    assert {mark.certid for mark in watched.marks} == {TWO, THREE}


def test_a_failed_call_for_a_late_device_does_not_stop_the_other(watched: Watched) -> None:
    def refuse(_mark: ArrivalMark) -> None:
        raise client_error("ThrottlingException", "SendMessage")

    assert watched.watch_with(refuse).remind(ONE) == (True, False)
    watched.lobby.calls.fails["Publish"] = client_error("ThrottlingException", "Publish")
    assert watched.watch.remind(ONE) == (False, True)


def test_a_lobby_without_late_devices_costs_a_query_an_hour_for_each_age(watched: Watched) -> None:
    watched.clock.advance(days=30)
    with watched.lobby.calls.uncounted():
        watched.run()
    watched.lobby.calls.forget()
    for _ in range(12):
        assert watched.await_for(timedelta(minutes=5)) == 0
    assert watched.lobby.calls.names() == ["Query"] * len(MARKED_AT)
