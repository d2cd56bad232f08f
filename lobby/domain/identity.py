"""Verifies a device's certificate: fingerprint, thing name, chain and revocation.

Returns an `Identity`, or raises `IdentityRefused` with the reason code that the ledger records, the complete cause, and
the fix. It raises no other error for any input. The path is one step long: the certificate's issuer is the registered
CA, the trust anchor. `lobby.domain.trust` has the checks; docs/manufacturer.md lists where they differ from OpenSSL's.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from lobby.domain.trust import device_certificate as device
from lobby.domain.trust.issuer import check_issued_by, check_issuer_validity, parse_issuer
from lobby.domain.trust.reading import Unreadable, read
from lobby.domain.trust.revocation import check_revocation
from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import Fingerprint, ThingName, parse_thing_name


@dataclass(frozen=True)
class Identity:
    """A verified certificate. `expires` is its last day, such as 2027-12-31; None if its door does not know it."""

    certid: Fingerprint
    name: ThingName
    pem: str
    expires: str | None = None


def fingerprint(certificate: x509.Certificate) -> Fingerprint:
    """Return AWS IoT's certificate id: SHA-256 of the DER, as hex."""
    return Fingerprint(certificate.fingerprint(SHA256()).hex())


def last_day(certificate: x509.Certificate) -> str:
    """Return the day of `notAfter`, as ISO 8601."""
    return read(lambda: certificate.not_valid_after_utc).date().isoformat()


def load_certificate(pem: str) -> x509.Certificate:
    """Return the only certificate in a PEM, whose fields can be read. Raise `IdentityRefused` BAD_CERTIFICATE,
    BAD_EXTENSION or BAD_VALIDITY."""
    return device.parse_device(pem)


def thing_name(certificate: x509.Certificate) -> ThingName:
    """Return the only CN of the parsed subject. Raise `IdentityRefused` NAME_MISSING, NAME_DOUBLED, NAME_INVALID."""
    names = read(lambda: certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    if not names:
        raise IdentityRefused("NAME_MISSING", "got a subject without CN, want the thing name there")
    if len(names) > 1:
        raise IdentityRefused("NAME_DOUBLED", f"got {len(names)} CNs, want one")
    try:
        return parse_thing_name(names[0].value)
    except InvalidInput as error:
        raise IdentityRefused("NAME_INVALID", error.message) from None


def verify(pem: str, issuer_pem: str, crl: bytes | None, at: datetime) -> Identity:
    """Return the identity of the certificate `pem`, issued by the registered CA `issuer_pem`, at the time `at`. `crl`
    is the content of the CA's file of revocation lists, in PEM or DER.

    Raise `IdentityRefused`; the functions called here list its codes."""
    try:
        return read(lambda: _verified(pem, issuer_pem, crl, at))
    except Unreadable as error:
        raise IdentityRefused("BAD_CERTIFICATE", f"got a certificate that cannot be checked ({error})") from None


def _verified(pem: str, issuer_pem: str, crl: bytes | None, at: datetime) -> Identity:
    certificate = load_certificate(pem)
    device.check_form(certificate)
    device.check_validity(certificate, at)
    device.check_strength(certificate)
    device.check_purpose(certificate)
    name = thing_name(certificate)
    issuer = parse_issuer(issuer_pem)
    check_issuer_validity(issuer, at)
    check_issued_by(certificate, issuer)
    check_revocation(certificate, issuer, crl, at)
    return Identity(fingerprint(certificate), name, pem, last_day(certificate))
