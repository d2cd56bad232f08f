"""Late, failed and refused devices are found and reported. Each run does a part, and the next one continues."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from commissioner.campaigns.watch import CampaignWatch
from commissioner.lambdas.sweeper import ACTOR, Sweeper, SweepResult, handler
from commissioner.sweeping.arrival_watch import ArrivalWatch
from commissioner.sweeping.lane_watch import LaneReport, LaneWatch
from commissioner.sweeping.readmission import Readmission
from commissioner.sweeping.standby_watch import StandbyWatch
from lobby.contracts.targets import ArrivalMark
from lobby.domain.connections.late_arrivals import LATE
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import ThingName
from tests import aws
from tests.aws import BUCKET, REGION, Calls, Clock
from tests.functional.commissioner.lane_environment import RecordingQueue
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, THREE, TWO, A, B, LobbyWithTargets

IN_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")


@pytest.fixture
def marks() -> list[ArrivalMark]:
    """The requests to the marker."""
    return []


@pytest.fixture
def sweeper(lobby: LobbyWithTargets, marks: list[ArrivalMark]) -> Sweeper:
    with lobby.calls.uncounted():
        readmission = Readmission(lobby.ledger, aws.client("iot"), aws.client("s3"), BUCKET, REGION)
        watch = LaneWatch(lobby.ledger, Lanes(lobby.clock), cast(Any, RecordingQueue()), "queue", ACTOR, lobby.clock)
        campaigns = CampaignWatch(Campaigns(lobby.clock), cast(Any, RecordingQueue()), "queue", lobby.clock)
        targets, queue = Targets.read_only(), cast(Any, RecordingQueue())
        standbys = Standbys(targets, Campaigns(lobby.clock), 0, lobby.clock)
        standby_watch = StandbyWatch(targets, standbys, queue, "queue", ACTOR, lobby.clock)
        recent = RecentTargets(targets, lobby.clock, EVACUATION_CACHE)
        arrivals = ArrivalWatch(lobby.ledger, aws.client("iot-data"), marks.append, recent, lobby.clock)
        return Sweeper(lobby.ledger, arrivals, readmission, watch, campaigns, standby_watch, lobby.clock)


def sweep(sweeper: Sweeper, note: dict[str, Any] | None = None) -> dict[str, int]:
    """Make a run and return its counts that are not zero."""
    result = sweeper.sweep({} if note is None else note)
    counts = {**vars(result), **vars(result.lanes), **vars(result.campaigns), **vars(result.standbys)}
    parts = ("lanes", "campaigns", "standbys")
    return {name: number for name, number in counts.items() if number and name not in parts}


def test_an_unknown_device_cannot_be_woken(lobby: LobbyWithTargets) -> None:
    with pytest.raises(LobbyError, match="UNKNOWN_DEVICE"):
        lobby.ledger.wake(THREE[::-1], ACTOR)  # type: ignore[arg-type]


def test_a_device_that_does_not_arrive_is_reported_and_awaited_and_gets_its_route_again(
    lobby: LobbyWithTargets, sweeper: Sweeper, marks: list[ArrivalMark]
) -> None:
    note: dict[str, Any] = {}
    assert sweep(sweeper, note) == {}
    lobby.deliver(lobby.claim())
    aws.published().clear()
    lobby.clock.advance(seconds=LATE.total_seconds() - 1)
    assert sweep(sweeper, note) == {}
    lobby.clock.advance(seconds=2)
    assert sweep(sweeper, note) == {"late": 1, "pushed": 1, "marked": 1}
    assert marks == [ArrivalMark(A, ONE, ThingName("sensor-1"), 1, "default", awaited=True)]
    [(topic, payload)] = aws.published()
    assert (topic, json.loads(payload)["iotep"]) == ("lobby/sensor-1", lobby.device().iotep)
    lobby.clock.advance(hours=5)
    assert sweep(sweeper, note) == {"marked": 1}
    assert len(aws.published()) == 1
    assert read_back(note) == note


def read_back(note: dict[str, Any]) -> dict[str, Any]:
    """Return the note as the next run reads it."""
    save_progress("sweeper", note)
    return read_progress("sweeper")


def test_an_outdated_index_pushes_no_route_to_a_released_device(
    lobby: LobbyWithTargets, sweeper: Sweeper, marks: list[ArrivalMark]
) -> None:
    note: dict[str, Any] = {}
    sweep(sweeper, note)
    lobby.deliver(lobby.claim())
    lobby.clock.advance(minutes=31)
    aws.published().clear()
    lobby.calls.meanwhile["GetItem"] = lambda: lobby.ledger.release(ONE, ANN)
    assert sweep(sweeper, note) == {"late": 1}
    assert (aws.published(), marks) == ([], [])


def make_late(lobby: LobbyWithTargets, sweeper: Sweeper) -> dict[str, Any]:
    """Let three devices become late, and return the sweeper's note."""
    note: dict[str, Any] = {}
    sweep(sweeper, note)
    lobby.deliver(*(lobby.claim(certid) for certid in (ONE, TWO, THREE)))
    lobby.clock.advance(seconds=LATE.total_seconds() + 1)
    return note


