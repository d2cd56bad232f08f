"""The worker of a lane and its messages: lease, pace, order, hand-over, closed lanes, and killed predecessors."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from commissioner.lanes.messages import WorkerEnvironment
from commissioner.lanes.serving import Attempt, Result, Server
from commissioner.token_messages import DELETE, Verdict
from lobby.contracts.lane_tokens import Token
from lobby.domain.lanes.lane import Lane, lane_to
from lobby.domain.lanes.lane_state import LEASE
from lobby.domain.states import State
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.models import LaneRow
from tests import aws
from tests.aws import CutOff
from tests.functional.commissioner.lane_environment import lane_row
from tests.functional.commissioner.lane_runs import (
    LANE,
    announcement,
    claim,
    commissioned,
    new_environment,
    run,
    states,
)
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    ONE,
    THREE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    throttle_next,
)

NO_ANSWER = EndpointConnectionError(endpoint_url="https://iot.eu-west-1")


def test_a_lane_is_drained_in_order_and_its_token_is_deleted(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    claim(three, TWO, ONE)
    claim(three, THREE, target=B)
    assert run(environment) == DELETE
    assert commissioned(three) == [TWO, ONE]
    assert three.calls.count()["AssumeRole"] == 1


def test_single_claims_come_first(three: LobbyWithTargets, environment: WorkerEnvironment) -> None:
    claim(three, ONE, TWO)
    claim(three, THREE, bulk=False)
    assert run(environment) == DELETE
    assert commissioned(three)[0] == THREE


def test_devices_start_at_the_targets_rate(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO, THREE)
    began = three.clock()
    run(new_environment(three, rate=0.5))
    assert (three.clock() - began).total_seconds() >= 4


def test_an_announced_row_is_served_without_the_index(three: LobbyWithTargets, environment: WorkerEnvironment) -> None:
    claim(three, ONE, bulk=False)
    three.calls.forget()
    assert run(environment, announcement(ONE)) == DELETE
    assert states(three)[0] is State.COMMISSIONED
    assert "Query" not in three.calls.names()


def test_a_token_lives_until_the_index_shows_what_its_bucket_contained(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    now = three.clock().timestamp()
    assert run(environment, Token(LANE, now + 2.5)) == Verdict(hide=3)
    three.clock.advance(seconds=3)
    assert run(environment, Token(LANE, now + 2.5)) == DELETE


# The lease.


def test_a_lane_that_another_worker_has_is_not_processed(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    claim(three, ONE)
    assert Lanes(three.clock).acquire(LANE, "another")
    assert run(environment) == Verdict(hide=1)
    assert states(three)[0] is State.CLAIMED
    three.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert run(environment) == DELETE
    assert states(three)[0] is State.COMMISSIONED


def test_a_worker_without_a_lease_makes_no_call_into_the_target(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    """It is stalled for longer than its lease; its successor has done the work."""
    claim(three, ONE)
    other = new_environment(three)

    def stall() -> None:
        three.clock.advance(seconds=LEASE.total_seconds() + 1)
        assert run(other) == DELETE
        three.calls.forget()

    three.calls.meanwhile["CreateThing"] = stall
    assert run(environment) == Verdict(hide=1)
    assert "RegisterCertificateWithoutCA" not in three.calls.names()
    assert states(three)[0] is State.COMMISSIONED


def test_the_successor_of_a_killed_worker_sends_the_route_that_was_not_sent(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    claim(three, ONE)
    three.calls.meanwhile["Publish"] = _killed
    with pytest.raises(CutOff):
        run(environment)
    assert (states(three)[0], aws.published()) == (State.COMMISSIONED, [])
    assert run(environment) == Verdict(hide=1)
    three.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert run(new_environment(three)) == DELETE
    assert [topic for topic, _ in aws.published()] == ["lobby/sensor-1"]
    row = lane_row(LANE)
    assert row is not None
    assert "unfinished" not in row


def test_a_slow_lane_sends_all_routes_of_a_killed_worker_in_one_run(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    """At the lane's rate, the three would take longer than a run, and each successor would begin again."""
    began = timestamp(three.clock())
    claim(three, ONE, TWO, THREE)
    assert run(environment) == DELETE
    _interrupted_since(began)
    three.calls.forget()
    assert run(new_environment(three, rate=0.1)) == DELETE
    assert three.calls.names().count("Publish") == 3
    assert "unfinished" not in (lane_row(LANE) or {})


