"""Who the device is: its certificate read through the parser, never by string search, and the key that fits it.

Refuses, before anything is dialled, what could only fail later with a riddle: an unreadable file, a subject
without exactly one usable CN, a key that belongs to another certificate.
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
    """What the certificate says. Times are UTC."""

    thing: ThingName
    certid: Fingerprint
    not_before: datetime
    not_after: datetime

    def doubts_clock(self, now: datetime) -> str:
        """Why `now` cannot be right, or the certificate is over; empty when all is well."""
        if now < self.not_before:
            return f"the clock says {now:%Y-%m-%d %H:%M}, the certificate begins {self.not_before:%Y-%m-%d %H:%M} UTC"
        if now > self.not_after:
            return f"the clock says {now:%Y-%m-%d %H:%M}, the certificate ended {self.not_after:%Y-%m-%d %H:%M} UTC"
        return ""


def read_identity(cert: Path) -> Identity:
    """The identity in a PEM file; of a chain, the first certificate. Raises `BadCredentials`."""
    certificate = _load_certificate(cert)
    return Identity(
        _thing_name(certificate, cert),
        Fingerprint(certificate.fingerprint(SHA256()).hex()),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def check_key(cert: Path, key: Path) -> None:
    """That the private key (PEM, not encrypted) is the certificate's. Raises `BadCredentials`."""
    try:
        private = load_pem_private_key(_read(key, "KEY_UNREADABLE"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCredentials("KEY_UNREADABLE", f"got {key} ({error}), want a private key, PEM, not encrypted") from None
    public = _load_certificate(cert).public_key()
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*spki) != public.public_bytes(*spki):
        raise BadCredentials("KEY_MISMATCH", f"got {key}, which is not the key of the certificate in {cert}")


def check_ca(ca: Path) -> None:
    """That the file holds certificates. Raises `BadCredentials`."""
    try:
        x509.load_pem_x509_certificates(_read(ca, "CA_UNREADABLE"))
    except ValueError:
        raise BadCredentials("CA_UNREADABLE", f"got {ca}, want the servers' CA certificates, PEM") from None


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(path, "CERTIFICATE_UNREADABLE"))[0]
    except ValueError:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"got {path}, want the device's certificate, PEM") from None


def _thing_name(certificate: x509.Certificate, path: Path) -> ThingName:
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if len(names) == 1:
            return parse_thing_name(names[0].value)
    except InvalidInput as error:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"the CN in {path}: {error.message}") from None
    except ValueError:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"got {path}, whose subject cannot be read") from None
    raise BadCredentials("CERTIFICATE_UNREADABLE", f"got {len(names)} CNs in the subject of {path}, want one")


def _read(path: Path, code: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCredentials(code, f"got {path} ({error.strerror}), want a readable file") from None
