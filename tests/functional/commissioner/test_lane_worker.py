"""The worker of a lane and its messages: lease, pace, order, hand-over, closed lanes, and killed predecessors."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from commissioner.lane_messages import DELETE, Environment, Verdict, handle
from commissioner.lane_worker import SLICE
from lobby.domain.device import Priority
from lobby.domain.lane_state import HANDED_OVER_FOR, LEASE
from lobby.domain.lanes import lane_to
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.lane_tokens import Token
from lobby.ledger.lanes import MOST_ANNOUNCED, Lanes, WorkerReport
from lobby.ledger.targets import RecentTargets, Targets
from lobby.names import Fingerprint, Target
from tests import aws
from tests.aws import Calls, Clock, CutOff
from tests.functional.commissioner.lane_environment import environment_with, lane_row
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    ONE,
    PROFILES,
    THREE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    throttle_next,
    wall_clock,
)

LANE = lane_to(A)
_NUMBERS = count(1)
NO_ANSWER = EndpointConnectionError(endpoint_url="https://iot.eu-west-1")


@pytest.fixture
def three(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")


@pytest.fixture
def environment(three: LobbyWithTargets) -> Environment:
    return new_environment(three)


def new_environment(lobby: LobbyWithTargets, rate: float = 9.0) -> Environment:
    """Return what a Lambda that has just started runs with."""
    targets = RecentTargets(Targets.read_only(), lobby.clock)
    return environment_with(
        lobby.ledger,
        targets,
        lobby.clock,
        PROFILES,
        sessions_clock=wall_clock,
        rate=lambda _lane: rate,
        holders=lambda: f"worker {next(_NUMBERS)}",
    )


def claim(lobby: LobbyWithTargets, *certids: Fingerprint, target: Target = A, bulk: bool = True) -> None:
    with lobby.calls.uncounted():
        request = ClaimRequest(target, priority=Priority.BULK if bulk else Priority.SINGLE)
        for certid in certids:
            lobby.clock.advance(seconds=0.1)
            lobby.ledger.claim(certid, request, ANN)


def states(lobby: LobbyWithTargets) -> list[State]:
    return [lobby.device(certid).devstate for certid in (ONE, TWO, THREE)]


def commissioned(lobby: LobbyWithTargets) -> list[Fingerprint]:
    """Return the devices in the order in which they were commissioned."""
    devices = [lobby.device(certid) for certid in (ONE, TWO, THREE)]
    done = [device for device in devices if device.devstate is State.COMMISSIONED]
    return [device.certid for device in sorted(done, key=lambda device: device.enteredat)]


def announcement(*certids: Fingerprint) -> Token:
    """Return the next announcement of these rows."""
    return Token(LANE, None, certids, f"{next(_NUMBERS):012x}")


def run(environment: Environment, token: Token | None = None, hide: Callable[[int], None] | None = None) -> Verdict:
    return handle(token or Token(LANE), environment, hide or (lambda _seconds: None))


def test_a_lane_is_drained_in_order_and_its_token_is_deleted(three: LobbyWithTargets, environment: Environment) -> None:
    claim(three, TWO, ONE)
    claim(three, THREE, target=B)
    assert run(environment) == DELETE
    assert commissioned(three) == [TWO, ONE]
    assert three.calls.count()["AssumeRole"] == 1


def test_single_claims_come_first(three: LobbyWithTargets, environment: Environment) -> None:
    claim(three, ONE, TWO)
    claim(three, THREE, bulk=False)
    assert run(environment) == DELETE
    assert commissioned(three)[0] == THREE


def test_devices_start_at_the_targets_rate(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO, THREE)
    began = three.clock()
    run(new_environment(three, rate=0.5))
    assert (three.clock() - began).total_seconds() >= 4


def test_an_announced_row_is_served_without_the_index(three: LobbyWithTargets, environment: Environment) -> None:
    claim(three, ONE, bulk=False)
    three.calls.forget()
    assert run(environment, announcement(ONE)) == DELETE
    assert states(three)[0] is State.COMMISSIONED
    assert "Query" not in three.calls.names()


def test_a_token_lives_until_the_index_shows_what_its_bucket_contained(
    three: LobbyWithTargets, environment: Environment
) -> None:
    now = three.clock().timestamp()
    assert run(environment, Token(LANE, now + 2.5)) == Verdict(hide=3)
    three.clock.advance(seconds=3)
    assert run(environment, Token(LANE, now + 2.5)) == DELETE


def test_a_worker_hands_over_when_its_time_is_up(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO, THREE)
    environment = new_environment(three, rate=0.1)
    heartbeats: list[int] = []
    assert run(environment, hide=heartbeats.append) == Verdict(hand_over=True)
    assert len(commissioned(three)) == 2
    assert len(heartbeats) >= 3
    assert run(environment) == DELETE
    assert len(commissioned(three)) == 3
    assert Lanes(three.clock).get(LANE).holder is None


def test_a_lane_that_is_handed_over_is_kept_for_the_worker_of_the_next_token(three: LobbyWithTargets) -> None:
    """A single claim that comes in between goes to that worker, instead of delaying it."""
    claim(three, ONE, TWO)
    environment = new_environment(three, rate=0.05)
    assert run(environment) == Verdict(hand_over=True)
    claim(three, THREE, bulk=False)
    assert run(environment, announcement(THREE)) == DELETE
    assert states(three)[2] is State.CLAIMED
    assert run(new_environment(three)) == DELETE
    assert set(commissioned(three)) == {ONE, TWO, THREE}


def test_a_lane_that_is_handed_over_is_free_for_all_if_the_next_token_does_not_come(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO)
    assert run(new_environment(three, rate=0.05)) == Verdict(hand_over=True)
    three.clock.advance(seconds=HANDED_OVER_FOR.total_seconds() + 1)
    claim(three, THREE, bulk=False)
    assert run(new_environment(three), announcement(THREE)) == DELETE
    assert states(three)[2] is State.COMMISSIONED


def test_a_token_that_is_delivered_twice_takes_over_once(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO)
    assert run(new_environment(three, rate=0.05)) == Verdict(hand_over=True)
    lanes = Lanes(three.clock)
    assert lanes.acquire(LANE, "first delivery")
    assert lanes.acquire(LANE, "second delivery") is None


def test_a_run_keeps_the_distance_from_the_last_device_of_the_run_before(three: LobbyWithTargets) -> None:
    environment = new_environment(three, rate=0.5)
    claim(three, ONE, bulk=False)
    run(environment, announcement(ONE))
    began = three.clock()
    claim(three, TWO, THREE)
    run(environment)
    assert (three.clock() - began).total_seconds() >= 3.4


# The lease.


def test_a_lane_that_another_worker_has_is_left_alone(three: LobbyWithTargets, environment: Environment) -> None:
    claim(three, ONE)
    assert Lanes(three.clock).acquire(LANE, "another")
    assert run(environment) == Verdict(hide=1)
    assert states(three)[0] is State.CLAIMED
    three.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert run(environment) == DELETE
    assert states(three)[0] is State.COMMISSIONED


# Announcements to the worker that has the lane.


def test_a_single_claim_starts_before_the_bulk_claims_and_before_the_next_slot(three: LobbyWithTargets) -> None:
    """It is made while the worker is busy; its message is done then, so that it does not delay the next one."""
    claim(three, ONE, TWO)

    def announce() -> None:
        claim(three, THREE, bulk=False)
        assert run(new_environment(three), announcement(THREE)) == DELETE

    three.calls.meanwhile["CreateThing"] = announce
    assert run(new_environment(three, rate=1.0)) == DELETE
    assert commissioned(three) == [ONE, THREE, TWO]
    first, single, _ = (datetime.fromisoformat(three.device(each).enteredat) for each in commissioned(three))
    assert (single - first).total_seconds() < 0.7
    assert Lanes(three.clock).get(LANE).announced == frozenset()


def test_a_row_that_is_announced_again_while_it_is_served_is_served_again(three: LobbyWithTargets) -> None:
    claim(three, ONE)

    def release() -> None:
        three.release(ONE)
        assert run(new_environment(three), announcement(ONE)) == DELETE

    three.calls.meanwhile["AttachPolicy"] = release
    assert run(new_environment(three)) == DELETE
    assert (states(three)[0], three.device(ONE).needs_commissioner) == (State.INLOBBY, False)


def test_a_row_that_is_announced_when_the_worker_is_about_to_end_is_served(three: LobbyWithTargets) -> None:
    """The announcement comes after the last look at the lane's row, and the index does not show the claim."""
    claim(three, ONE)

    def announce() -> None:
        three.calls.meanwhile["Query"] = announce_now

    def announce_now() -> None:
        assert Lanes(three.clock).announce(LANE, announcement(THREE).entries, not_by="a message")
        with three.calls.uncounted():
            three.ledger.claim(THREE, ClaimRequest(A, priority=Priority.SINGLE), ANN)

    three.calls.meanwhile["Publish"] = announce
    assert run(new_environment(three)) == DELETE
    assert states(three)[2] is State.COMMISSIONED


