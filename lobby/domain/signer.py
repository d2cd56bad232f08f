"""The signer of an enrolment: a CA of the operator whose key is in AWS KMS, which issues the certificates of devices
instead of AWS IoT's CA, so that their identity does not depend on one AWS account.

A device's certificate has the device's key, the thing name as its only CN, and is for TLS clients only. It never
outlives the CA. Rejected are keys that are not the CA's, and a CA that could not issue a device (`trust.issuer`).
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lobby.domain.trust.issuer import Issuer, check_issued_by, check_issuer_validity, parse_issuer
from lobby.domain.trust.remote_key import WANTED, SignDigest, remote_key
from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import Region, ThingName, parse_region, shown

DAYS: Final = range(1, 36_501)
MAX_PEM: Final = 8 * 1024
MAX_CN: Final = 64
"""The length of a common name (RFC 5280, appendix A: ub-common-name). AWS IoT permits longer thing names."""
SIGNER_UNAVAILABLE: Final = "SIGNER_UNAVAILABLE"
"""The code of a certificate that the signer could not issue: its CA has expired, or its key cannot be used."""
_EARLIER: Final = timedelta(minutes=5)
"""How long a certificate is valid before it is issued: devices' clocks are inexact."""
_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Signer:
    """`key` is the ARN of the CA's key in KMS, `ca` its certificate in PEM. Certificates are valid for `days`."""

    key: str
    ca: str
    days: int

    def encode(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def decode(cls, body: Mapping[str, Any]) -> "Signer":
        return cls(str(body["key"]), str(body["ca"]), int(body["days"]))


def parse_key_arn(text: object) -> str:
    """Return the ARN of a key in KMS. An alias is refused, because it can be moved to another key. Raise `InvalidInput`
    INVALID_SIGNER."""
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise _bad(f"{shown(text)}, want the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>")
    return text


def region_of(arn: str) -> Region:
    """Return the Region of a key."""
    return parse_region(parse_key_arn(arn).split(":")[3])


def parse_signer(key: object, ca: object, days: object, at: datetime) -> Signer:
    """Return the signer that a user enters; the CA must be valid at `at`, and name the key that it signs with
    (subjectKeyIdentifier). Raise `InvalidInput` INVALID_SIGNER."""
    arn = parse_key_arn(key)
    if not isinstance(ca, str) or len(ca) > MAX_PEM or "PRIVATE KEY" in ca:  # not quoted: it could be a key
        raise _bad(f"a text that is no certificate, want the CA's certificate in PEM, at most {MAX_PEM} characters")
    if type(days) is not int or days not in DAYS:
        raise _bad(f"{shown(days)} days, want {DAYS[0]} to {DAYS[-1]}")
    try:
        issuer = parse_issuer(ca)
        check_issuer_validity(issuer, at)
    except IdentityRefused as refused:
        raise _bad(f"a CA that cannot issue devices: {refused.message}") from None
    _require_identifier(issuer.certificate)
    pem = issuer.certificate.public_bytes(Encoding.PEM).decode()
    return Signer(arn, pem, days)


def _require_identifier(ca: x509.Certificate) -> None:
    try:
        ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        raise _bad("a CA without subjectKeyIdentifier, want it: devices' certificates refer to it") from None


def require_key_of_ca(signer: Signer, public: bytes, usage: object, state: object) -> None:
    """Require that KMS's key, with this public key (DER), usage and state, can sign for the CA. Raise `InvalidInput`
    INVALID_SIGNER."""
    if state != "Enabled":
        raise _bad(f"key {signer.key} in state {shown(state)}, want it enabled")
    if usage != "SIGN_VERIFY":
        raise _bad(f"key {signer.key} for {shown(usage)}, want an asymmetric key for SIGN_VERIFY")
    try:
        remote_key(load_der_public_key(public), lambda _digest: b"")
    except (TypeError, ValueError):
        raise _bad(f"key {signer.key} of another kind, want {WANTED}") from None
    if public != _key_of(parse_issuer(signer.ca)):
        raise _bad(f"key {signer.key}, which is not the key of the CA certificate; want the certificate of this key")


def issue(
    signer: Signer,
    request: x509.CertificateSigningRequest,
    name: ThingName,
    serial: int,
    at: datetime,
    sign_digest: SignDigest,
) -> x509.Certificate:
    """Return a certificate for a verified request, signed by the CA; `sign_digest` signs with its key. Raise
    `InvalidInput` INVALID_CSR for a name that is too long for a CN; SIGNER_UNAVAILABLE if the CA has expired, does
    not permit the name, or is not the signature's; and what `sign_digest` raises."""
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


def _bad(what: str) -> InvalidInput:
    return InvalidInput("INVALID_SIGNER", f"got {what}")
