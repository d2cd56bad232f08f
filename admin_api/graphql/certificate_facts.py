"""The facts of a device's certificate, read from the PEM in the ledger.

The PEM itself is never returned. The bouncer has validated the certificate; this module only reads it. A certificate
that cannot be parsed has no facts. The parser is imported at the first use, because lists and claims do not need it.
"""

import re
from typing import TYPE_CHECKING

import strawberry

from admin_api.failures import logger
from lobby.errors import IdentityRefused
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_WITHOUT_HASH = {"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448"}
"""Signature algorithms without a separate hash (RFC 8410)."""


@strawberry.type(
    description="The content of a device's certificate. Names are in the format of RFC 4514, times are ISO 8601, UTC."
)
class CertificateFacts:
    subject: str = strawberry.field(description="The subject's name, such as CN=sensor-1.")
    issuer: str = strawberry.field(description="The name of the CA that signed the certificate.")
    serial_number: str = strawberry.field(description="In hex, as `lobby-pki` prints it.")
    not_before: str = strawberry.field(description="The start of the certificate's validity.")
    not_after: str = strawberry.field(description="The end of the certificate's validity.")
    key: str = strawberry.field(description='For example "EC P-256" or "RSA 2048".')
    signature: str = strawberry.field(description='For example "ECDSA SHA-256".')


def certificate_facts(certid: Fingerprint, pem: str | None) -> CertificateFacts | None:
    """Return the facts. Return None if the ledger has no certificate, or if it cannot be parsed, which is logged."""
    if pem is None:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    from lobby.domain.identity import load_certificate  # noqa: PLC0415

    try:
        return _facts(load_certificate(pem))
    except (IdentityRefused, ValueError, TypeError, UnsupportedAlgorithm) as error:
        logger.warning("certificate cannot be parsed", certid=certid, error=str(error))
        return None


def _facts(certificate: "Certificate") -> CertificateFacts:
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial_number=f"{certificate.serial_number:x}",
        not_before=timestamp(certificate.not_valid_before_utc),
        not_after=timestamp(certificate.not_valid_after_utc),
        key=_key(certificate),
        signature=_signature(certificate),
    )


def _key(certificate: "Certificate") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


def _signature(certificate: "Certificate") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, padding  # noqa: PLC0415

    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        oid = certificate.signature_algorithm_oid.dotted_string
        return _WITHOUT_HASH.get(oid, oid)
    names = {ec.ECDSA: "ECDSA", padding.PSS: "RSA-PSS", padding.PKCS1v15: "RSA"}
    parameters = certificate.signature_algorithm_parameters
    scheme = next((name for kind, name in names.items() if isinstance(parameters, kind)), "")
    return f"{scheme} {re.sub(r'^SHA(?=[0-9]{3})', 'SHA-', algorithm.name.upper())}".strip()
