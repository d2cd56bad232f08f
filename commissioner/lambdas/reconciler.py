"""Lambda: compares the ledger with the targets. It returns a page of one target, reported or repaired, to the API;
every 15 minutes it does a part of the daily round, which only reports.

Its role reads the ledger and its history, and may retry a device. It makes no calls in targets; it asks the inspector.
"""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.daily_reconciliation import DailyRound
from commissioner.errors import TargetRefusal
from commissioner.examination import Examination
from commissioner.inspector_client import InspectorClient, by_lambda
from commissioner.reconciliation import Reconciliation, reported
from commissioner.target_comparison import TargetComparison
from lobby.aws.clients import at_init
from lobby.aws.metric_report import report
from lobby.contracts import Comparison, ComparisonRequest
from lobby.domain.profile import Profiles
from lobby.errors import InvalidInput
from lobby.invocation import encode_refusal
from lobby.ledger.clock import now
from lobby.ledger.connection import connect
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.store import Ledger
from lobby.ledger.targets import Targets
from lobby.profiles import bundled_profiles
from lobby.settings import ReconcilerSettings, read_settings

SERVICE: Final = "reconciler"
ROUND: Final = {"round": "daily"}
"""The timer's event."""
_SECONDS_PER_PAGE: Final = 60.0
logger = Logger(service=SERVICE)


class Reconciler:
    """Handles both kinds of events."""

    def __init__(self, reconciliation: Reconciliation, daily_round: DailyRound) -> None:
        self._reconciliation, self._round = reconciliation, daily_round

    def page(self, event: dict[str, Any]) -> dict[str, Any]:
        """Handle a `ComparisonRequest`; return a `Comparison`, or a refusal if the target cannot be read or the cursor
        is invalid."""
        request = ComparisonRequest.decode(event)
        try:
            page = self._reconciliation.page(request.target, request.cursor, request.repair_as)
        except (InvalidInput, TargetRefusal) as refusal:
            return encode_refusal(refusal.code, refusal.message)
        response: dict[str, Any] = Comparison(page.compared, reported(page.findings), page.cursor).encode()
        extra = {"target": str(request.target), "repair_as": request.repair_as, "differences": response["differences"]}
        logger.info("compared", extra=extra)
        return response

    def resume_round(self, seconds_left: Callable[[], float]) -> dict[str, int]:
        note = read_progress(SERVICE)
        try:
            result = self._round.resume(note, lambda: seconds_left() < _SECONDS_PER_PAGE)
        finally:
            save_progress(SERVICE, note)
        report(SERVICE, result.numbers())
        return result.numbers()


def reconciler_of(
    ledger: Ledger,
    inspector: InspectorClient,
    profiles: Profiles,
    targets: Targets,
    lobby: str,
    clock: Callable[[], datetime] = now,
) -> Reconciler:
    """`lobby` is the lobby's key."""
    examination = Examination(ledger, inspector, profiles, lobby)
    comparison = TargetComparison(inspector, examination, profiles)
    return Reconciler(Reconciliation(inspector, examination), DailyRound(comparison, targets, clock))


@at_init
def _reconciler() -> Reconciler:
    settings = read_settings(ReconcilerSettings, os.environ)
    connect()
    inspector = InspectorClient(by_lambda(settings.inspector_function))
    profiles, targets = bundled_profiles(), Targets.read_only()
    return reconciler_of(Ledger(settings.region), inspector, profiles, targets, settings.lobby)


def handler(event: dict[str, Any], context: Any, reconciler: Reconciler | None = None) -> dict[str, Any]:
    handling = reconciler or _reconciler()
    if event == ROUND:
        return handling.resume_round(lambda: context.get_remaining_time_in_millis() / 1000)
    return handling.page(event)
