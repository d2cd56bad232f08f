"""The sweeper and rows that wait: it ignores a lane that makes progress, even with a long backlog."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

import pytest

from commissioner.lambdas.sweeper import ACTOR
from commissioner.sweeping.lane_watch import NO_PROGRESS, LaneReport, LaneWatch
from lobby.contracts.lane_tokens import Token
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import LOBBY, Lane, lane_to
from lobby.domain.lanes.lane_state import LEASE
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes.lane_register import Lanes, WorkerReport
from lobby.ledger.targets.target_administration import TargetAdministration
from tests.aws import Calls, Clock
from tests.functional.commissioner.lane_environment import RecordingQueue
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, A, LobbyWithTargets

LANE: Final = lane_to(A)
LONG: Final = NO_PROGRESS + timedelta(minutes=1)
_WAITING: Final = LaneReport()


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    """A lobby with a device that waits in the lane of A."""
    made = LobbyWithTargets(calls, clock)
    made.claim()
    return made


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


def check(lobby: LobbyWithTargets, queue: RecordingQueue) -> LaneReport:
    return LaneWatch(lobby.ledger, Lanes(lobby.clock), cast(Any, queue), "queue", ACTOR, lobby.clock).check()


def started(queue: RecordingQueue) -> list[Lane]:
    return [Token.decode(message["MessageBody"]).lane for message in queue.sent]


def held(lanes: Lanes, **report: Any) -> None:
    """Let a worker have the lane, which has just reported."""
    assert lanes.acquire(LANE, "worker")
    assert lanes.renew(LANE, "worker", WorkerReport(9.0, **report))


def test_a_row_that_has_just_begun_to_wait_is_ignored(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    assert (check(lobby, queue), queue.sent) == (_WAITING, [])


def test_a_lane_without_a_worker_gets_one(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    lobby.clock.advance(minutes=2)
    assert (check(lobby, queue), started(queue)) == (LaneReport(started=1), [LANE])


def test_a_lane_without_progress_is_reported(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    lobby.clock.advance(seconds=LONG.total_seconds())
    assert check(lobby, queue) == LaneReport(started=1, stuck=1)


def _progresses(lobby: LobbyWithTargets, lanes: Lanes) -> None:
    held(lanes, progress_at=timestamp(lobby.clock()))


def _progresses_slowly(lobby: LobbyWithTargets, lanes: Lanes) -> None:
    """AWS throttles most calls."""
    assert lanes.acquire(LANE, "worker")
    done = timestamp(lobby.clock() - NO_PROGRESS + timedelta(minutes=1))
    assert lanes.renew(LANE, "worker", WorkerReport(0.9, progress_at=done))


def _is_handed_over(lobby: LobbyWithTargets, lanes: Lanes) -> None:
    _progresses(lobby, lanes)
    report = WorkerReport(9.0, progress_at=timestamp(lobby.clock()))
    assert lanes.leave(LANE, "worker", report, unfinished_since=None, keep=True)


def _is_archived(lobby: LobbyWithTargets, lanes: Lanes) -> None:
    """Its devices are still commissioned."""
    TargetAdministration(lobby.targets, lobby.clock).archive(A, ANN)
    _progresses(lobby, lanes)


def _was_resumed(_lobby: LobbyWithTargets, lanes: Lanes) -> None:
    """Its worker starts when its token is delivered again."""
    lanes.pause(LANE, ANN)
    lanes.resume(LANE)
    assert lanes.acquire(LANE, "worker")


@pytest.mark.parametrize(
    "state",
    [_progresses, _progresses_slowly, _is_handed_over, _is_archived, _was_resumed],
    ids=lambda each: each.__name__,
)
def test_a_lane_that_makes_progress_is_not_started_again_however_long_its_rows_wait(
    lobby: LobbyWithTargets, queue: RecordingQueue, state: Callable[[LobbyWithTargets, Lanes], None]
) -> None:
    lobby.clock.advance(days=3)
    state(lobby, Lanes(lobby.clock))
    before = lobby.device()
    assert (check(lobby, queue), queue.sent) == (_WAITING, [])
    assert lobby.device() == before


def test_a_paused_lane_is_counted_and_neither_started_nor_reported(
    lobby: LobbyWithTargets, queue: RecordingQueue
) -> None:
    Lanes(lobby.clock).pause(LANE, ANN)
    lobby.clock.advance(days=3)
    assert (check(lobby, queue), queue.sent) == (LaneReport(paused=1), [])


def test_a_worker_that_is_throttled_all_the_time_is_reported_and_not_started_again(
    lobby: LobbyWithTargets, queue: RecordingQueue
) -> None:
    lobby.clock.advance(seconds=LONG.total_seconds())
    held(Lanes(lobby.clock))
    assert (check(lobby, queue), queue.sent) == (LaneReport(stuck=1), [])


def test_a_lane_whose_target_does_not_answer_is_reported(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    lanes = Lanes(lobby.clock)
    lanes.close(lanes.get(LANE))
    lobby.clock.advance(seconds=LONG.total_seconds())
    assert check(lobby, queue) == LaneReport(started=1, stuck=1)


def test_a_lane_whose_worker_was_killed_gets_another_one(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    held(Lanes(lobby.clock))
    lobby.clock.advance(seconds=LEASE.total_seconds() + 60)
    assert (check(lobby, queue), started(queue)) == (LaneReport(started=1), [LANE])


@pytest.mark.parametrize("priority", Priority)
def test_rows_of_each_priority_and_of_the_lobbys_own_lane_are_seen(
    lobby: LobbyWithTargets, queue: RecordingQueue, priority: Priority
) -> None:
    with lobby.calls.uncounted():
        lobby.deliver(lobby.release(ONE))
        lobby.ledger.claim(ONE, ClaimRequest(A, priority=priority), ANN)
    lobby.clock.advance(minutes=2)
    assert (check(lobby, queue), started(queue)) == (LaneReport(started=1), [LANE])
    lobby.revoke()
    lobby.clock.advance(minutes=2)
    assert check(lobby, queue).started == 1
    assert set(started(queue)) <= {LANE, LOBBY}
