"""Lambda: the hook of the door `claim`. AWS IoT calls it before it activates a certificate of fleet provisioning.

The device has connected with the claim certificate of an enrolment, and names its serial number. The hook admits the
device like the other doors, so the row is written before the certificate is active, and then allows the provisioning.
Everything else is denied: a refused device gets a row with the reason, and AWS IoT treats an error or a timeout as a
denial. A repeated request is allowed again while the device stays admitted.
"""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.config import Config

from lobby.aws import allocation_hook
from lobby.aws.clients import CLIENT_CONFIG, at_init, client
from lobby.domain.connections.deactivation_reasons import QUARANTINED, REVOKED
from lobby.domain.doors.provisioning import (
    ProvisioningRequest,
    identity_of,
    parse_request,
    require_claim,
    require_status,
)
from lobby.domain.doors.repeats import REFUSING
from lobby.domain.enrolments.claim_certificate import ClaimCertificate
from lobby.domain.transitions import NAME_DIFFERS
from lobby.doors.admission import Admission, EnrolmentRefused
from lobby.doors.allocating import Allocator
from lobby.errors import Conflict, IdentityRefused
from lobby.home_guard import everywhere
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.claim_certificates import ClaimCertificateRow, ClaimCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow, SerialRow
from lobby.ledger.enrolments.recent_enrolments import RecentEnrolments
from lobby.ledger.enrolments.serial_approvals import ApprovalRow
from lobby.ledger.models import TargetRow
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import EnrolmentName, Fingerprint
from lobby.settings import LobbySettings, read_settings

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

SERVICE: Final = "provisioning"
ACTOR: Final = f"service:{SERVICE}"
ALLOWED: Final = "allowed"
FUNCTION_TIMEOUT: Final = 2
"""Seconds for an operator's function that chooses the target. AWS IoT waits 5 s for the hook, including a cold
start."""
_CALLS: Final = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
logger = Logger(service=SERVICE)


class ProvisioningHook:
    """Decides about one request at a time. `find_claim` returns a claim certificate of the ledger."""

    def __init__(
        self,
        iot: "IoTClient",
        ledger: Ledger,
        admission: Admission,
        find_claim: Callable[[Fingerprint], ClaimCertificate | None] = ClaimCertificates.find,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._iot, self._ledger, self._admission = iot, ledger, admission
        self._find_claim, self._clock = find_claim, clock

    def decide(self, request: ProvisioningRequest) -> str:
        """Return `allowed`, or the code of the reason why the device is denied. Raise errors that must be retried."""
        enrolment: EnrolmentName | None = None
        try:
            found = self._find_claim(request.claim)
            enrolment = found.enrolment if found else None
            claim = require_claim(found, request, timestamp(self._clock()))
            identity = identity_of(request)
            require_status(self._status(request.certid))
            device = self._admission.admit_to(claim.enrolment, identity, ACTOR)
        except EnrolmentRefused as refusal:
            return self._deny(request, refusal.code, refusal.message, refusal.enrolment)
        except IdentityRefused as refusal:
            return self._deny(request, refusal.code, refusal.message, enrolment)
        except Conflict as conflict:
            if conflict.code not in REFUSING:
                raise
            return self._deny(request, conflict.code, conflict.message, enrolment)
        return ALLOWED if device.devicename == identity.name else NAME_DIFFERS

    def _status(self, certid: Fingerprint) -> str:
        return self._iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]

    def _deny(self, request: ProvisioningRequest, code: str, message: str, enrolment: EnrolmentName | None) -> str:
        """Record the reason. A device that was admitted or revoked before keeps its row as it is."""
        try:
            self._ledger.refuse(request.certid, request.name, code, message, ACTOR, enrolment, unless_admitted=True)
        except Conflict as conflict:
            if conflict.code not in (REVOKED, QUARANTINED, "TRANSFERRED"):
                raise
        return code


@at_init
def _hook() -> ProvisioningHook:
    settings = read_settings(LobbySettings, os.environ)
    connect(EnrolmentRow, SerialRow, TargetRow, ClaimCertificateRow, ApprovalRow)
    ledger, enrolments = Ledger(settings.region), RecentEnrolments(Enrolments())
    allocator = Allocator(Targets.read_only().all, partial(allocation_hook.invoke, timeout=FUNCTION_TIMEOUT))
    return ProvisioningHook(
        client("iot", CLIENT_CONFIG.merge(_CALLS)), ledger, Admission(ledger, enrolments, allocator)
    )


@everywhere(Access.DOOR)
def handler(event: Mapping[str, Any], _context: object, hook: ProvisioningHook | None = None) -> dict[str, bool]:
    """Answer the hook's event of payload version 2020-04-01."""
    request = parse_request(event)
    outcome = (hook or _hook()).decide(request)
    fields = {"certid": request.certid, "claim": request.claim, "thing": request.name, "outcome": outcome}
    logger.info("decided", extra=fields)
    return {"allowProvisioning": outcome == ALLOWED}
