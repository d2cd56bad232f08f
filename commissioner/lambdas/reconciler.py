"""Lambda: compares the ledger with the targets. A page of one target, told or mended, for the API; and every hour a
part of the daily round, which only tells.

Its own role reads the ledger and its history, and may retry a device; it enters no target, but asks the inspector.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.daily_reconciliation import DailyRound
from commissioner.inspector_client import Inquiry, TargetRefused, by_lambda
from commissioner.reconciliation import Reconciliation, finding_of
from commissioner.reporting import report
from lobby.errors import InvalidInput
from lobby.ledger.rounds import note_round, read_round
from lobby.ledger.store import Ledger
from lobby.ledger.targets import Targets
from lobby.names import parse_target
from lobby.settings import ReconcilerSettings, read_settings

SERVICE: Final = "reconciler"
ROUND: Final = {"round": "daily"}
"""The timer's event."""
_TIME_FOR_A_PAGE: Final = 60.0
"""Seconds."""
logger = Logger(service=SERVICE)


class Reconciler:
    """Takes both kinds of events."""

    def __init__(self, reconciliation: Reconciliation, round_: DailyRound) -> None:
        self._reconciliation, self._round = reconciliation, round_

    def page(self, event: dict[str, Any]) -> dict[str, Any]:
        """{"account", "region", "cursor"?, "mender"?} → {"looked", "differences", "cursor"}, or {"refused": {"code",
        "message"}} where the target cannot be looked at or the cursor is none."""
        target, mender = parse_target(event.get("account"), event.get("region")), event.get("mender")
        try:
            page = self._reconciliation.page(target, event.get("cursor"), mender)
        except (InvalidInput, TargetRefused) as refused:
            return {"refused": {"code": refused.code, "message": refused.message}}
        differences = finding_of(page.told)
        logger.info("compared", extra={"target": str(target), "mender": mender, "differences": differences})
        return {"looked": page.looked, "differences": differences, "cursor": page.cursor}

    def go_on(self, seconds_left: Callable[[], float]) -> dict[str, int]:
        note = read_round(SERVICE)
        try:
            seen = self._round.go_on(note, lambda: seconds_left() < _TIME_FOR_A_PAGE)
        finally:
            note_round(SERVICE, note)
        report(SERVICE, seen.numbers())
        return seen.numbers()


@cache
def _reconciler() -> Reconciler:
    settings = read_settings(ReconcilerSettings, os.environ)
    reconciliation = Reconciliation(Ledger(settings.region), Inquiry(by_lambda(settings.inspector_function)))
    return Reconciler(reconciliation, DailyRound(reconciliation, Targets.read_only()))


def handler(event: dict[str, Any], context: Any, reconciler: Reconciler | None = None) -> dict[str, Any]:
    served = reconciler or _reconciler()
    if event == ROUND:
        return served.go_on(lambda: context.get_remaining_time_in_millis() / 1000)
    return served.page(event)
