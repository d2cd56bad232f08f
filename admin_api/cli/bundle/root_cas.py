"""The CA certificates with which devices verify AWS IoT's servers.

AWS IoT developer guide, "Server authentication": Amazon Root CA 1 to 4. They come from the package certifi, which httpx
also uses, so nothing is downloaded.
"""

import re
import warnings
from pathlib import Path
from typing import Final

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.input_files import read_content
from lobby.errors import LobbyError

NAMES: Final = tuple(f"Amazon Root CA {number}" for number in range(1, 5))
_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def of_aws() -> str:
    """Return the roots of AWS IoT's servers in PEM. Raise `LobbyError` NOT_INSTALLED if certifi has none of them."""
    known = (_loaded(block) for block in _BLOCK.findall(Path(certifi.where()).read_bytes()))
    found = [each for each in known if each is not None and _common_name(each) in NAMES]
    if not found:
        raise LobbyError("NOT_INSTALLED", f"got no Amazon Root CA in {certifi.where()}, want it, or --root-cas FILE")
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


def in_file(path: Path) -> str:
    """Return the certificates of a PEM file. Raise `InvalidInput` UNREADABLE_FILE."""
    try:
        found = x509.load_pem_x509_certificates(read_content(path))
    except ValueError:
        raise usage_error(f"got {path} without a certificate, want CA certificates in PEM", "UNREADABLE_FILE") from None
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


def _loaded(block: bytes) -> x509.Certificate | None:
    """Return the certificate, or None if it breaks RFC 5280: a root in certifi has the serial number 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            return x509.load_pem_x509_certificate(block)
        except (ValueError, CryptographyDeprecationWarning):
            return None


def _common_name(certificate: x509.Certificate) -> str | None:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else None
