"""The device's identity: its certificate, read with an X.509 parser, and the private key that belongs to it.

Rejected before any connection, with a clear message: an unreadable file, a subject that does not have exactly one
valid CN, and a key that belongs to another certificate.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from device.errors import BadCredentials
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_thing_name


@dataclass(frozen=True)
class Identity:
    """Fields of the certificate. Times are UTC."""

    thing: ThingName
    certid: Fingerprint
    not_before: datetime
    not_after: datetime

    def clock_error(self, now: datetime) -> str:
        """Return why `now` is outside the certificate's validity (wrong clock or expired), or an empty string."""
        if now < self.not_before:
            return f"got clock {now:%Y-%m-%d %H:%M}, want {self.not_before:%Y-%m-%d %H:%M} UTC (not before) or later"
        if now > self.not_after:
            return f"got clock {now:%Y-%m-%d %H:%M}, want {self.not_after:%Y-%m-%d %H:%M} UTC (not after) or earlier"
        return ""


def read_identity(cert: Path) -> Identity:
    """Return the identity from a PEM file; the first certificate of a chain counts. Raise `BadCredentials`."""
    certificate = _load_certificate(cert)
    return Identity(
        _thing_name(certificate, cert),
        Fingerprint(certificate.fingerprint(SHA256()).hex()),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def check_key(cert: Path, key: Path) -> None:
    """Raise `BadCredentials` unless the private key (PEM, unencrypted) belongs to the certificate."""
    try:
        private = load_pem_private_key(_read(key, "KEY_UNREADABLE"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCredentials("KEY_UNREADABLE", f"got {key} ({error}), want an unencrypted PEM private key") from None
    public = _load_certificate(cert).public_key()
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*spki) != public.public_bytes(*spki):
        raise BadCredentials("KEY_MISMATCH", f"got {key}, want the private key of the certificate in {cert}")


def check_ca(ca: Path) -> None:
    """Raise `BadCredentials` unless the file contains PEM certificates."""
    try:
        x509.load_pem_x509_certificates(_read(ca, "CA_UNREADABLE"))
    except ValueError:
        raise BadCredentials("CA_UNREADABLE", f"got {ca}, want the servers' CA certificates as PEM") from None


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(path, "CERTIFICATE_UNREADABLE"))[0]
    except ValueError:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"got {path}, want the device's certificate as PEM") from None


def _thing_name(certificate: x509.Certificate, path: Path) -> ThingName:
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if len(names) == 1:
            return parse_thing_name(names[0].value)
    except InvalidInput as error:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"CN in {path}: {error.message}") from None
    except ValueError:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"got an unreadable subject in {path}, want one CN") from None
    raise BadCredentials("CERTIFICATE_UNREADABLE", f"got {len(names)} CNs in the subject of {path}, want one")


def _read(path: Path, code: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCredentials(code, f"got {path} ({error.strerror}), want a readable file") from None
