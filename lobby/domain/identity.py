"""Verifies a device's certificate: fingerprint, thing name, chain and revocation.

Returns an `Identity`, or raises `IdentityRefused` with the reason code that the ledger records. Stricter than TLS: the
chain must end at a CA that the operator registered, the key must be strong, the certificate must be a device's and not
a CA's, the CN must be one thing name, and the issuer's revocation list must exist, have a valid signature, be current
and not contain the certificate.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import Fingerprint, ThingName, parse_thing_name, shown

MIN_RSA_BITS: Final = 2048
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_HASHES: Final = ("sha256", "sha384", "sha512")
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for bytes that it cannot or will not read."""


@dataclass(frozen=True)
class Identity:
    """A verified certificate."""

    certid: Fingerprint
    name: ThingName
    pem: str


def fingerprint(certificate: x509.Certificate) -> Fingerprint:
    """Return AWS IoT's certificate id: SHA-256 of the DER, as hex."""
    return Fingerprint(certificate.fingerprint(SHA256()).hex())


def load_certificate(pem: str) -> x509.Certificate:
    """Return the only certificate in a PEM. Raise `IdentityRefused` BAD_CERTIFICATE."""
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
        if len(certificates) == 1:
            [only] = certificates
            _ = only.extensions, only.subject, only.public_key(), only.signature_hash_algorithm
            return only
    except _UNREADABLE as error:
        raise IdentityRefused(
            "BAD_CERTIFICATE", f"got a certificate that cannot be read ({shown(str(error))})"
        ) from None
    raise IdentityRefused("BAD_CERTIFICATE", f"got {len(certificates)} certificates, want one")


