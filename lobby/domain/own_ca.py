"""Issues the certificates of devices with an operator's own CA, whose key is in AWS KMS (`signer`).

A device's certificate has the device's key, the thing name as its only CN, and is for TLS clients only. It never
outlives the CA. Rejects keys that are not the CA's, and a CA that cannot issue device certificates (`trust.issuer`).
"""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lobby.domain.signer import SIGNER_UNAVAILABLE, Signer, invalid_signer, parse_key_arn
from lobby.domain.trust.issuer import Issuer, check_issued_by, check_issuer_validity, parse_issuer
from lobby.domain.trust.remote_key import WANTED, SignDigest, remote_key
from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import ThingName, shown

DAYS: Final = range(1, 36_501)
MAX_PEM: Final = 8 * 1024
MAX_CN: Final = 64
"""The length of a common name (RFC 5280, appendix A: ub-common-name). AWS IoT permits longer thing names."""
_EARLIER: Final = timedelta(minutes=5)
"""How far a certificate's validity is backdated, because devices' clocks are inexact."""


def parse_signer(key: object, ca: object, days: object, at: datetime) -> Signer:
    """Return the signer that a user enters. The CA must be valid at `at` and identify its key (subjectKeyIdentifier).
    Raise `InvalidInput` INVALID_SIGNER."""
    arn = parse_key_arn(key)
    if not isinstance(ca, str) or len(ca) > MAX_PEM or "PRIVATE KEY" in ca:  # not quoted: it could be a key
        want = f"the CA's certificate in PEM, at most {MAX_PEM} characters"
        raise invalid_signer(f"text that is not a certificate, want {want}")
    if type(days) is not int or days not in DAYS:
        raise invalid_signer(f"{shown(days)} days, want {DAYS[0]} to {DAYS[-1]}")
    try:
        issuer = parse_issuer(ca)
        check_issuer_validity(issuer, at)
    except IdentityRefused as refused:
        raise invalid_signer(f"a CA that cannot issue devices: {refused.message}") from None
    _require_identifier(issuer.certificate)
    pem = issuer.certificate.public_bytes(Encoding.PEM).decode()
    return Signer(arn, pem, days)


def _require_identifier(ca: x509.Certificate) -> None:
    try:
        ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        raise invalid_signer("a CA without subjectKeyIdentifier, want it: devices' certificates refer to it") from None


def require_key_of_ca(signer: Signer, public: bytes, usage: object, state: object) -> None:
    """Require that KMS's key, with this public key (DER), usage and state, can sign for the CA. Raise `InvalidInput`
    INVALID_SIGNER."""
    if state != "Enabled":
        raise invalid_signer(f"key {signer.key} in state {shown(state)}, want it enabled")
    if usage != "SIGN_VERIFY":
        raise invalid_signer(f"key {signer.key} for {shown(usage)}, want an asymmetric key for SIGN_VERIFY")
    try:
        remote_key(load_der_public_key(public), lambda _digest: b"")
    except (TypeError, ValueError):
        raise invalid_signer(f"key {signer.key} of another kind, want {WANTED}") from None
    if public != _key_of(parse_issuer(signer.ca)):
        want = "the certificate of this key"
        raise invalid_signer(f"key {signer.key}, which is not the key of the CA certificate; want {want}")


def issue(
    signer: Signer,
    request: x509.CertificateSigningRequest,
    name: ThingName,
    serial: int,
    at: datetime,
    sign_digest: SignDigest,
) -> x509.Certificate:
    """Return a certificate for a verified request, signed by the CA; `sign_digest` signs with its key. Raise
    `InvalidInput` INVALID_CSR for a name that is too long for a CN, or SIGNER_UNAVAILABLE if the CA has expired, does
    not permit the name, or does not match the signature. Errors of `sign_digest` are passed on."""
    if len(name) > MAX_CN:
        raise InvalidInput("INVALID_CSR", f"got a name of {len(name)} characters, want at most {MAX_CN} for a CN")
    issuer = parse_issuer(signer.ca)
    try:
        check_issuer_validity(issuer, at)
        key = remote_key(issuer.certificate.public_key(), sign_digest)
        certificate = _unsigned(signer, issuer, request, name, serial, at).sign(key, SHA256())
        check_issued_by(certificate, issuer)
    except IdentityRefused as refused:
        message = f"got no valid certificate of {signer.key}: {refused.message}"
        raise InvalidInput(SIGNER_UNAVAILABLE, message) from None
    return certificate


def _unsigned(
    signer: Signer,
    issuer: Issuer,
    request: x509.CertificateSigningRequest,
    name: ThingName,
    serial: int,
    at: datetime,
) -> x509.CertificateBuilder:
    ca, public, second = issuer.certificate, request.public_key(), at.replace(microsecond=0)
    identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(ca.subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(max(second - _EARLIER, issuer.begin))
        .not_valid_after(min(second + timedelta(days=signer.days), issuer.end))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(public), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )


def _usage(public: object) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=isinstance(public, rsa.RSAPublicKey),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_of(issuer: Issuer) -> bytes:
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey = issuer.key
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
