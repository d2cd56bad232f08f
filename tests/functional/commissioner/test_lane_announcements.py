"""Announcements of rows to the worker that has the lane: served immediately, each once, and none is lost."""

from datetime import datetime

import pytest

from commissioner.token_messages import DELETE, Verdict
from lobby.domain.device import Priority
from lobby.domain.lanes.lane_state import LEASE
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.lanes.lane_register import MOST_ANNOUNCED, Lanes, WorkerReport
from tests.aws import CutOff
from tests.functional.commissioner.lane_runs import (
    LANE,
    announcement,
    claim,
    commissioned,
    new_environment,
    run,
    states,
)
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, THREE, TWO, A, LobbyWithTargets, throttle_next


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
    """The announcement comes after the last read of the lane's row, and the index does not show the claim."""
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


def test_the_successor_of_a_killed_worker_serves_its_announcements(three: LobbyWithTargets) -> None:
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
    """If that worker is killed, the message must be delivered again."""
    claim(three, ONE, bulk=False)
    message = announcement(ONE)

    def deliver_again() -> None:
        assert run(new_environment(three), message) == Verdict(hide=1)

    three.calls.meanwhile["CreateThing"] = deliver_again
    assert run(new_environment(three), message) == DELETE
    assert run(new_environment(three), message) == DELETE


def test_an_announcement_waits_in_the_queue_when_the_lanes_row_is_full(three: LobbyWithTargets) -> None:
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
