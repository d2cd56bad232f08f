"""The reconciler's daily round: compares every target with the ledger once a day, and reports without repairing.

Each run continues where the last one stopped, until its time is up. An incomplete target then moves to the end of the
list, so that a large target does not delay the others. A target that cannot be read is reported immediately. If a
target does not answer, or its comparison fails, it is reported after two more attempts in later runs.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.errors import TargetRefusal
from commissioner.reconciliation.target_comparison import COMPLETE, Advance, TargetComparison, days_for
from lobby.domain.targets.comparison_state import ComparisonState, Failure, Work
from lobby.ledger.clock import now, timestamp
from lobby.ledger.targets.comparisons import read_state, read_states, save_state
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Target, parse_target_key

INTERVAL: Final = timedelta(hours=23, minutes=30)
"""The minimum time between the starts of two rounds: less than a day, because a timer can fire a little early."""
MOST_RUNS: Final = 200
"""The maximum number of runs of one comparison, which take more than two days. Then it is stopped and reported."""
MOST_SILENT_RUNS: Final = 3
INTERNAL: Final = "INTERNAL"
_TEMPORARY: Final = ("TARGET_UNREACHABLE", INTERNAL)
logger = Logger(service="reconciler")


@dataclass
class ReconcileResult:
    """The counts of one run, by metric name. `DevicesCompared` and `DevicesExamined` count the progress of this run;
    `DifferencesNotExamined` is counted when a target is done. `TargetsNotCompared` counts the targets that could not be
    compared, or not completely."""

    DevicesCompared: int = 0
    DevicesExamined: int = 0
    DifferencesFound: int = 0
    DifferencesNotExamined: int = 0
    TargetsNotCompared: int = 0

    def numbers(self) -> dict[str, int]:
        return asdict(self)


class DailyRound:
    """Walks through all registered targets."""

    def __init__(self, comparison: TargetComparison, targets: Targets, clock: Callable[[], datetime] = now) -> None:
        self._comparison, self._targets, self._clock = comparison, targets, clock

    def resume(self, note: dict[str, Any], time_is_up: Callable[[], bool]) -> ReconcileResult:
        """Continue the round, or start one if it is due. `note` has the targets that are left; the position within a
        target is stored with the target's state."""
        result, tried = ReconcileResult(), set[str]()
        if not note.get("left") and self._is_due(note):
            targets = [each.target for each in self._targets.all()]
            last = [state.last for state in read_states(targets).values()]
            days = days_for(sum(each.compared for each in last if each))
            note.update(began=timestamp(self._clock()), left=[str(target) for target in targets], days=days)
        while (left := note.get("left")) and left[0] not in tried and not time_is_up():
            tried.add(left[0])
            done = self._continue(parse_target_key(left[0]), note, time_is_up, result)
            note["left"] = left[1:] if done else [*left[1:], left[0]]
        return result

    def _is_due(self, note: dict[str, Any]) -> bool:
        return "began" not in note or note["began"] <= timestamp(self._clock() - INTERVAL)

    def _continue(
        self, target: Target, note: dict[str, Any], time_is_up: Callable[[], bool], result: ReconcileResult
    ) -> bool:
        """Continue the comparison of a target. Return whether it is complete or was stopped."""
        state = read_state(target)
        first = state.last.resumes if state.last else 0
        before = state.work or Work(timestamp(self._clock()), days=note.get("days", 1), first=first)
        before = replace(before, runs=before.runs + 1)
        save_state(target, replace(state, work=before))  # counted in advance, because a run can end without a trace
        advance = self._advance(target, before, time_is_up)
        work = advance.work
        result.DevicesCompared += work.compared - before.compared
        result.DevicesExamined += work.examined - before.examined
        result.DifferencesFound += work.differences - before.differences
        if work.step == COMPLETE:
            result.DifferencesNotExamined += work.unexamined
            result.TargetsNotCompared += work.unexamined > 0
            complete = work.result(timestamp(self._clock()))
            save_state(target, ComparisonState(last=complete))
            if complete.is_empty:
                logger.error("target is empty", extra={"target": str(target), "devices": complete.missing})
            return True
        work = replace(work, silent_runs=work.silent_runs + 1 if advance.refusal else 0)
        failure = _failure(work, advance.refusal)
        if failure is None:
            save_state(target, replace(state, work=work))
            return False
        logger.warning("not compared", extra={"target": str(target), "code": failure[0], "why": failure[1]})
        result.TargetsNotCompared += 1
        save_state(target, ComparisonState(last=state.last, failure=Failure(timestamp(self._clock()), *failure)))
        return True

    def _advance(self, target: Target, work: Work, time_is_up: Callable[[], bool]) -> Advance:
        """Continue one comparison. An unexpected error, such as a malformed response, must not delay the other
        targets."""
        try:
            return self._comparison.resume(target, work, time_is_up)
        except Exception as error:
            logger.exception("comparison failed", extra={"target": str(target)})
            return Advance(work, TargetRefusal(INTERNAL, f"got {type(error).__name__}: see the log of the reconciler"))


def _failure(work: Work, refusal: TargetRefusal | None) -> tuple[str, str] | None:
    """Return why a comparison is stopped, or None if it continues."""
    if refusal is not None and (refusal.code not in _TEMPORARY or work.silent_runs >= MOST_SILENT_RUNS):
        return refusal.code, refusal.message
    if work.runs >= MOST_RUNS:
        return "NOT_FINISHED", f"got a comparison that is not done after {work.runs} runs, want it done within two days"
    return None
