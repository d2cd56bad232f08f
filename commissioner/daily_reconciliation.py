"""The reconciler's daily round: compares every target with the ledger once a day, and reports without repairing.

Each run continues where the last one stopped, until its time is up. A target that cannot be read is reported, and does
not delay the others.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.errors import TargetRefusal
from commissioner.reconciliation import Reconciliation
from lobby.errors import InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.ledger.targets import Targets
from lobby.names import parse_target_key

INTERVAL: Final = timedelta(hours=23, minutes=30)
"""Between the starts of two rounds: less than a day, so that a timer that fires a little early starts one, too."""
logger = Logger(service="reconciler")


@dataclass
class ReconcileResult:
    """The counts of one run, by metric name."""

    DevicesCompared: int = 0
    DifferencesFound: int = 0
    TargetsNotCompared: int = 0

    def numbers(self) -> dict[str, int]:
        return asdict(self)


class DailyRound:
    """Walks through all registered targets."""

    def __init__(self, reconciliation: Reconciliation, targets: Targets, clock: Callable[[], datetime] = now) -> None:
        self._reconciliation, self._targets, self._clock = reconciliation, targets, clock

    def resume(self, note: dict[str, Any], time_is_up: Callable[[], bool]) -> ReconcileResult:
        """Continue the round, or start one if it is due. `note` is the last run's position, and is updated after each
        page."""
        result = ReconcileResult()
        if not note.get("left") and self._is_due(note):
            targets = [str(each.target) for each in self._targets.all()]
            note.update(began=timestamp(self._clock()), left=targets, cursor=None)
        while note.get("left") and not time_is_up():
            self._compare_page(note, result)
        return result

    def _is_due(self, note: dict[str, Any]) -> bool:
        return "began" not in note or note["began"] <= timestamp(self._clock() - INTERVAL)

    def _compare_page(self, note: dict[str, Any], result: ReconcileResult) -> None:
        target = note["left"][0]
        try:
            page = self._reconciliation.page(parse_target_key(target), note["cursor"])
        except TargetRefusal as refusal:
            logger.warning("not compared", extra={"target": target, "code": refusal.code, "why": refusal.message})
            result.TargetsNotCompared += 1
            note.update(left=note["left"][1:], cursor=None)
            return
        except InvalidInput:  # the note was written by another version
            note["cursor"] = None
            return
        for finding in page.findings:
            difference = finding.difference
            extra = {"target": target, "certid": difference.certid, "code": difference.code.value}
            logger.warning("differs", extra=extra)
        result.DevicesCompared += page.compared
        result.DifferencesFound += len(page.findings)
        note.update(left=note["left"] if page.cursor else note["left"][1:], cursor=page.cursor)
