"""The reconciler's round: every target compared with the ledger, once a day, and told, never mended.

It goes on where the last run stopped, for as long as a run may last. A target that cannot be looked at is told, and
holds up no other.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.inspector_client import TargetRefused
from commissioner.reconciliation import Reconciliation
from lobby.errors import InvalidInput
from lobby.ledger.store import now, timestamp
from lobby.ledger.targets import Targets
from lobby.names import parse_target_key

EVERY: Final = timedelta(hours=23, minutes=30)
"""From the beginning of one round to the next; a timer that comes a little early still begins one."""
logger = Logger(service="reconciler")


@dataclass
class ReconcileResult:
    """What one run of a round saw, by the names of the metrics."""

    DevicesCompared: int = 0
    DifferencesFound: int = 0
    TargetsNotCompared: int = 0

    def numbers(self) -> dict[str, int]:
        return asdict(self)


class DailyRound:
    """`reconciliation` looks, in nobody's name."""

    def __init__(self, reconciliation: Reconciliation, targets: Targets, clock: Callable[[], datetime] = now) -> None:
        self._reconciliation, self._targets, self._clock = reconciliation, targets, clock

    def go_on(self, note: dict[str, Any], time_is_up: Callable[[], bool]) -> ReconcileResult:
        """`note` is what the last run left, and is brought up to date after each page."""
        seen = ReconcileResult()
        if not note.get("left") and self._is_due(note):
            note.update(
                began=timestamp(self._clock()), left=[str(each.target) for each in self._targets.all()], cursor=None
            )
        while note.get("left") and not time_is_up():
            self._page(note, seen)
        return seen

    def _is_due(self, note: dict[str, Any]) -> bool:
        return "began" not in note or note["began"] <= timestamp(self._clock() - EVERY)

    def _page(self, note: dict[str, Any], seen: ReconcileResult) -> None:
        place = note["left"][0]
        try:
            page = self._reconciliation.page(parse_target_key(place), note["cursor"])
        except TargetRefused as refused:
            logger.warning("not compared", extra={"target": place, "code": refused.code, "why": refused.message})
            seen.TargetsNotCompared += 1
            note.update(left=note["left"][1:], cursor=None)
            return
        except InvalidInput:  # the note is of another version
            note["cursor"] = None
            return
        for told in page.told:
            what = told.difference
            logger.warning("differs", extra={"target": place, "certid": what.certid, "code": what.code.value})
        seen.DevicesCompared += page.looked
        seen.DifferencesFound += len(page.told)
        note.update(left=note["left"] if page.cursor else note["left"][1:], cursor=page.cursor)
