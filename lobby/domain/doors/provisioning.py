"""Decisions at the door `claim`: which device may get its own certificate by AWS IoT's fleet provisioning.

AWS IoT calls a hook before it activates the certificate that it has issued (AWS IoT developer guide, "Pre-provisioning
hooks"). Everything that these functions do not allow is denied. `enrolment` decides whether the enrolment admits the
device, and `repeats` decides about a serial number that another key already has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.x509.oid import NameOID

from lobby.domain.enrolments.claim_certificate import SERIAL_NUMBER, ClaimCertificate
from lobby.domain.identity import Identity, fingerprint, load_certificate
from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import Fingerprint, ThingName, parse_fingerprint, parse_thing_name, shown

AWS_NAME: Final = "AWS IoT Certificate"
"""The CN of a certificate whose key AWS IoT has created (CreateKeysAndCertificate)."""
CLAIM_UNKNOWN: Final = "CLAIM_UNKNOWN"
CLAIM_REVOKED: Final = "CLAIM_REVOKED"
CLAIM_EXPIRED: Final = "CLAIM_EXPIRED"
SERIAL_INVALID: Final = "SERIAL_INVALID"
SERIAL_UNMATCHED: Final = "SERIAL_UNMATCHED"
CN_DIFFERS: Final = "CN_DIFFERS"
CERTIFICATE_INACTIVE: Final = "CERTIFICATE_INACTIVE"
_USABLE: Final = ("PENDING_ACTIVATION", "ACTIVE")
"""The states of a certificate that was just issued, or was activated by its ownership token before."""


@dataclass(frozen=True)
class ProvisioningRequest:
    """The request of AWS IoT to the hook: the claim certificate's fingerprint, the new certificate and its fingerprint,
    and the serial number that the device has sent."""

    claim: Fingerprint
    certid: Fingerprint
    pem: str
    serial: object

    @property
    def name(self) -> ThingName | None:
        """Return the requested thing name, or None if it is not valid."""
        try:
            return parse_thing_name(self.serial)
        except InvalidInput:
            return None


def parse_request(event: Mapping[str, Any]) -> ProvisioningRequest:
    """Read the hook's event (the same page, "Pre-provision hook input"). Raise `InvalidInput` INVALID_FINGERPRINT or
    INVALID_EVENT: AWS IoT never sends such an event."""
    pem, parameters = event.get("certificatePem"), event.get("parameters")
    if not isinstance(pem, str) or not isinstance(parameters, dict):
        raise InvalidInput("INVALID_EVENT", f"got {shown(dict(event))}, want a certificate and parameters")
    claim, certid = parse_fingerprint(event.get("claimCertificateId")), parse_fingerprint(event.get("certificateId"))
    return ProvisioningRequest(claim, certid, pem, parameters.get(SERIAL_NUMBER))


def require_claim(claim: ClaimCertificate | None, request: ProvisioningRequest, at: str) -> ClaimCertificate:
    """Return the claim certificate. Raise `IdentityRefused` CLAIM_UNKNOWN, CLAIM_REVOKED or CLAIM_EXPIRED."""
    if claim is None:
        raise IdentityRefused(CLAIM_UNKNOWN, f"got claim certificate {request.claim}, want one of an enrolment")
    if claim.revokedat is not None:
        raise IdentityRefused(CLAIM_REVOKED, f"got claim certificate {claim.certid}, revoked at {claim.revokedat}")
    if at >= claim.expires:
        raise IdentityRefused(CLAIM_EXPIRED, f"got claim certificate {claim.certid}, which expired at {claim.expires}")
    return claim


def require_status(status: str) -> None:
    """Raise `IdentityRefused` CERTIFICATE_INACTIVE for a certificate that was deactivated: its ownership token would
    activate it again. `status` is AWS IoT's."""
    if status not in _USABLE:
        message = f"got a certificate that is {status}, want a new one: an ownership token does not activate it again"
        raise IdentityRefused(CERTIFICATE_INACTIVE, message)


def identity_of(request: ProvisioningRequest) -> Identity:
    """Return the requested identity: the serial number as thing name, and the new certificate.

    AWS IoT has issued the certificate and checked the key, and it keeps the subject of the device's request. A CN must
    be the serial number, so that no certificate names another device. Raise `IdentityRefused`: SERIAL_INVALID,
    CN_DIFFERS, or BAD_CERTIFICATE, BAD_EXTENSION or BAD_VALIDITY as `load_certificate`."""
    try:
        serial = parse_thing_name(request.serial)
    except InvalidInput as error:
        raise IdentityRefused(SERIAL_INVALID, f"{error.message}, as parameter {SERIAL_NUMBER}") from None
    certificate = load_certificate(request.pem)
    found = fingerprint(certificate)
    if found != request.certid:
        raise IdentityRefused("BAD_CERTIFICATE", f"got a certificate with fingerprint {found}, want {request.certid}")
    names = [each.value for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names not in ([], [serial], [AWS_NAME]):
        got = shown(", ".join(map(str, names)))
        raise IdentityRefused(CN_DIFFERS, f"got CN {got} in the certificate, want the serial number {serial!r} or none")
    return Identity(request.certid, serial, request.pem)