def test_the_next_successor_of_a_killed_worker_repeats_only_what_is_left(
    three: LobbyWithTargets, environment: WorkerEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = timestamp(three.clock())
    claim(three, ONE, TWO, THREE)
    assert run(environment) == DELETE
    _interrupted_since(began)
    three.clock.advance(minutes=1)
    serve = Server.serve

    def fails(server: Server, attempt: Attempt, lane: Lane) -> Result:
        return Result.FAILED if attempt.certid == THREE else serve(server, attempt, lane)

    monkeypatch.setattr(Server, "serve", fails)
    assert run(new_environment(three)) != DELETE
    mark = (lane_row(LANE) or {})["unfinished"]["S"]
    assert three.device(TWO).enteredat < mark < three.device(THREE).enteredat


def _interrupted_since(began: str) -> None:
    LaneRow("lane", LANE).update(actions=[LaneRow.unfinished_since.set(began)])


def _killed() -> None:
    raise CutOff


# Failures.


def test_a_failed_device_is_tried_again_and_delays_no_other(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    claim(three, ONE, TWO, THREE)
    throttle_next(three, "CreateThing")
    assert run(environment) == DELETE
    assert commissioned(three) == [TWO, THREE, ONE]
    assert Lanes(three.clock).get(LANE).pace is not None
    assert (Lanes(three.clock).get(LANE).pace or 9) < 9


def test_a_target_that_does_not_answer_closes_its_lane_and_no_other(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    claim(three, ONE, TWO)
    claim(three, THREE, target=B)

    def answers_in_b_only(_params: dict[str, Any], make: Callable[[], Any]) -> Any:
        if three.calls.made[-1].region == A.region:
            raise NO_ANSWER
        return make()

    three.calls.instead["CreateThing"] = answers_in_b_only
    first = run(environment)
    assert first.hide is not None
    assert run(environment, Token(lane_to(B))) == DELETE
    assert states(three) == [State.CLAIMED, State.CLAIMED, State.COMMISSIONED]
    state = Lanes(three.clock).get(LANE)
    assert state.silent_since is not None
    three.calls.forget()
    assert run(environment) == first
    assert "CreateThing" not in three.calls.names()
    three.clock.advance(minutes=2)
    assert run(environment) == Verdict(hide=30)
    assert three.calls.count()["CreateThing"] == 1
    three.calls.instead.clear()
    three.clock.advance(seconds=31)
    assert run(environment) == DELETE
    assert states(three) == [State.COMMISSIONED] * 3
    assert Lanes(three.clock).get(LANE).silent_since is None


def test_a_paused_lane_starts_nothing_until_it_is_resumed(
    three: LobbyWithTargets, environment: WorkerEnvironment
) -> None:
    claim(three, ONE)
    lanes = Lanes(three.clock)
    paused = lanes.pause(LANE, ANN)
    assert (paused.paused_by, lanes.pause(LANE, "user:bob").paused_by) == (ANN, ANN)
    assert run(environment) == Verdict(hide=30)
    assert run(environment, announcement(ONE)) == Verdict(hide=30)
    assert states(three)[0] is State.CLAIMED
    lanes.resume(LANE)
    assert run(environment) == DELETE
    assert states(three)[0] is State.COMMISSIONED


def test_a_lane_that_is_paused_while_its_worker_runs_stops_after_the_current_devices(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO, THREE)
    three.calls.meanwhile["CreateThing"] = lambda: Lanes(three.clock).pause(LANE, ANN)
    assert run(new_environment(three, rate=1.0)) == Verdict(hide=30)
    assert commissioned(three) == [ONE]


def test_an_interrupted_run_leaves_the_lane_free_and_marked(
    three: LobbyWithTargets, environment: WorkerEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commissioner.lanes import rows as lane_rows  # noqa: PLC0415

    def broken(*_: object) -> None:
        raise RuntimeError("no index")

    monkeypatch.setattr(lane_rows, "waiting", broken)
    with pytest.raises(RuntimeError, match="no index"):
        run(environment)
    state = Lanes(three.clock).get(LANE)
    assert (state.holder, state.unfinished_since is None) == (None, False)
