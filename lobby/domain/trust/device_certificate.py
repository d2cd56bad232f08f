"""The checks of a device's certificate that do not depend on its CA.

It must be X.509 v3 with a positive serial number of at most 20 octets, valid now, with a key and a signature that AWS
IoT accepts, and permit TLS client authentication. It must not be a CA certificate, or have a critical extension that
these checks do not know (RFC 5280, 4.2). What RFC 5280 allows is accepted, even if other validators refuse it: every
extension below may be present or absent, critical or not.
"""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from lobby.domain.trust import keys
from lobby.domain.trust.reading import CAUSE_LENGTH, Unreadable, pem_certificates, read
from lobby.errors import IdentityRefused
from lobby.names import shown

MAX_SERIAL_BITS: Final = 159
"""20 octets with a leading zero bit (RFC 5280, 4.1.2.2)."""
UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.OCSP_NO_CHECK,
    }
)
"""Extensions that may be critical. The lobby requires no policy and uses no other name, so it need not process them;
distribution points select the revocation list."""


def parse_device(pem: str) -> x509.Certificate:
    """Return the only certificate in a PEM, all of whose fields can be read. Raise `IdentityRefused` BAD_CERTIFICATE,
    BAD_EXTENSION or BAD_VALIDITY."""
    try:
        certificates = pem_certificates(pem)
        if len(certificates) != 1:
            raise IdentityRefused("BAD_CERTIFICATE", f"got {len(certificates)} certificates, want one")
        [certificate] = certificates
        read(lambda: (certificate.version, certificate.subject, certificate.issuer, certificate.serial_number))
    except Unreadable as error:
        raise IdentityRefused(
            "BAD_CERTIFICATE", f"got a certificate that cannot be read ({error}), want X.509 in PEM"
        ) from None
    try:
        read(lambda: list(certificate.extensions))
    except Unreadable as error:
        raise IdentityRefused(
            "BAD_EXTENSION",
            f"got an extension that cannot be read ({error}), want each extension once and as RFC 5280 defines it",
        ) from None
    try:
        read(lambda: (certificate.not_valid_before_utc, certificate.not_valid_after_utc))
    except Unreadable as error:
        raise IdentityRefused(
            "BAD_VALIDITY", f"got a validity that cannot be read ({error}), want years 0001 to 9999"
        ) from None
    return certificate


def check_form(certificate: x509.Certificate) -> None:
    """Raise `IdentityRefused` BAD_CERTIFICATE for X.509 v1 and v2, and BAD_SERIAL."""
    if certificate.version is not x509.Version.v3:
        got = certificate.version.name
        raise IdentityRefused("BAD_CERTIFICATE", f"got an X.509 {got} certificate, want v3 (openssl: -extfile)")
    serial = certificate.serial_number
    if serial <= 0:
        got = "0" if serial == 0 else "a negative number"
        raise IdentityRefused("BAD_SERIAL", f"got {got} as serial number, want a positive one (RFC 5280, 4.1.2.2)")
    if serial.bit_length() > MAX_SERIAL_BITS:
        octets = serial.bit_length() // 8 + 1
        raise IdentityRefused("BAD_SERIAL", f"got a serial number of {octets} octets, want at most 20")


def check_validity(certificate: x509.Certificate, at: datetime) -> None:
    """Raise `IdentityRefused` BAD_VALIDITY, NOT_YET_VALID or EXPIRED."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if begin > end:
        raise IdentityRefused(
            "BAD_VALIDITY", f"got a validity from {begin:%FT%TZ} until {end:%FT%TZ}, want an end after the beginning"
        )
    if at < begin:
        raise IdentityRefused(
            "NOT_YET_VALID",
            f"got a certificate valid from {begin:%FT%TZ}, want one valid now: check the clock of the CA's machine",
        )
    if at > end:
        raise IdentityRefused("EXPIRED", f"got a certificate valid until {end:%FT%TZ}, want one valid now")


def check_strength(certificate: x509.Certificate) -> None:
    """Raise `IdentityRefused` WEAK_KEY, KEY_TOO_LARGE or WEAK_SIGNATURE."""
    try:
        key = keys.key_of(certificate)
    except Unreadable as error:
        raise IdentityRefused("WEAK_KEY", f"got a key that is not supported ({error}), want {keys.WANTED}") from None
    if weak := keys.weakness(key):
        raise IdentityRefused("WEAK_KEY", f"got {weak}, want {keys.WANTED}")
    if large := keys.excess(key):
        raise IdentityRefused("KEY_TOO_LARGE", f"got {large}")
    try:
        weak = keys.weak_hash(certificate)
    except Unreadable as error:
        weak = str(error)
    if weak:
        raise IdentityRefused(
            "WEAK_SIGNATURE", f"got a signature with {weak}, want SHA-256, SHA-384 or SHA-512: issue it again with one"
        )


def check_purpose(certificate: x509.Certificate) -> None:
    """Raise `IdentityRefused` NOT_A_DEVICE, WRONG_PURPOSE or CRITICAL_EXTENSION."""
    for extension in certificate.extensions:
        match extension.value:
            case x509.BasicConstraints(ca=True):
                raise IdentityRefused("NOT_A_DEVICE", "got a CA certificate, want a device's (CA:FALSE)")
            case x509.KeyUsage(key_cert_sign=True):
                raise IdentityRefused(
                    "NOT_A_DEVICE", "got a key that may sign certificates, want a device's key usage: digitalSignature"
                )
            case x509.KeyUsage(digital_signature=False):
                raise IdentityRefused(
                    "WRONG_PURPOSE", "got a key usage without digitalSignature, want it for TLS client authentication"
                )
            case x509.ExtendedKeyUsage() as uses if ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
                listed = shown(", ".join(use.dotted_string for use in uses), CAUSE_LENGTH)
                raise IdentityRefused(
                    "WRONG_PURPOSE",
                    f"got an extended key usage without clientAuth ({listed}), want clientAuth (1.3.6.1.5.5.7.3.2)",
                )
    if unknown := unknown_critical(certificate, UNDERSTOOD):
        raise IdentityRefused(
            "CRITICAL_EXTENSION", f"got a critical extension that is not known here ({unknown}), want it not critical"
        )


def unknown_critical(certificate: x509.Certificate, understood: frozenset[x509.ObjectIdentifier]) -> str:
    """Return the OIDs of the critical extensions that are not `understood`, or an empty string."""
    critical = (each.oid for each in certificate.extensions if each.critical)
    unknown = [oid.dotted_string for oid in critical if oid not in understood]
    return shown(", ".join(unknown), CAUSE_LENGTH) if unknown else ""