def test_what_is_announced_to_a_worker_that_is_killed_is_served_by_its_successor(three: LobbyWithTargets) -> None:
    claim(three, ONE)

    def announce_and_die() -> None:
        claim(three, THREE, bulk=False)
        assert run(new_environment(three), announcement(THREE)) == DELETE
        raise CutOff

    three.calls.meanwhile["CreateThing"] = announce_and_die
    with pytest.raises(CutOff):
        run(new_environment(three))
    three.clock.advance(seconds=LEASE.total_seconds() + 1)
    three.calls.forget()
    assert run(new_environment(three), announcement(TWO)) == Verdict(hand_over=True)
    assert states(three)[2] is State.COMMISSIONED


def test_a_message_that_is_delivered_twice_stays_until_its_first_worker_ends(three: LobbyWithTargets) -> None:
    """If that worker is killed, the message must come again."""
    claim(three, ONE, bulk=False)
    message = announcement(ONE)

    def deliver_again() -> None:
        assert run(new_environment(three), message) == Verdict(hide=1)

    three.calls.meanwhile["CreateThing"] = deliver_again
    assert run(new_environment(three), message) == DELETE
    assert run(new_environment(three), message) == DELETE


def test_what_is_announced_waits_in_the_queue_when_the_lanes_row_is_full(three: LobbyWithTargets) -> None:
    lanes = Lanes(three.clock)
    assert lanes.acquire(LANE, "another")
    entries = [f"{number:064x}#{number:012x}" for number in range(MOST_ANNOUNCED)]
    assert lanes.announce(LANE, entries, not_by="a message")
    assert run(new_environment(three), announcement(ONE)) == Verdict(hide=1)
    assert lanes.renew(LANE, "another", WorkerReport(9.0, done=frozenset(entries[:1])))
    assert run(new_environment(three), announcement(ONE)) == DELETE


