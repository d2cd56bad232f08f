"""The device's identity: its certificate, read with an X.509 parser, and the private key of that certificate.

Rejects, before any connection and with a clear message, an unreadable file, a subject without exactly one valid CN, and
the key of another certificate.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from device.credential_files import load, read
from device.errors import BadCredentials
from device.validity import Validity
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_thing_name


@dataclass(frozen=True)
class Identity:
    """Fields of the certificate."""

    thing: ThingName
    certid: Fingerprint
    validity: Validity

    def clock_error(self, now: datetime) -> str:
        """Return why `now` is outside the certificate's validity, or an empty string."""
        return self.validity.clock_error(now)


def read_identity(cert: Path, key: Path | None = None) -> Identity:
    """Return the identity from a file of certificates: the certificate that matches the key, or without a key the one
    that did not issue any other. Raise `BadCredentials`."""
    certificate = load(cert, key).certificate
    return Identity(
        _thing_name(certificate, cert),
        Fingerprint(certificate.fingerprint(SHA256()).hex()),
        Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc),
    )


def check_ca(ca: Path) -> None:
    """Raise `BadCredentials` unless the file contains PEM certificates."""
    try:
        x509.load_pem_x509_certificates(read(ca, "CA_UNREADABLE"))
    except ValueError:
        raise BadCredentials("CA_UNREADABLE", f"got {ca}, want the servers' CA certificates as PEM") from None


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
