"""The device's identity: its certificate, read with an X.509 parser, and the private key of that certificate.

Rejects, before any connection and with a clear message, an unreadable file, a subject without exactly one valid CN, the
key of another certificate, and a certificate that the lobby always refuses: of a CA, for servers, or with a weak key.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device.credential_files import load, load_ca
from device.errors import BadCredentials
from device.validity import Validity
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_thing_name

_RSA_BITS: Final = 2048
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


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
    if problem := _problem(certificate):
        raise BadCredentials("CERTIFICATE_UNSUITABLE", f"got {problem} in {cert}")
    return Identity(
        _thing_name(certificate, cert),
        Fingerprint(certificate.fingerprint(SHA256()).hex()),
        Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc),
    )


def check_ca(ca: Path, device: Fingerprint | None = None) -> None:
    """Raise `BadCredentials` unless the file contains certificates, and others than the device's."""
    if {each.fingerprint(SHA256()).hex() for each in load_ca(ca)} == {device}:
        raise BadCredentials("CA_UNREADABLE", f"got the device's own certificate in {ca}, want the servers' CA")


def _problem(certificate: x509.Certificate) -> str:
    """Return why the lobby always refuses the certificate, or an empty string. It also decides about what cannot be
    read here."""
    try:
        values = [extension.value for extension in certificate.extensions]
        key = certificate.public_key()
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm):
        return ""
    if any(isinstance(value, x509.BasicConstraints) and value.ca for value in values):
        return "the certificate of a CA, want the device's (basicConstraints CA:FALSE)"
    uses = {use for value in values if isinstance(value, x509.ExtendedKeyUsage) for use in value}
    if uses and uses.isdisjoint({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}):
        return "a certificate that is not for clients, want extendedKeyUsage clientAuth, or none"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_BITS:
        return f"a certificate with an RSA key of {key.key_size} bits, want at least {_RSA_BITS}"
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, _CURVES):
        return f"a certificate with a key on {key.curve.name}, want P-256, P-384 or P-521"
    return ""


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
