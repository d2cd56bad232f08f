"""`targetComparisons` and `lobbyctl reconcile --last`: the result of the last comparison of each target."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lobby.domain.targets.comparison_state import ComparisonState, Failure, Result, Work
from lobby.ledger.clock import now, timestamp
from lobby.ledger.targets.comparisons import save_state
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

RECENTLY, LONG_AGO = (timestamp(now() - timedelta(hours=hours)) for hours in (1, 49))
CLEAN = Result(RECENTLY, RECENTLY, 1_200_000, 120_031, 0, 0, 12)
DIFFERS = replace(CLEAN, differences=3)
EMPTY = replace(DIFFERS, missing=CLEAN.compared)
FAILURE = Failure(RECENTLY, "TARGET_ROLE_DENIED", "the role is gone")
WORK = Work(RECENTLY, "things", listed=70, compared=0, differences=0)
QUERY = """{ targetComparisons {
  account region running { beganAt step listed compared examined differences }
  last { beganAt completedAt compared examined differences unexamined missing empty days byDevice }
  failed { at code message } } }"""


def _asked(lobby: Lobby) -> dict[str, dict[str, Any]]:
    nodes = lobby.ask(QUERY).data["targetComparisons"]
    return {f"{each['account']}/{each['region']}": each for each in nodes}


def test_a_target_that_was_never_compared_has_no_result(lobby: Lobby) -> None:
    save_state(HERE, ComparisonState(work=WORK))
    found = _asked(lobby)
    assert (found[str(THERE)]["last"], found[str(THERE)]["running"], found[str(THERE)]["failed"]) == (None, None, None)
    assert (found[str(HERE)]["last"], found[str(HERE)]["running"]["step"]) == (None, "things")


def test_result_and_later_failure_are_returned(lobby: Lobby) -> None:
    save_state(HERE, ComparisonState(last=CLEAN, failure=FAILURE))
    found = _asked(lobby)[str(HERE)]
    assert found["failed"] == {"at": FAILURE.at, "code": FAILURE.code, "message": FAILURE.message}
    assert (found["last"]["compared"], found["last"]["days"], found["last"]["byDevice"]) == (1_200_000, 12, False)


@pytest.mark.parametrize(
    ("state", "exit_code", "line"),
    [
        (ComparisonState(), 1, "never compared completely"),
        (ComparisonState(work=WORK), 1, "never compared completely"),
        (
            ComparisonState(last=CLEAN),
            0,
            "1,200,000 devices, 0 differences, attachments, groups and renewed certificates of each device",
        ),
        (ComparisonState(last=CLEAN, work=WORK), 0, "(things): 0 of 70 devices compared, 0 differ so far"),
        (ComparisonState(last=DIFFERS), 1, "1,200,000 devices, 3 differences"),
        (ComparisonState(last=EMPTY), 1, "EMPTY: the target contains none of its 1,200,000 devices"),
        (ComparisonState(last=replace(CLEAN, unexamined=5)), 1, "5 more may differ and were not examined"),
        (ComparisonState(last=replace(CLEAN, by_device=True)), 0, "the target's role does not allow lists"),
        (ComparisonState(last=replace(CLEAN, completed=LONG_AGO)), 1, "the daily comparison is overdue"),
        (ComparisonState(last=CLEAN, failure=FAILURE), 1, "TARGET_ROLE_DENIED: the role is gone"),
    ],
)
def test_only_a_complete_comparison_without_differences_is_a_success(
    terminal: Terminal, lobby: Lobby, state: ComparisonState, exit_code: int, line: str
) -> None:
    save_state(HERE, state)
    result = terminal.run("reconcile", "--last", "--target", str(HERE))
    assert result.exit_code == exit_code
    assert line in result.stdout
    assert all(each.startswith(f"{HERE}: ") for each in result.stdout.splitlines())
    assert lobby.compared == []


def test_a_target_is_empty_if_it_has_nothing_of_any_device(lobby: Lobby) -> None:
    save_state(HERE, ComparisonState(last=EMPTY))
    save_state(THERE, ComparisonState(last=replace(EMPTY, missing=CLEAN.compared - 1)))
    found = _asked(lobby)
    assert (found[str(HERE)]["last"]["empty"], found[str(HERE)]["last"]["missing"]) == (True, CLEAN.compared)
    assert found[str(THERE)]["last"]["empty"] is False


def test_json_has_a_record_per_target(terminal: Terminal, lobby: Lobby) -> None:
    save_state(HERE, ComparisonState(last=CLEAN))
    records = terminal.records("reconcile", "--last", exit_code=1)
    assert [(each["target"], each["last"] and each["last"]["compared"]) for each in records] == [
        (str(HERE), 1_200_000),
        (str(THERE), None),
    ]


def test_the_last_comparison_cannot_be_repaired(terminal: Terminal, lobby: Lobby) -> None:
    result = terminal.run("--json", "reconcile", "--last", "--repair")
    assert (result.exit_code, error_of(result)["code"]) == (2, "WRONG_USE")
    assert lobby.compared == []
