"""The state of a comparison is the same after it is stored and read. State of another version is dropped."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lobby.domain.targets.comparison_state import ComparisonState, Failure, Result, Work

WORK = Work(
    "2026-11-22T12:00:00.000Z", "things", "token", ("a", "b"), 3, 4, 5, 6, 1, 7, 8, 9, 10, 11, 12, by_device=True
)
RESULT = Result("2026-11-22T12:00:00.000Z", "2026-11-22T13:00:00.000Z", 20, 5, 1, 0, 3)
FAILURE = Failure("2026-11-22T13:00:00.000Z", "TARGET_ROLE_DENIED", "no")


@pytest.mark.parametrize(
    "state", [ComparisonState(), ComparisonState(WORK, RESULT, FAILURE), ComparisonState(last=RESULT)]
)
def test_a_stored_state_is_read_again(state: ComparisonState) -> None:
    assert ComparisonState.decode(json.loads(json.dumps(state.encode()))) == state


@pytest.mark.parametrize("part", [None, [], 5, {}, {"cursor": "x"}, {**vars(RESULT), "more": 1}])
def test_a_part_of_another_version_is_dropped(part: Any) -> None:
    stored = {"work": part, "last": part, "failure": vars(FAILURE)}
    assert ComparisonState.decode(stored) == ComparisonState(failure=FAILURE)


def test_a_result_has_the_counts_of_its_work() -> None:
    result = WORK.result("2026-11-23T12:00:00.000Z")
    assert (result.began, result.compared, result.examined, result.differences, result.unexamined) == (
        WORK.began,
        *(WORK.compared, WORK.examined, WORK.differences, WORK.unexamined),
    )
    assert (result.by_device, result.days) == (True, 1)


def test_the_next_comparison_begins_where_devices_were_left_out() -> None:
    assert replace(WORK, first=7, left_from=None).result("").resumes == 7
    assert replace(WORK, first=7, left_from=0).result("").resumes == 0


def test_a_result_of_an_earlier_version_is_kept_and_its_work_begins_again() -> None:
    state = ComparisonState(WORK, RESULT).encode()
    del state["work"]["first"], state["last"]["resumes"]
    assert ComparisonState.decode(state) == ComparisonState(last=RESULT)
