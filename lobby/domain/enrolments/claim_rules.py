"""Reads the certificate or the certificate signing request that a user supplies as a claim certificate. All rules of a
device's certificate apply, except for the name, because several devices share it. The chain is not verified, because
the ledger and AWS IoT store the certificate itself.
"""

import hashlib
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lobby.domain.identity import fingerprint, load_certificate
from lobby.domain.trust import device_certificate as checks
from lobby.domain.trust.reading import Unreadable, read
from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import Fingerprint, shown

_MAX_REQUEST: Final = 4096
"""Characters: AWS IoT's limit (developer guide, "CreateCertificateFromCsr request")."""


def certificate_entered(pem: str, at: datetime) -> tuple[Fingerprint, str]:
    """Return the fingerprint of a certificate, and when it expires. Raise `InvalidInput` INVALID_CERTIFICATE."""
    try:
        certificate = load_certificate(pem)
        checks.check_form(certificate)
        checks.check_validity(certificate, at)
        checks.check_strength(certificate)
        checks.check_purpose(certificate)
    except IdentityRefused as refusal:
        raise InvalidInput("INVALID_CERTIFICATE", f"{refusal.message} ({refusal.code})") from None
    return fingerprint(certificate), expiry_of(pem)


def expiry_of(pem: str) -> str:
    """Return when a certificate expires: ISO 8601 UTC with milliseconds."""
    expires = load_certificate(pem).not_valid_after_utc
    return expires.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def key_of_request(csr: str) -> str:
    """Return the SHA-256 of the public key in a certificate signing request, which identifies a repeated request. Raise
    `InvalidInput` INVALID_CSR; AWS IoT checks the key itself."""
    if len(csr) > _MAX_REQUEST:
        raise _bad_request(f"{len(csr)} characters")
    try:
        request = read(lambda: x509.load_pem_x509_csr(csr.encode()))
        key = read(lambda: request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        valid = read(lambda: request.is_signature_valid)
    except Unreadable as error:
        raise _bad_request(f"{shown(csr, 40)} ({error})") from None
    if not valid:
        raise _bad_request("a request whose signature does not fit its key")
    return hashlib.sha256(key).hexdigest()


def _bad_request(got: str) -> InvalidInput:
    want = f"want a certificate signing request (PKCS #10) in PEM of at most {_MAX_REQUEST} characters"
    return InvalidInput("INVALID_CSR", f"got {got}, {want}")