def test_an_announced_row_that_fails_is_left_to_the_next_token(three: LobbyWithTargets) -> None:
    """So it does not delay the lane's next announcement."""
    claim(three, ONE, bulk=False)
    throttle_next(three, "CreateThing")
    began, message = three.clock(), announcement(ONE)
    assert run(new_environment(three), message) == Verdict(hand_over=True)
    assert (three.clock() - began).total_seconds() < 1
    assert Lanes(three.clock).get(LANE).announced == set(message.entries)
    three.calls.forget()
    assert run(new_environment(three)) == DELETE
    assert states(three)[0] is State.COMMISSIONED
    assert Lanes(three.clock).get(LANE).announced == frozenset()


def test_a_worker_without_a_lease_makes_no_call_into_the_target(
    three: LobbyWithTargets, environment: Environment
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
    three: LobbyWithTargets, environment: Environment
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


def _killed() -> None:
    raise CutOff


# Failures.


def test_a_failed_device_is_tried_again_and_delays_no_other(three: LobbyWithTargets, environment: Environment) -> None:
    claim(three, ONE, TWO, THREE)
    throttle_next(three, "CreateThing")
    assert run(environment) == DELETE
    assert commissioned(three) == [TWO, THREE, ONE]
    assert Lanes(three.clock).get(LANE).pace is not None
    assert (Lanes(three.clock).get(LANE).pace or 9) < 9


def test_a_target_that_does_not_answer_closes_its_lane_and_no_other(
    three: LobbyWithTargets, environment: Environment
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


def test_a_paused_lane_starts_nothing_until_it_is_resumed(three: LobbyWithTargets, environment: Environment) -> None:
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
    three: LobbyWithTargets, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commissioner import lane_rows  # noqa: PLC0415

    def broken(*_: object) -> None:
        raise RuntimeError("no index")

    monkeypatch.setattr(lane_rows, "waiting", broken)
    with pytest.raises(RuntimeError, match="no index"):
        run(environment)
    state = Lanes(three.clock).get(LANE)
    assert (state.holder, state.unfinished_since is None) == (None, False)


def test_a_slice_is_shorter_than_a_lambdas_time() -> None:
    from infra.functions import COMMISSIONER, EXPRESS  # noqa: PLC0415

    assert SLICE.total_seconds() + 30 < COMMISSIONER.timeout == EXPRESS.timeout
