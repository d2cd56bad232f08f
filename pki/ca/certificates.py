"""A device's credential, and the fields read from any certificate.

The fingerprint is the SHA-256 of the DER; the thing name is the only subject CN, read from the parsed name. A file
that is truncated or is not a certificate is rejected with its path.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lobby.names import Fingerprint, ThingName
from pki import storage
from pki.ca.keys import PrivateKey
from pki.errors import StorageError


@dataclass(frozen=True)
class DeviceCredential:
    """A device's certificate, its issuer and its private key. `key` is None if the certificate was issued for a signing
    request."""

    name: ThingName
    certificate: x509.Certificate
    private_key: PrivateKey | None = field(repr=False)
    issuer: x509.Certificate = field(repr=False)
    shortened: bool = False
    """Whether the issuer expires before the end of the requested validity."""

    @property
    def certid(self) -> Fingerprint:
        return fingerprint(self.certificate)

    @property
    def cert_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """The chain that the device presents when it first connects: its certificate, then its registered issuer's
        (AWS IoT developer guide, "Just-in-time registration")."""
        return self.cert_pem + self.issuer.public_bytes(Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> Fingerprint:
    """Return the SHA-256 of the DER, which is also AWS IoT's certificate id."""
    return Fingerprint(certificate.fingerprint(hashes.SHA256()).hex())


def common_name(certificate: x509.Certificate) -> str:
    """Return the subject's only CN, or an empty string if there is none or more than one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def load_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of a PEM file. Raise `StorageError` NOT_FOUND or BROKEN_FILE."""
    try:
        return x509.load_pem_x509_certificate(storage.read(path, "a PEM certificate"))
    except ValueError:
        raise StorageError(
            "BROKEN_FILE", f"got {path}, which is not a complete PEM certificate: move it away"
        ) from None
