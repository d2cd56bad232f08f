"""Test certificates, created with `cryptography`: a CA, a server on loopback, a device."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_LOOPBACK = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(f"127.0.0.{last}")) for last in (1, 2))]
)


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate and its key, in memory and as PEM files."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey
    cert: Path
    key: Path


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(
    folder: Path,
    name: str,
    ca: IssuedCertificate | None = None,
    *,
    subject: x509.Name | None = None,
    not_before: datetime | None = None,
) -> IssuedCertificate:
    """Write ``<name>.pem`` and ``<name>.key`` to `folder`. Without `ca` the certificate is a self-signed CA."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = named(name) if subject is None else subject
    not_before = not_before or datetime.now(UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.certificate.subject if ca else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca is None, None), critical=True)
    )
    if name.startswith("server"):
        builder = builder.add_extension(_LOOPBACK, critical=False)
    certificate = builder.sign(ca.private if ca else private, SHA256())
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(certificate.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return IssuedCertificate(certificate, private, cert, key)
