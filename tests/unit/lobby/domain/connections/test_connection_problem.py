"""Connection problems: which reports are counted together, which are serious, and how often they are written."""

from dataclasses import replace

import pytest

from lobby.domain.connections.connection_problem import DENIED, ConnectionProblem, counted
from lobby.domain.connections.connectivity import DUPLICATE
from lobby.names import Fingerprint

MINUTE = 60_000
NOON = 1_795_348_800_000


def problem(code: str = DENIED, at: int = 0, session: str = "s1", count: int = 1) -> ConnectionProblem:
    return ConnectionProblem(Fingerprint("1a" * 32), code, "x", "lobby", session, NOON + at, NOON + at, count)


def after(*problems: ConnectionProblem) -> ConnectionProblem:
    known: ConnectionProblem | None = None
    for each in problems:
        known = counted(known, each) or known
    assert known is not None
    return known


def test_problems_within_an_hour_are_counted_in_one_record() -> None:
    last = after(problem(), problem(at=59 * MINUTE, session="s2"), problem(at=118 * MINUTE, session="s3"))
    assert (last.count, last.first_at, last.last_at) == (3, NOON, NOON + 118 * MINUTE)


def test_a_problem_after_more_than_an_hour_is_counted_again() -> None:
    later = problem(at=61 * MINUTE, session="s2")
    assert after(problem(), later) == later


def test_a_repeated_report_is_counted_once() -> None:
    assert counted(problem(), problem()) is None


def test_an_earlier_report_that_comes_later_is_counted() -> None:
    last = after(problem(at=MINUTE), problem(session="s0"))
    assert (last.count, last.first_at, last.last_at) == (2, NOON, NOON + MINUTE)


def test_a_record_with_a_wrong_time_does_not_hide_later_problems() -> None:
    now = problem(at=1000, session="s2")
    assert after(problem(at=4000 * 24 * 60 * MINUTE), now) == now
    assert counted(problem(at=23 * 60 * MINUTE), now) is None, "a report that was delivered late"


def test_a_device_that_is_refused_all_the_time_is_recorded_once_a_minute() -> None:
    known, writes = problem(), 1
    for second in range(1, 600):
        new = counted(known, problem(at=second * 1000, session=f"s{second}"))
        writes, known = writes + (new is not None), new or known
    assert writes == 2 + 10


@pytest.mark.parametrize(
    ("found", "serious"),
    [
        (problem(DENIED), True),
        (problem(DUPLICATE), False),
        (problem(DUPLICATE, count=2), False),
        (problem(DUPLICATE, count=3), True),
    ],
)
def test_a_single_takeover_is_normal_and_several_are_not(found: ConnectionProblem, serious: bool) -> None:
    assert found.is_serious is serious


def test_the_message_has_the_client_id_of_a_refused_connection() -> None:
    assert "'sensor-2'" in replace(problem(), clientid="sensor-2").message
    assert "two devices" in problem(DUPLICATE, count=4).message
