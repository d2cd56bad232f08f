"""Lambda: compares the ledger with the targets. For the API, it compares a page of one target and repairs differences
on request. Every 15 minutes, it does a part of the daily round, which reports differences and requests renewals of
certificates.

Its role reads the ledger and its history, and may retry a device. It makes no calls in targets but asks the inspector.
"""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.errors import TargetRefusal
from commissioner.reconciliation.by_device import Reconciliation, reported
from commissioner.reconciliation.daily_round import DailyRound
from commissioner.reconciliation.examination import Examination
from commissioner.reconciliation.inspector_client import InspectorClient, by_lambda
from commissioner.reconciliation.renewal_round import RenewalRound
from commissioner.reconciliation.target_comparison import TargetComparison
from lobby.aws.authorities import Authorities
from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.metric_report import report
from lobby.aws.region_clients import RegionClients
from lobby.contracts.invocation import encode_refusal
from lobby.contracts.targets import Comparison, ComparisonRequest
from lobby.domain.expiry import Expiring
from lobby.domain.targets.profile import Profiles
from lobby.errors import InvalidInput
from lobby.home_guard import everywhere, nothing_done, timer_at_home
from lobby.ledger.clock import now
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Target
from lobby.profiles import bundled_profiles
from lobby.settings import ReconcilerSettings, read_settings

SERVICE: Final = "reconciler"
ROUND: Final = {"round": "daily"}
"""The timer's event."""
RENEWALS: Final = "renewal-round"
"""The name under which the position of the round of renewals is saved."""
_SECONDS_PER_PAGE: Final = 60.0
_SECONDS_FOR_RENEWALS: Final = 240.0
"""The maximum time for renewals, out of the 900 seconds of a run."""
logger = Logger(service=SERVICE)


class Reconciler:
    """Handles both kinds of events."""

    def __init__(self, reconciliation: Reconciliation, daily_round: DailyRound, renewals: RenewalRound) -> None:
        self._reconciliation, self._round, self._renewals = reconciliation, daily_round, renewals

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
        """Continue the daily round: first the renewals, which take at most a part of the time, then the comparisons,
        even if the renewals fail."""
        ends = seconds_left() - _SECONDS_FOR_RENEWALS
        numbers: dict[str, int] = {}
        try:
            numbers |= self._resume(RENEWALS, lambda note: self._renewals.resume(note, lambda: seconds_left() < ends))
        finally:
            numbers |= self._resume(SERVICE, lambda note: self._compare(note, seconds_left))
            report(SERVICE, numbers)
        return numbers

    def _compare(self, note: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, int]:
        return self._round.resume(note, lambda: seconds_left() < _SECONDS_PER_PAGE).numbers()

    @staticmethod
    def _resume(name: str, work: Callable[[dict[str, Any]], dict[str, int]]) -> dict[str, int]:
        """Do a part of a round from its saved position."""
        note = read_progress(name)
        try:
            return work(note)
        finally:
            save_progress(name, note)


def reconciler_of(
    ledger: Ledger,
    inspector: InspectorClient,
    profiles: Profiles,
    targets: Targets,
    lobby: str,
    clock: Callable[[], datetime] = now,
    expiring: Callable[[datetime], list[Expiring]] = lambda _at: [],
) -> Reconciler:
    """`lobby` is the lobby's key. `expiring` returns the CAs and revocation lists that will expire."""
    examination = Examination(ledger, inspector, profiles, lobby, lambda target: _has_standby(targets, target))
    comparison = TargetComparison(inspector, examination, profiles)
    renewals = RenewalRound(ledger, profiles, Enrolments().all, expiring, clock)
    return Reconciler(Reconciliation(inspector, examination), DailyRound(comparison, targets, clock), renewals)


def _has_standby(targets: Targets, target: Target) -> bool:
    """Return whether a target has a standby. The role may only list the targets."""
    return any(each.target == target and each.standby is not None for each in targets.all())


@at_init
def _reconciler() -> Reconciler:
    settings = read_settings(ReconcilerSettings, os.environ)
    connect()
    inspector = InspectorClient(by_lambda(settings.inspector_function))
    clients = LobbyClients()
    regions = RegionClients.of(settings.region, os.environ)
    authorities = Authorities(clients.iot, clients.s3, settings.trust_bucket, regions)
    ledger, targets, profiles = Ledger(settings.region), Targets.read_only(), bundled_profiles()
    return reconciler_of(ledger, inspector, profiles, targets, settings.lobby, expiring=authorities.expiring)


@timer_at_home(nothing_done)
def _resume_round(handling: Reconciler, context: Any) -> dict[str, Any]:
    return handling.resume_round(lambda: context.get_remaining_time_in_millis() / 1000)


@everywhere(Access.HOME)
def handler(event: dict[str, Any], context: Any, reconciler: Reconciler | None = None) -> dict[str, Any]:
    handling = reconciler or _reconciler()
    return _resume_round(handling, context) if event == ROUND else handling.page(event)
