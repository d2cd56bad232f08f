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
from commissioner.reconciliation import Reconciliation, reported
from commissioner.reporting import report
from lobby.contracts import Comparison, ComparisonRequest
from lobby.errors import InvalidInput
from lobby.invocation import encode_refusal
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.store import Ledger
from lobby.ledger.targets import Targets
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
        """Takes a `ComparisonRequest`; returns a `Comparison`, or a refusal where the target cannot be looked at or the
        cursor is invalid."""
        request = ComparisonRequest.decode(event)
        try:
            page = self._reconciliation.page(request.target, request.cursor, request.repair_as)
        except (InvalidInput, TargetRefused) as refused:
            return encode_refusal(refused.code, refused.message)
        response = Comparison(page.looked, reported(page.told), page.cursor).encode()
        about = {"target": str(request.target), "repair_as": request.repair_as}
        logger.info("compared", extra={**about, "differences": response["differences"]})
        return response

    def go_on(self, seconds_left: Callable[[], float]) -> dict[str, int]:
        note = read_progress(SERVICE)
        try:
            seen = self._round.go_on(note, lambda: seconds_left() < _TIME_FOR_A_PAGE)
        finally:
            save_progress(SERVICE, note)
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
