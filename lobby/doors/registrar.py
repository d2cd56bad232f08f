"""Lambda: the registrar. It manages claim certificates and accepts devices of other lobbies for the admin API, and
runs every five minutes by a timer.

Each run aligns the claim certificates with their enrolments, so that a certificate becomes inactive when its enrolment
ends, reports those that expire soon, deletes unused certificates (`unused_certificates`), and completes interrupted
acceptances (`unfinished_acceptances`). In a lobby with several Regions, it also registers in every Region the
certificates of the others (`elsewhere_round`). The admin API itself has no permission on certificates.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.metric_report import report
from lobby.aws.pacer import Pacer
from lobby.aws.region_clients import RegionClients
from lobby.contracts.claim_certificates import (
    AddClaimCertificate,
    AlignClaimCertificates,
    CertificateRequest,
    decode_certificate_request,
)
from lobby.contracts.invocation import encode_refusal
from lobby.contracts.transfers import AcceptDevices, encode_results
from lobby.domain.enrolments.claim_certificate import is_expiring
from lobby.domain.pacing import Pace
from lobby.doors.acceptance import Acceptance
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.elsewhere_round import ElsewhereRound
from lobby.doors.issued_elsewhere import PER_SECOND
from lobby.doors.unfinished_acceptances import UnfinishedAcceptances
from lobby.doors.unused_certificates import UnusedCertificates
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.home_guard import everywhere, nothing_done, timer_at_home
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.reader import LedgerReader
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.settings import RegistrarSettings, read_settings

SERVICE: Final = "registrar"
SOON: Final = timedelta(days=30)
"""How long before its expiry a claim certificate is reported."""
_SECONDS_TO_SAVE: Final = 10.0
logger = Logger(service=SERVICE)


@dataclass(frozen=True)
class RegistrarHandler:
    """The components of the Lambda."""

    claims: ClaimRegistrations
    unused: UnusedCertificates
    enrolments: Enrolments
    acceptance: Acceptance
    unfinished: UnfinishedAcceptances
    clock: Callable[[], datetime] = now
    elsewhere: ElsewhereRound | None = None
    """None in a lobby with one Region."""

    def run(self, time_is_up: Callable[[], bool]) -> dict[str, int]:
        """Do the periodic work. Return the counts by metric name."""
        at, soon = timestamp(self.clock()), timestamp(self.clock() + SOON)
        pairs = self.claims.align_all()
        expiring = [each for each, enrolment in pairs if is_expiring(each, enrolment, at, soon)]
        for each in expiring:
            fields = {"claim": each.certid, "enrolment": each.enrolment, "expires": each.expires}
            logger.warning("claim certificate expires soon", extra=fields)
        note = read_progress(SERVICE)
        try:
            deleted = self.unused.clean(note, time_is_up)
            completed = self.unfinished.complete(note, time_is_up)
        finally:
            save_progress(SERVICE, note)
        return {
            "ClaimCertificatesExpiring": len(expiring),
            "UnusedCertificatesDeleted": deleted,
            "AcceptancesCompleted": completed,
        }

    def serve(self, request: CertificateRequest | AcceptDevices) -> dict[str, Any]:
        """Serve a request of the admin API."""
        if isinstance(request, AcceptDevices):
            return encode_results(self.acceptance.accept(request))
        if isinstance(request, AddClaimCertificate):
            return self.claims.add(request).encode()
        if isinstance(request, AlignClaimCertificates):
            self.claims.align(self.enrolments.get(request.enrolment))
        else:
            self.claims.revoke(request.certid, request.actor)
        return {}


@at_init
def _handler() -> RegistrarHandler:
    settings = read_settings(RegistrarSettings, os.environ)
    connect()
    clients, reader = LobbyClients(), LedgerReader()
    regions = RegionClients.of(settings.region, os.environ)
    claims = ClaimRegistrations(clients.iot, settings.claim_policy, settings.claim_keys_policy, reader, regions=regions)
    unused = UnusedCertificates(settings.region, clients.iot, reader, regions=regions)
    acceptance = Acceptance(clients.iot, Ledger(settings.region), settings.lobby_policy, regions=regions)
    pacer = Pacer(Pace(PER_SECOND))
    unfinished = UnfinishedAcceptances(clients.iot, reader, settings.lobby_policy, pacer)
    several = ElsewhereRound(clients.iot, settings.lobby_policy, pacer) if regions.others else None
    return RegistrarHandler(claims, unused, Enrolments(), acceptance, unfinished, elsewhere=several)


@timer_at_home(nothing_done)
def _run(service: RegistrarHandler, context: Any) -> dict[str, Any]:
    numbers = service.run(lambda: context.get_remaining_time_in_millis() < 1000 * _SECONDS_TO_SAVE)
    report(SERVICE, numbers)
    return numbers


def _run_here(service: RegistrarHandler, context: Any) -> dict[str, Any]:
    """Do the work of each Region, whichever is home."""
    if service.elsewhere is None:
        return {}
    changed = service.elsewhere.run(service.claims, lambda: context.get_remaining_time_in_millis() / 1000)
    return {"CertificatesOfOtherDoors": changed}


def _request(event: dict[str, Any]) -> CertificateRequest | AcceptDevices:
    if event.get("operation") == AcceptDevices.operation:
        return AcceptDevices.decode(event)
    return decode_certificate_request(event)


@everywhere(Access.HOME)
def handler(event: dict[str, Any], context: Any, service: RegistrarHandler | None = None) -> dict[str, Any]:
    """Handle the timer's event, or a request of `lobby.contracts.claim_certificates` or `lobby.contracts.transfers`."""
    service = service or _handler()
    if event.get("operation") == "run":
        return _run(service, context) | _run_here(service, context)
    try:
        return service.serve(_request(event))
    except (InvalidInput, NotFound, Conflict) as error:
        return encode_refusal(error.code, error.message)
