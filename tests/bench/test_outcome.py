"""The last line of a benchmark is one JSON object, after success, failure and interruption."""

import json
import os
import signal
from collections.abc import Callable

import pytest
import typer

from infra.local.timeline import StepFailed
from tests.bench.outcome import Outcome, outcome


def _succeeds(result: Outcome) -> None:
    result.goal = True


def _misses(_result: Outcome) -> None:
    """A benchmark that does not reach its goal."""


def _fails(result: Outcome) -> None:
    result.goal = True
    raise StepFailed("a storm", "nobody came")


def _has_a_bug(_result: Outcome) -> None:
    raise KeyError("x")


def _is_terminated(_result: Outcome) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("block", "goal", "error"),
    [
        (_succeeds, True, None),
        (_misses, False, None),
        (_fails, False, "a storm: nobody came"),
        (_has_a_bug, False, "KeyError: 'x'"),
        (_is_terminated, False, "interrupted"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_the_last_line_has_the_goal_and_the_figures_so_far(
    block: Callable[[Outcome], None], goal: bool, error: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    before, status = signal.getsignal(signal.SIGTERM), 0
    try:
        with outcome(as_json=True) as result:
            result.figures = {"devices": 7}
            print("a table")
            block(result)
    except typer.Exit as ended:
        status = ended.exit_code
    *table, last = capsys.readouterr().out.splitlines()
    assert table == ["a table"]
    found = json.loads(last)
    assert found.pop("load_average") >= 0
    assert found == {"goal": goal, "devices": 7} | ({"error": error} if error else {})
    assert (status == 0, signal.getsignal(signal.SIGTERM)) == (goal, before)


def test_without_json_nothing_is_added(capsys: pytest.CaptureFixture[str]) -> None:
    with outcome(as_json=False) as result:
        result.goal = True
    assert capsys.readouterr().out == ""
