"""A worker whose time is up: its successor gets the lease, and continues at the same pace."""

from commissioner.token_messages import DELETE, Verdict
from lobby.domain.lanes.lane_state import HANDED_OVER_FOR
from lobby.domain.states import State
from lobby.ledger.lanes.lane_register import Lanes
from tests.functional.commissioner.lane_runs import (
    LANE,
    announcement,
    claim,
    commissioned,
    new_environment,
    run,
    states,
)
from tests.functional.commissioner.lobby_with_targets import ONE, THREE, TWO, LobbyWithTargets


def test_a_worker_hands_over_when_its_time_is_up(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO, THREE)
    environment = new_environment(three, rate=0.05)
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
    environment = new_environment(three, rate=0.025)
    assert run(environment) == Verdict(hand_over=True)
    claim(three, THREE, bulk=False)
    assert run(environment, announcement(THREE)) == DELETE
    assert states(three)[2] is State.CLAIMED
    assert run(new_environment(three)) == DELETE
    assert set(commissioned(three)) == {ONE, TWO, THREE}


def test_a_lane_that_is_handed_over_is_available_to_any_worker_if_the_next_token_does_not_come(
    three: LobbyWithTargets,
) -> None:
    claim(three, ONE, TWO)
    assert run(new_environment(three, rate=0.025)) == Verdict(hand_over=True)
    three.clock.advance(seconds=HANDED_OVER_FOR.total_seconds() + 1)
    claim(three, THREE, bulk=False)
    assert run(new_environment(three), announcement(THREE)) == DELETE
    assert states(three)[2] is State.COMMISSIONED


def test_a_token_that_is_delivered_twice_takes_over_once(three: LobbyWithTargets) -> None:
    claim(three, ONE, TWO)
    assert run(new_environment(three, rate=0.025)) == Verdict(hand_over=True)
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