def test_a_late_device_whose_row_cannot_be_read_does_not_stop_the_work_for_the_others(
    lobby: LobbyWithTargets, sweeper: Sweeper, marks: list[ArrivalMark]
) -> None:
    note = make_late(lobby, sweeper)
    lobby.make_unreadable(ONE)
    assert sweep(sweeper, note) == {"late": 3, "pushed": 2, "marked": 2}
    assert {mark.certid for mark in marks} == {TWO, THREE}


def test_a_run_that_fails_leaves_the_other_late_devices_to_the_next_one(
    lobby: LobbyWithTargets, sweeper: Sweeper
) -> None:
    note = make_late(lobby, sweeper)
    lobby.calls.fails["Publish"] = RuntimeError("unexpected")
    with pytest.raises(RuntimeError, match="unexpected"):
        sweep(sweeper, note)
    del lobby.calls.fails["Publish"]
    assert sweep(sweeper, note) == {"late": 2, "pushed": 2, "marked": 2}


def test_devices_that_became_failed_or_refused_are_reported_once(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    note: dict[str, Any] = {}
    sweep(sweeper, note)
    with lobby.calls.uncounted():
        for certid in (ONE, TWO):
            lobby.ledger.fail(
                lobby.ledger.claim(certid, ClaimRequest(A), ANN), "TARGET_LIMIT", "full", "service:commissioner"
            )
        lobby.ledger.refuse("ef" * 32, None, "EXPIRED", "too old", "service:bouncer")  # type: ignore[arg-type]
    lobby.clock.advance(minutes=5)
    assert sweep(sweeper, note) == {"failed": 2, "refused": 1}
    lobby.clock.advance(minutes=5)
    assert sweep(sweeper, note) == {}


def test_a_ledger_without_work_costs_a_few_queries(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    lobby.place()
    lobby.calls.forget()
    sweep(sweeper)
    assert lobby.calls.count() == {"Query": 16, "ListObjectsV2": 1}


def test_the_lambda_continues_where_it_stopped_and_reports_its_counts(
    lobby: LobbyWithTargets, sweeper: Sweeper, capsys: pytest.CaptureFixture[str]
) -> None:
    handler({}, IN_TIME, sweeper)
    lobby.claim()
    lobby.clock.advance(minutes=11)
    capsys.readouterr()
    counts = handler({}, IN_TIME, sweeper)
    assert counts == SweepResult(lanes=LaneReport(started=1)).numbers()
    [reported] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    [metrics] = reported["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("DeviceLobby", [["service"]])
    assert {name: reported[name] for name in counts} == {name: [number] for name, number in counts.items()}
    assert reported["service"] == "sweeper"
    assert read_progress("sweeper")["since"]


def test_a_run_that_fails_saves_its_position(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    lobby.clock.advance(minutes=11)
    lobby.calls.fails["ListObjectsV2"] = RuntimeError("no list")
    with pytest.raises(RuntimeError, match="no list"):
        handler({}, IN_TIME, sweeper)
    assert "since" in read_progress("sweeper")


def test_a_deactivation_is_recorded_only_if_no_claim_covers_the_certificate(lobby: LobbyWithTargets) -> None:
    lobby.place()
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        lobby.ledger.deactivate(lobby.device(), A, ANN)
    lobby.ledger.deactivate(lobby.device(), B, ANN)
    last = lobby.ledger.history(ONE)[-1]
    assert (last.event, last.target, last.before, last.after) == (
        Event.DEACTIVATE,
        str(B),
        State.ARRIVED,
        State.ARRIVED,
    )
    assert lobby.device().target == A
