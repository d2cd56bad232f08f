"""Registers claim certificates in AWS IoT, and activates or deactivates them as their enrolments require.

The ledger's item is written first, because a claim certificate without an item admits no device. The item states that a
certificate may be active before it is activated, and that it is inactive only after it was deactivated, so the next run
completes an interrupted change. A certificate that an administrator deactivates in AWS IoT stays inactive.
`registrar` is the Lambda.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.contracts.claim_certificates import AddClaimCertificate, AddedClaimCertificate
from lobby.domain.enrolments.claim_certificate import (
    MAX_CLAIM_CERTIFICATES,
    CertificateActivity,
    ClaimCertificate,
    ClaimState,
    Source,
    state_of,
)
from lobby.domain.enrolments.claim_rules import certificate_entered, expiry_of, key_of_request
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEntry, EnrolmentEvent, EnrolmentState
from lobby.domain.enrolments.enrolment_rules import require_door
from lobby.doors.activation import registered
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.reader import LedgerReader
from lobby.names import EnrolmentName, Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

_NOT_FOUND: Final = "ResourceNotFoundException"
_EXISTS: Final = "ResourceAlreadyExistsException"


class ClaimRegistrations:
    """`policy` and `keys_policy` are the IoT policies of claim certificates; `keys_policy` also allows
    CreateKeysAndCertificate. `regions` are the other Regions of the lobby: a claim certificate is valid in every
    Region."""

    def __init__(
        self,
        iot: "IoTClient",
        policy: str,
        keys_policy: str,
        reader: LedgerReader,
        clock: Callable[[], datetime] = now,
        regions: RegionClients = ONE_REGION,
    ) -> None:
        self._iot, self._policy, self._keys_policy, self._reader, self._clock = iot, policy, keys_policy, reader, clock
        self._regions = regions
        self._certificates, self._enrolments = ClaimCertificates(), Enrolments(clock)

    def add(self, request: AddClaimCertificate) -> AddedClaimCertificate:
        """Register a claim certificate. A repeated request returns the same certificate. Raise `InvalidInput`
        INVALID_CSR, INVALID_CERTIFICATE or INVALID_COUNT, `NotFound` UNKNOWN_ENROLMENT, or `Conflict` WRONG_DOOR,
        ENROLMENT_REVOKED or CERTIFICATE_IN_USE."""
        enrolment = self._enrolments.get(request.enrolment)
        _require_open(enrolment)
        usable = [each for each in self._certificates.of(enrolment.name) if each.revokedat is None]
        if request.csr is not None and request.pem is None:
            added = self._issued(request, request.csr, usable)
        elif request.pem is not None and request.csr is None:
            added = self._supplied(request, request.pem, usable)
        else:
            got = "both" if request.csr else "none"
            raise InvalidInput("INVALID_CERTIFICATE", f"got {got} of csr and certificatePem, want one of them")
        self.align(enrolment)
        return added

    def _issued(self, request: AddClaimCertificate, csr: str, usable: list[ClaimCertificate]) -> AddedClaimCertificate:
        key = key_of_request(csr)
        known = next((each for each in usable if each.key == key), None)
        if known is not None:
            return AddedClaimCertificate(known.certid, self._describe(known.certid)["certificatePem"])
        _require_room(usable)
        try:
            issued = self._iot.create_certificate_from_csr(certificateSigningRequest=csr, setAsActive=False)
        except ClientError as error:
            if _code(error) != "InvalidRequestException":
                raise
            want = "want a PKCS #10 request in PEM with a key of RSA 2048 bits or more, or EC P-256 or P-384"
            raise InvalidInput("INVALID_CSR", f"got a request that AWS IoT does not sign ({error}), {want}") from None
        pem, certid = issued["certificatePem"], Fingerprint(issued["certificateId"])
        self._record(request, certid, Source.ISSUED, expiry_of(pem), key)
        return AddedClaimCertificate(certid, pem)

    def _supplied(
        self, request: AddClaimCertificate, pem: str, usable: list[ClaimCertificate]
    ) -> AddedClaimCertificate:
        certid, expires = certificate_entered(pem, self._clock())
        if certid not in {each.certid for each in usable}:
            _require_room(usable)
            self._require_unused(certid)
            self._record(request, certid, Source.SUPPLIED, expires)
        try:
            self._iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
        except ClientError as error:
            if _code(error) != _EXISTS:  # an interrupted or earlier request has registered it
                raise
        return AddedClaimCertificate(certid, pem)

    def _require_unused(self, certid: Fingerprint) -> None:
        """Refuse a device's certificate, and a certificate that this account uses for something else."""
        if self._certificates.find(certid) is not None or self._reader.get(certid) is not None:
            known = "a device's, another enrolment's, or was revoked"
            raise Conflict("CERTIFICATE_IN_USE", f"got certificate {certid}, which is {known}; want a new one")
        try:
            self._iot.describe_certificate(certificateId=certid)
        except ClientError as error:
            if _code(error) != _NOT_FOUND:
                raise
        else:
            raise Conflict("CERTIFICATE_IN_USE", f"got certificate {certid}, which AWS IoT has already; want a new one")

    def _record(
        self,
        request: AddClaimCertificate,
        certid: Fingerprint,
        source: Source,
        expires: str,
        key: str | None = None,
    ) -> None:
        at = timestamp(self._clock())
        new = ClaimCertificate(
            certid, request.enrolment, expires, source, request.actor, at, request.creates_keys, key=key
        )
        entry = EnrolmentEntry(at, request.actor, EnrolmentEvent.CERTIFIED, f"{certid} until {expires}")
        self._certificates.add(new, entry)

    def revoke(self, certid: Fingerprint, actor: str) -> None:
        """Revoke a claim certificate permanently. Repeating it changes nothing. Raise as `ClaimCertificates.revoke`."""
        at = timestamp(self._clock())
        entry = EnrolmentEntry(at, actor, EnrolmentEvent.UNCERTIFIED, certid)
        revoked = self._certificates.revoke(certid, at, entry)
        self._apply(revoked, self._enrolments.get(revoked.enrolment))

    def align(self, enrolment: Enrolment) -> None:
        """Align the claim certificates of an enrolment in AWS IoT with its state."""
        for certificate in self._certificates.of(enrolment.name):
            self._apply(certificate, enrolment)

    def align_all(self) -> list[tuple[ClaimCertificate, Enrolment]]:
        """Align all claim certificates, and return them with their enrolments."""
        enrolments: dict[EnrolmentName, Enrolment] = {each.name: each for each in self._enrolments.all()}
        pairs = [(each, enrolments[each.enrolment]) for each in self._certificates.all()]
        for certificate, enrolment in pairs:
            self._apply(certificate, enrolment)
        return pairs

    def _apply(self, certificate: ClaimCertificate, enrolment: Enrolment) -> None:
        wanted = state_of(certificate, enrolment, timestamp(self._clock())) is ClaimState.ACTIVE
        if wanted and certificate.activity is not CertificateActivity.ACTIVE:
            self._activate(certificate)
        elif not wanted and certificate.activity is not CertificateActivity.INACTIVE:
            self._deactivate(certificate.certid)
            self._certificates.set_activity(certificate, CertificateActivity.INACTIVE)

    def complete(self, certificate: ClaimCertificate) -> bool:
        """Register an active claim certificate in this Region, if it is missing here because the Region was added
        later. Return whether it was."""
        if certificate.activity is not CertificateActivity.ACTIVE or certificate.revokedat is not None:
            return False
        known = self._describe(certificate.certid)
        if known["here"]:
            return False
        self._activate_at(self._iot, certificate, known)
        return True

    def _activate(self, certificate: ClaimCertificate) -> None:
        self._certificates.set_activity(certificate, CertificateActivity.STARTING)
        known = self._describe(certificate.certid)
        self._regions.everywhere(self._iot, lambda iot: self._activate_at(iot, certificate, known))
        self._certificates.set_activity(
            replace(certificate, activity=CertificateActivity.STARTING), CertificateActivity.ACTIVE
        )

    def _activate_at(self, iot: "IoTClient", certificate: ClaimCertificate, known: Any) -> None:
        """Activate the certificate in a Region. `known` is its description from a Region that has it."""
        is_known_here = iot is self._iot and known["here"]
        arn = known["certificateArn"] if is_known_here else registered(iot, certificate.certid, known["certificatePem"])
        iot.attach_policy(policyName=self._policy, target=arn)
        if certificate.creates_keys:
            iot.attach_policy(policyName=self._keys_policy, target=arn)
        iot.update_certificate(certificateId=certificate.certid, newStatus="ACTIVE")

    def _deactivate(self, certid: Fingerprint) -> None:
        def deactivate(iot: "IoTClient") -> None:
            try:
                iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
            except ClientError as error:
                if _code(error) != _NOT_FOUND:
                    raise

        self._regions.everywhere(self._iot, deactivate)

    def _describe(self, certid: Fingerprint) -> Any:
        """Return the description of a certificate from this Region or another one. `here`: this Region has the
        certificate."""
        for iot in self._regions.each(self._iot):
            try:
                return iot().describe_certificate(certificateId=certid)["certificateDescription"] | {
                    "here": iot() is self._iot
                }
            except ClientError as error:
                if _code(error) != _NOT_FOUND:
                    raise
                missing = error
        raise missing


def _require_open(enrolment: Enrolment) -> None:
    require_door(enrolment, Door.CLAIM)
    if enrolment.state is EnrolmentState.REVOKED:
        raise Conflict("ENROLMENT_REVOKED", f"got enrolment {enrolment.name}, which is revoked permanently")


def _require_room(usable: list[ClaimCertificate]) -> None:
    if len(usable) >= MAX_CLAIM_CERTIFICATES:
        message = f"got one more claim certificate, want at most {MAX_CLAIM_CERTIFICATES} of an enrolment; revoke one"
        raise InvalidInput("INVALID_COUNT", message)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
