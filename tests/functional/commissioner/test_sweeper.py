"""Stuck devices are found and acted on, a bounded number of times; each run does a part, and the next continues."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from commissioner.lambdas import sweeper as module
from commissioner.lambdas.sweeper import ACTOR, LATE, WAITS, Sweeper, SweepResult, handler
from commissioner.readmission import Readmission
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.progress import read_progress
from tests import aws
from tests.aws import BUCKET, Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, THREE, TWO, A, B, LobbyWithTargets, statuses

IN_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")


@pytest.fixture
def sweeper(lobby: LobbyWithTargets) -> Sweeper:
    with lobby.calls.uncounted():
        readmission = Readmission(lobby.ledger, aws.client("iot"), aws.client("s3"), BUCKET)
        return Sweeper(lobby.ledger, aws.client("iot-data"), readmission, lobby.clock)


def sweep(sweeper: Sweeper, note: dict[str, Any] | None = None) -> dict[str, int]:
    """Make a run and return its counts that are not zero."""
    result = sweeper.sweep({} if note is None else note)
    return {name: number for name, number in vars(result).items() if number}


def test_a_claim_that_the_stream_lost_is_commissioned_after_ten_minutes(
    lobby: LobbyWithTargets, sweeper: Sweeper
) -> None:
    lobby.claim()
    lobby.clock.advance(minutes=9)
    assert sweep(sweeper) == {}
    lobby.clock.advance(minutes=1, seconds=1)
    before = lobby.device()
    assert sweep(sweeper) == {"woken": 1}
    after = lobby.device()
    assert (after.devstate, after.generation, after.needs_commissioner) == (State.CLAIMED, before.generation, True)
    assert lobby.events()[-1][0] == "wake"
    assert lobby.ledger.history(ONE)[-1].actor == ACTOR
    assert lobby.deliver(lobby.record()) == []
    assert lobby.device().devstate is State.COMMISSIONED
    assert sweep(sweeper) == {}


def test_a_row_that_is_never_processed_is_woken_three_times_and_then_reported(
    lobby: LobbyWithTargets, sweeper: Sweeper
) -> None:
    lobby.claim()
    results = []
    for _ in range(26):
        lobby.clock.advance(minutes=5)
        results.append(sweep(sweeper))
    woken = [number for number, found in enumerate(results, 1) if "woken" in found]
    assert woken == [3, 7, 15]
    assert [found for found in results[22:] if found != {"stuck": 1}] == []
    assert [event for event, _, _ in lobby.events()].count("wake") == len(WAITS)


def test_a_users_retry_restarts_the_count(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    lobby.claim()
    for _ in range(24):
        lobby.clock.advance(minutes=5)
        sweep(sweeper)
    lobby.retry()
    assert sweep(sweeper) == {}
    lobby.clock.advance(minutes=11)
    assert sweep(sweeper) == {"woken": 1}


@pytest.mark.parametrize("change", ["release", "move", "revoke"])
def test_a_target_that_was_left_and_not_cleared_is_cleared(
    lobby: LobbyWithTargets, sweeper: Sweeper, change: str
) -> None:
    lobby.place()
    getattr(lobby, change)()
    lobby.clock.advance(minutes=11)
    assert sweep(sweeper) == {"woken": 1}
    assert lobby.deliver(lobby.record()) == []
    assert statuses()[1] == "INACTIVE"
    assert lobby.device().targets_to_clear == ()
    assert not lobby.device().needs_commissioner


def test_a_row_that_was_processed_meanwhile_is_not_woken(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    record = lobby.claim()
    lobby.clock.advance(minutes=11)
    lobby.calls.meanwhile["Query"] = lambda: None
    lobby.calls.meanwhile["GetItem"] = lambda: lobby.deliver(record)
    assert sweep(sweeper) == {}
    assert lobby.device().devstate is State.COMMISSIONED
    with pytest.raises(Conflict, match="does not need the commissioner"):
        lobby.ledger.wake(ONE, ACTOR)


def test_an_unknown_device_cannot_be_woken(lobby: LobbyWithTargets) -> None:
    with pytest.raises(LobbyError, match="UNKNOWN_DEVICE"):
        lobby.ledger.wake(THREE[::-1], ACTOR)  # type: ignore[arg-type]


def test_a_device_that_does_not_arrive_is_reported_and_gets_its_route_again(
    lobby: LobbyWithTargets, sweeper: Sweeper
) -> None:
    note: dict[str, Any] = {}
    assert sweep(sweeper, note) == {}
    lobby.deliver(lobby.claim())
    aws.published().clear()
    lobby.clock.advance(seconds=LATE.total_seconds() - 1)
    assert sweep(sweeper, note) == {}
    lobby.clock.advance(seconds=2)
    assert sweep(sweeper, note) == {"late": 1, "pushed": 1}
    [(topic, payload)] = aws.published()
    assert (topic, json.loads(payload)["iotep"]) == ("lobby/sensor-1", lobby.device().iotep)
    lobby.clock.advance(days=1)
    assert sweep(sweeper, note) == {}
    assert len(aws.published()) == 1


def test_an_outdated_index_pushes_no_route_to_a_released_device(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    note: dict[str, Any] = {}
    sweep(sweeper, note)
    lobby.deliver(lobby.claim())
    lobby.clock.advance(minutes=31)
    aws.published().clear()
    lobby.calls.meanwhile["GetItem"] = lambda: lobby.ledger.release(ONE, ANN)
    assert sweep(sweeper, note) == {"late": 1}
    assert aws.published() == []


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


def test_a_run_does_a_part_and_the_next_continues(
    lobby: LobbyWithTargets, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEVICES_PER_RUN", 2)
    for number, certid in enumerate((ONE, TWO, THREE)):
        lobby.clock.advance(seconds=number)
        lobby.claim(certid)
    lobby.clock.advance(minutes=11)
    note: dict[str, Any] = {}
    assert sweep(sweeper, note) == {"woken": 2}
    assert sweep(sweeper, note) == {"woken": 1}
    assert sweep(sweeper, note) == {}
    assert [lobby.events(certid)[-1][0] for certid in (ONE, TWO, THREE)] == ["wake"] * 3


def test_a_run_without_time_left_continues_after_its_last_device(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    for number, certid in enumerate((ONE, TWO)):
        lobby.clock.advance(seconds=number)
        lobby.claim(certid)
    lobby.clock.advance(minutes=11)
    note: dict[str, Any] = {}
    up = iter([False, True, True])
    assert sweeper.sweep(note, lambda: next(up)).woken == 1
    assert [lobby.events(certid)[-1][0] for certid in (ONE, TWO)] == ["wake", "claim"]
    assert sweeper.sweep(note).woken == 1
    assert lobby.events(TWO)[-1][0] == "wake"


def test_a_ledger_without_work_costs_a_few_queries(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    lobby.place()
    lobby.calls.forget()
    sweep(sweeper)
    assert lobby.calls.count() == {"Query": 4, "ListObjectsV2": 1}


def test_the_lambda_continues_where_it_stopped_and_reports_its_counts(
    lobby: LobbyWithTargets, sweeper: Sweeper, capsys: pytest.CaptureFixture[str]
) -> None:
    handler({}, IN_TIME, sweeper)
    lobby.claim()
    lobby.clock.advance(minutes=11)
    capsys.readouterr()
    counts = handler({}, IN_TIME, sweeper)
    assert counts == SweepResult(woken=1).numbers()
    [reported] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    [metrics] = reported["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("DeviceLobby", [["service"]])
    assert {name: reported[name] for name in counts} == {name: [number] for name, number in counts.items()}
    assert reported["service"] == "sweeper"
    assert read_progress("sweeper")["since"]


def test_a_run_that_fails_saves_its_position(lobby: LobbyWithTargets, sweeper: Sweeper) -> None:
    lobby.claim()
    lobby.clock.advance(minutes=11)
    lobby.calls.fails["ListObjectsV2"] = RuntimeError("no list")
    with pytest.raises(RuntimeError, match="no list"):
        handler({}, IN_TIME, sweeper)
    assert "since" in read_progress("sweeper")
    assert lobby.events()[-1][0] == "wake"


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


def test_waits_grow() -> None:
    assert list(WAITS) == sorted(WAITS)
    assert WAITS[0] == timedelta(minutes=10)
