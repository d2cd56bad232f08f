"""Creates keys for claim certificates on the user's machine. The lobby gets a request or a certificate, never a key.

Keys are on the curve P-256, which every TLS library of a device supports. A key is written before it is used. Its file
is readable only by its owner and is never overwritten.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.input_files import read_content

MAX_DAYS: Final = 36500
_BACKDATED: Final = timedelta(minutes=5)
"""Clocks of the lobby and of this machine may differ."""


def key_in(file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key in a file. If the file does not exist, create it with a new key. Raise `InvalidInput`
    UNREADABLE_FILE for a file with other content."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            key = ec.generate_private_key(ec.SECP256R1())
            out.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            out.flush()
            os.fsync(out.fileno())
            return key
    except FileExistsError:
        pass
    try:
        found = load_pem_private_key(read_content(file), None)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise usage_error(f"got {file} without a private EC key, want one, or a new file", "UNREADABLE_FILE")
    return found


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the key in PEM, as SEC 1, which every TLS library reads."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def require_key_of(key: ec.EllipticCurvePrivateKey, certificate: str, file: Path) -> None:
    """Raise `InvalidInput` UNREADABLE_FILE unless the certificate (PEM, from this file) belongs to the key."""
    try:
        public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        raise usage_error(f"got {file} without a certificate, want one in PEM", "UNREADABLE_FILE") from None
    if public != key.public_key():
        raise usage_error(f"got {file} with a certificate for another key, want that of the key", "UNREADABLE_FILE")


def request_of(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """Return a certificate signing request in PEM with the CN `name`."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_named(name)).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def require_days(days: int) -> int:
    """Return the lifetime of a self-signed certificate in days. Raise `InvalidInput` WRONG_USE."""
    if not 1 <= days <= MAX_DAYS:
        raise usage_error(f"got --self-signed {days}, want 1 to {MAX_DAYS} days")
    return days


def self_signed(key: ec.EllipticCurvePrivateKey, name: str, days: int, at: datetime | None = None) -> str:
    """Return a self-signed certificate in PEM. It is valid for some days from `at`, by default from now."""
    begin = (at or datetime.now(UTC)) - _BACKDATED
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _BACKDATED + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