def thing_name(certificate: x509.Certificate) -> ThingName:
    """Return the only CN of the parsed subject. Raise `IdentityRefused` NAME_MISSING, NAME_DOUBLED, NAME_INVALID."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names:
        raise IdentityRefused("NAME_MISSING", "got a subject without CN, want the thing name there")
    if len(names) > 1:
        raise IdentityRefused("NAME_DOUBLED", f"got {len(names)} CNs, want one")
    try:
        return parse_thing_name(names[0].value)
    except InvalidInput as error:
        raise IdentityRefused("NAME_INVALID", error.message) from None


def verify(pem: str, issuer_pem: str, crl_pem: bytes | None, at: datetime) -> Identity:
    """Return the identity of the certificate `pem`, issued by the registered CA `issuer_pem`, at the time `at`.

    Raise `IdentityRefused`: BAD_CERTIFICATE, NOT_YET_VALID, EXPIRED, WEAK_KEY, WEAK_SIGNATURE, NOT_A_DEVICE,
    WRONG_PURPOSE, NAME_*, CA_EXPIRED, UNTRUSTED_CHAIN, CRL_MISSING, CRL_INVALID, CRL_STALE or REVOKED_BY_ISSUER."""
    certificate, issuer = load_certificate(pem), load_certificate(issuer_pem)
    _check_version(certificate)
    _check_validity(certificate, at)
    _check_strength(certificate)
    _check_purpose(certificate)
    name = thing_name(certificate)
    _check_chain(certificate, issuer, at)
    _check_revocation(certificate, issuer, crl_pem, at)
    return Identity(fingerprint(certificate), name, pem)


def _check_version(certificate: x509.Certificate) -> None:
    if certificate.version is not x509.Version.v3:
        got = certificate.version.name
        raise IdentityRefused("BAD_CERTIFICATE", f"got an X.509 {got} certificate, want v3 (openssl: -extfile)")


def _check_validity(certificate: x509.Certificate, at: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at < begin:
        raise IdentityRefused("NOT_YET_VALID", f"got a certificate valid from {begin:%FT%TZ}, want one valid now")
    if at > end:
        raise IdentityRefused("EXPIRED", f"got a certificate valid until {end:%FT%TZ}, want one valid now")


def _check_strength(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise IdentityRefused("WEAK_KEY", f"got RSA of {key.key_size} bits, want at least {MIN_RSA_BITS}")
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        got = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
        raise IdentityRefused("WEAK_KEY", f"got {got}, want RSA or EC on P-256, P-384 or P-521")
    algorithm: HashAlgorithm | None = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _HASHES:
        got = algorithm.name if algorithm else "no hash"
        raise IdentityRefused("WEAK_SIGNATURE", f"got a signature with {got}, want SHA-256 or stronger")


def _check_purpose(certificate: x509.Certificate) -> None:
    extensions = certificate.extensions
    for basic in extensions:
        if isinstance(basic.value, x509.BasicConstraints) and basic.value.ca:
            raise IdentityRefused("NOT_A_DEVICE", "got a CA certificate, want a device's")
        if isinstance(basic.value, x509.KeyUsage) and not basic.value.digital_signature:
            raise IdentityRefused("WRONG_PURPOSE", "got a key usage without digitalSignature, want it for TLS")
        if isinstance(basic.value, x509.KeyUsage) and basic.value.key_cert_sign:
            raise IdentityRefused("NOT_A_DEVICE", "got a key that may sign certificates, want a device's")
        if isinstance(basic.value, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CLIENT_AUTH not in basic.value:
            raise IdentityRefused("WRONG_PURPOSE", "got an extended key usage without clientAuth, want it for TLS")


def _check_chain(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
    if not issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc:
        raise IdentityRefused(
            "CA_EXPIRED", f"got a CA valid until {issuer.not_valid_after_utc:%FT%TZ}, want one valid now"
        )
    verifier = (
        PolicyBuilder()
        .store(Store([issuer]))
        .time(at)
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_device_policy())
        .build_client_verifier()
    )
    try:
        verifier.verify(certificate, [])
    except VerificationError as error:
        raise IdentityRefused(
            "UNTRUSTED_CHAIN", f"got a chain that does not end at the registered CA ({shown(str(error))})"
        ) from None


def _device_policy() -> ExtensionPolicy:
    """The Web PKI rules for an end entity, but a device has no DNS name, and small PKIs omit the AKI."""

    def any_value(_policy: Policy, _certificate: x509.Certificate, _value: x509.ExtensionType | None) -> None:
        """Accept any value: the extension is not used."""

    return (
        ExtensionPolicy.webpki_defaults_ee()
        .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, any_value)
        .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, any_value)
    )


def _check_revocation(
    certificate: x509.Certificate, issuer: x509.Certificate, crl_pem: bytes | None, at: datetime
) -> None:
    if crl_pem is None:
        raise IdentityRefused("CRL_MISSING", "got a CA without a revocation list, want one published for it")
    crl = _genuine_crl(crl_pem, issuer)
    fresh_until = crl.next_update_utc
    if crl.last_update_utc > at or fresh_until is None or fresh_until < at:
        until = f"{fresh_until:%FT%TZ}" if fresh_until else "no end"
        raise IdentityRefused(
            "CRL_STALE", f"got a revocation list for {crl.last_update_utc:%FT%TZ} to {until}, want a current one"
        )
    if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise IdentityRefused(
            "REVOKED_BY_ISSUER", f"got serial {certificate.serial_number:x}, which its CA has revoked"
        )


def _genuine_crl(crl_pem: bytes, issuer: x509.Certificate) -> x509.CertificateRevocationList:
    """Return the list, if the issuer has signed it and it covers all certificates. A critical extension limits a list
    (to some certificates, or to changes) and must not be ignored (RFC 5280, 5.2)."""
    try:
        crl = x509.load_pem_x509_crl(crl_pem)
        partial = [extension.oid.dotted_string for extension in crl.extensions if extension.critical]
        genuine = crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except _UNREADABLE as error:
        raise IdentityRefused(
            "CRL_INVALID", f"got a revocation list that cannot be read ({shown(str(error))})"
        ) from None
    if not genuine:
        raise IdentityRefused("CRL_INVALID", "got a revocation list of another issuer or with a wrong signature")
    if partial:
        raise IdentityRefused("CRL_INVALID", f"got a list with critical {', '.join(partial)}, want a complete list")
    return crl
