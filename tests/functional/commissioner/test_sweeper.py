"""What got stuck is found and seen to, so often and no oftener; each run does a part, and the next goes on."""

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
from tests.functional.commissioner.workshop import ANN, ONE, THREE, TWO, A, B, Workshop, statuses

IN_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)


@pytest.fixture
def shop(calls: Calls, clock: Clock) -> Workshop:
    return Workshop(calls, clock, "sensor-1", "sensor-2", "sensor-3")


@pytest.fixture
def sweeper(shop: Workshop) -> Sweeper:
    with shop.calls.uncounted():
        readmission = Readmission(shop.ledger, aws.client("iot"), aws.client("s3"), BUCKET)
        return Sweeper(shop.ledger, aws.client("iot-data"), readmission, shop.clock)


def swept(sweeper: Sweeper, note: dict[str, Any] | None = None) -> dict[str, int]:
    """What a run found and did, where that is not nothing."""
    found = sweeper.sweep({} if note is None else note)
    return {name: number for name, number in vars(found).items() if number}


def test_a_claim_that_the_stream_lost_is_served_after_ten_minutes(shop: Workshop, sweeper: Sweeper) -> None:
    shop.claim()
    shop.clock.advance(minutes=9)
    assert swept(sweeper) == {}
    shop.clock.advance(minutes=1, seconds=1)
    before = shop.device()
    assert swept(sweeper) == {"woken": 1}
    after = shop.device()
    assert (after.devstate, after.generation, after.needs_commissioner) == (State.CLAIMED, before.generation, True)
    assert shop.events()[-1][0] == "wake"
    assert shop.ledger.history(ONE)[-1].actor == ACTOR
    assert shop.deliver(shop.record()) == []
    assert shop.device().devstate is State.COMMISSIONED
    assert swept(sweeper) == {}


def test_one_that_is_never_served_is_woken_three_times_and_then_told(shop: Workshop, sweeper: Sweeper) -> None:
    shop.claim()
    told = []
    for _ in range(26):
        shop.clock.advance(minutes=5)
        told.append(swept(sweeper))
    woken = [number for number, found in enumerate(told, 1) if "woken" in found]
    assert woken == [3, 7, 15]
    assert [found for found in told[22:] if found != {"stuck": 1}] == []
    assert [event for event, _, _ in shop.events()].count("wake") == len(WAITS)


def test_a_person_s_retry_begins_the_count_anew(shop: Workshop, sweeper: Sweeper) -> None:
    shop.claim()
    for _ in range(24):
        shop.clock.advance(minutes=5)
        swept(sweeper)
    shop.retry()
    assert swept(sweeper) == {}
    shop.clock.advance(minutes=11)
    assert swept(sweeper) == {"woken": 1}


@pytest.mark.parametrize("left", ["release", "move", "revoke"])
def test_a_place_that_was_left_and_never_cleared_is_cleared(shop: Workshop, sweeper: Sweeper, left: str) -> None:
    shop.settle()
    getattr(shop, left)()
    shop.clock.advance(minutes=11)
    assert swept(sweeper) == {"woken": 1}
    assert shop.deliver(shop.record()) == []
    assert statuses()[1] == "INACTIVE"
    assert shop.device().targets_to_clear == ()
    assert not shop.device().needs_commissioner


def test_a_row_that_was_served_meanwhile_is_left_alone(shop: Workshop, sweeper: Sweeper) -> None:
    record = shop.claim()
    shop.clock.advance(minutes=11)
    shop.calls.meanwhile["Query"] = lambda: None
    shop.calls.meanwhile["GetItem"] = lambda: shop.deliver(record)
    assert swept(sweeper) == {}
    assert shop.device().devstate is State.COMMISSIONED
    with pytest.raises(Conflict, match="served"):
        shop.ledger.wake(ONE, ACTOR)


def test_nobody_is_woken_for_a_device_that_is_unknown(shop: Workshop) -> None:
    with pytest.raises(LobbyError, match="UNKNOWN_DEVICE"):
        shop.ledger.wake(THREE[::-1], ACTOR)  # type: ignore[arg-type]


def test_a_device_that_does_not_arrive_is_told_and_hears_its_route_once_more(shop: Workshop, sweeper: Sweeper) -> None:
    note: dict[str, Any] = {}
    assert swept(sweeper, note) == {}
    shop.deliver(shop.claim())
    aws.published().clear()
    shop.clock.advance(seconds=LATE.total_seconds() - 1)
    assert swept(sweeper, note) == {}
    shop.clock.advance(seconds=2)
    assert swept(sweeper, note) == {"late": 1, "pushed": 1}
    [(topic, payload)] = aws.published()
    assert (topic, json.loads(payload)["iotep"]) == ("lobby/sensor-1", shop.device().iotep)
    shop.clock.advance(days=1)
    assert swept(sweeper, note) == {}
    assert len(aws.published()) == 1


