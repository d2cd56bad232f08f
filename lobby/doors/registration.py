"""The bouncer: decides on just-in-time registrations (JITR) of unknown certificates.

AWS IoT has registered the certificate as PENDING_ACTIVATION, because a registered CA has signed it. The bouncer decides
whether to admit it. The row is written before the certificate is activated, so every active certificate has a row. A
refused certificate gets a row with the reason and is set INACTIVE, so that operators see it and its connection attempts
do not start the bouncer again. If the device can come back, from quarantine or an ended transfer, it gets thing and
policy nevertheless. Every step can be repeated; only a pending certificate is changed. `registration_queue` is the
Lambda that delivers the events.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lobby.aws.trust_store import TrustStore
from lobby.domain.connections.deactivation_reasons import QUARANTINED
from lobby.domain.identity import Identity, load_certificate, thing_name, verify
from lobby.domain.transfers.transfer_transitions import ENDED
from lobby.doors.activation import activate
from lobby.doors.admission import Admission, EnrolmentRefused
from lobby.errors import Conflict, IdentityRefused
from lobby.ledger.clock import now
from lobby.ledger.regions.routing import in_own_replica
from lobby.ledger.store import Ledger
from lobby.names import EnrolmentName, Fingerprint, ThingName

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

ACTOR: Final = "service:bouncer"
SETTLED: Final = "settled"
"""The outcome for a certificate that is no longer pending."""
_REFUSING_CONFLICTS: Final = ("NAME_TAKEN", "REVOKED", QUARANTINED)
_ISSUER_REASONS: Final = ("CRL_STALE", "CRL_INVALID", "CRL_PARTIAL", "CRL_SCOPE", "CA_EXPIRED")
"""Before a device is refused for one of these reasons, the CA and its list are read again, because the cache may be out
of date."""


class Bouncer:
    """Admits or refuses pending certificates. `policy` is the IoT policy of an admitted device in the lobby."""

    def __init__(
        self,
        iot: "IoTClient",
        trust: TrustStore,
        ledger: Ledger,
        admission: Admission,
        policy: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._iot, self._trust, self._ledger, self._policy, self._clock = iot, trust, ledger, policy, clock
        self._admission = admission

    def decide(self, certid: Fingerprint) -> str:
        """Admit or refuse a certificate. Return `admitted`, `SETTLED`, or a reason code; `ENDED` for a device that has
        another lobby, and that this one no longer answers."""
        description = self._describe(certid)
        if description is None or description["status"] != "PENDING_ACTIVATION":
            return SETTLED
        try:
            identity = self._verify(certid, description)
            device = self._admission.admit(identity, description.get("caCertificateId") or "", ACTOR)
        except EnrolmentRefused as refusal:
            return self._refuse(certid, description, refusal.code, refusal.message, refusal.enrolment)
        except IdentityRefused as refusal:
            return self._refuse(certid, description, refusal.code, refusal.message)
        except Conflict as conflict:
            if conflict.code not in _REFUSING_CONFLICTS:
                raise
            return self._refuse_known(identity, description, conflict)
        if device.transfer is not None and device.transfer.ended:
            return self._register_inactive(identity, description, ENDED)
        activate(self._iot, identity.name, description["certificateArn"], self._policy)
        return "admitted"

    def admit_without_home(self, certid: Fingerprint) -> str:
        """Activate the pending certificate of a device that has a route according to this Region's replica, so that the
        device can fetch its route at this door while the home Region does not answer. Nothing is written. Return
        `admitted by the replica`, `SETTLED`, or `waits` if only the home can decide. Raise `IdentityRefused`."""
        description = self._describe(certid)
        if description is None or description["status"] != "PENDING_ACTIVATION":
            return SETTLED
        with in_own_replica():
            device = self._ledger.find(certid)
        if device is None or device.route() is None or certid not in device.certificates:
            return "waits"
        identity = self._verify(certid, description)
        if identity.name != device.devicename:
            return "waits"
        activate(self._iot, identity.name, description["certificateArn"], self._policy)
        return "admitted by the replica"

    def _refuse_known(self, identity: Identity, description: Any, conflict: Conflict) -> str:
        """Refuse a valid certificate because of its row, or because of the row that has its name."""
        if conflict.code == QUARANTINED:  # at this door always the device's own row
            return self._register_inactive(identity, description, QUARANTINED)
        return self._refuse(identity.certid, description, conflict.code, conflict.message)

    def _register_inactive(self, identity: Identity, description: Any, outcome: str) -> str:
        """Register the certificate of a device that can come back: the commissioner then sets only its status. Return
        `outcome`."""
        activate(self._iot, identity.name, description["certificateArn"], self._policy, status="INACTIVE")
        return outcome

    def _describe(self, certid: Fingerprint) -> Any:
        try:
            return self._iot.describe_certificate(certificateId=certid)["certificateDescription"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def _verify(self, certid: Fingerprint, description: Any) -> Identity:
        at, ca_id = self._clock(), description.get("caCertificateId") or ""
        try:
            identity = self._verify_now(description["certificatePem"], ca_id, at)
        except IdentityRefused as refusal:
            if refusal.code not in _ISSUER_REASONS or not self._trust.discard(ca_id, at):
                raise
            identity = self._verify_now(description["certificatePem"], ca_id, at)
        if identity.certid != certid:
            raise IdentityRefused("BAD_CERTIFICATE", f"got fingerprint {identity.certid}, want {certid}")
        return identity

    def _verify_now(self, pem: str, ca_id: str, at: datetime) -> Identity:
        issuer = self._trust.issuer(ca_id, at)
        return verify(pem, issuer.pem, issuer.crl, at)

    def _refuse(
        self, certid: Fingerprint, description: Any, code: str, message: str, enrolment: EnrolmentName | None = None
    ) -> str:
        try:
            self._ledger.refuse(certid, _name_if_any(description["certificatePem"]), code, message, ACTOR, enrolment)
        except Conflict as conflict:
            if conflict.code == "NOT_ALLOWED":
                return self._record_reason(certid, code, message)
            if conflict.code not in ("REVOKED", QUARANTINED, "TRANSFERRED"):
                raise
        self._iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
        return code

    def _record_reason(self, certid: Fingerprint, code: str, message: str) -> str:
        """Record the reason for a device that was admitted before, and whose registration in AWS IoT was lost. Its row
        stays."""
        device = self._ledger.get(certid)
        if device is not None:
            self._ledger.retire(device, None, ACTOR, code, message)
        return code


def _name_if_any(pem: str) -> ThingName | None:
    try:
        return thing_name(load_certificate(pem))
    except IdentityRefused:
        return None