def test_an_index_that_lags_behind_pushes_no_route_to_who_has_arrived(shop: Workshop, sweeper: Sweeper) -> None:
    note: dict[str, Any] = {}
    swept(sweeper, note)
    shop.deliver(shop.claim())
    shop.clock.advance(minutes=31)
    aws.published().clear()
    shop.calls.meanwhile["GetItem"] = lambda: shop.ledger.release(ONE, ANN)
    assert swept(sweeper, note) == {"late": 1}
    assert aws.published() == []


def test_devices_that_became_failed_or_refused_are_told_once(shop: Workshop, sweeper: Sweeper) -> None:
    note: dict[str, Any] = {}
    swept(sweeper, note)
    with shop.calls.uncounted():
        for certid in (ONE, TWO):
            shop.ledger.fail(
                shop.ledger.claim(certid, ClaimRequest(A), ANN), "TARGET_LIMIT", "full", "service:commissioner"
            )
        shop.ledger.refuse("ef" * 32, None, "EXPIRED", "too old", "service:bouncer")  # type: ignore[arg-type]
    shop.clock.advance(minutes=5)
    assert swept(sweeper, note) == {"failed": 2, "refused": 1}
    shop.clock.advance(minutes=5)
    assert swept(sweeper, note) == {}


def test_a_run_does_a_part_and_the_next_goes_on(
    shop: Workshop, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    for number, certid in enumerate((ONE, TWO, THREE)):
        shop.clock.advance(seconds=number)
        shop.claim(certid)
    shop.clock.advance(minutes=11)
    note: dict[str, Any] = {}
    assert swept(sweeper, note) == {"woken": 2}
    assert swept(sweeper, note) == {"woken": 1}
    assert swept(sweeper, note) == {}
    assert [shop.events(certid)[-1][0] for certid in (ONE, TWO, THREE)] == ["wake"] * 3


def test_a_run_that_has_no_time_left_goes_on_behind_the_last_that_it_did(shop: Workshop, sweeper: Sweeper) -> None:
    for number, certid in enumerate((ONE, TWO)):
        shop.clock.advance(seconds=number)
        shop.claim(certid)
    shop.clock.advance(minutes=11)
    note: dict[str, Any] = {}
    up = iter([False, True, True])
    assert sweeper.sweep(note, lambda: next(up)).woken == 1
    assert [shop.events(certid)[-1][0] for certid in (ONE, TWO)] == ["wake", "claim"]
    assert sweeper.sweep(note).woken == 1
    assert shop.events(TWO)[-1][0] == "wake"


def test_a_ledger_at_rest_costs_a_few_queries_however_large_it_is(shop: Workshop, sweeper: Sweeper) -> None:
    shop.settle()
    shop.calls.forget()
    swept(sweeper)
    assert shop.calls.count() == {"Query": 4, "ListObjectsV2": 1}


def test_the_lambda_goes_on_where_it_stopped_and_reports_its_numbers(
    shop: Workshop, sweeper: Sweeper, capsys: pytest.CaptureFixture[str]
) -> None:
    handler({}, IN_TIME, sweeper)
    shop.claim()
    shop.clock.advance(minutes=11)
    capsys.readouterr()
    told = handler({}, IN_TIME, sweeper)
    assert told == SweepResult(woken=1).numbers()
    [reported] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    [metrics] = reported["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("DeviceLobby", [["service"]])
    assert {name: reported[name] for name in told} == {name: [number] for name, number in told.items()}
    assert reported["service"] == "sweeper"
    assert read_progress("sweeper")["since"]


def test_a_run_that_fails_keeps_how_far_it_came(shop: Workshop, sweeper: Sweeper) -> None:
    shop.claim()
    shop.clock.advance(minutes=11)
    shop.calls.fails["ListObjectsV2"] = RuntimeError("no list")
    with pytest.raises(RuntimeError, match="no list"):
        handler({}, IN_TIME, sweeper)
    assert "since" in read_progress("sweeper")
    assert shop.events()[-1][0] == "wake"


def test_an_orphaned_place_is_put_on_record_only_while_no_claim_answers_for_it(shop: Workshop) -> None:
    shop.settle()
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        shop.ledger.deactivate(shop.device(), A, ANN)
    shop.ledger.deactivate(shop.device(), B, ANN)
    last = shop.ledger.history(ONE)[-1]
    assert (last.event, last.target, last.before, last.after) == (
        Event.DEACTIVATE,
        str(B),
        State.ARRIVED,
        State.ARRIVED,
    )
    assert shop.device().target == A


def test_waits_grow() -> None:
    assert list(WAITS) == sorted(WAITS)
    assert WAITS[0] == timedelta(minutes=10)
