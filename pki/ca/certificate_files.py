"""Reads certificates and revocation lists from a manufacturer's files: PEM, DER or PKCS#7, one or several in a file.

The format is detected from the content, never from the file's name, because CAs use any names. Text around PEM blocks
(`openssl x509 -text`, Bag Attributes), CRLF, a byte order mark and UTF-16 are accepted. A private key in a file is
ignored.
"""

import codecs
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from lobby.domain.trust.reading import Unreadable, revocation_lists
from lobby.errors import InvalidInput
from pki import storage
from pki.ca.certificates import is_issued_by
from pki.errors import StorageError

LIST_LIMIT: Final = 1 << 28
"""Bytes of a file with revocation lists."""
_WANTED: Final = "want certificates as PEM, DER or PKCS#7"


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a file, at least one. Raise `StorageError` NOT_FOUND or BROKEN_FILE."""
    content = _as_utf8(storage.read(path, "a certificate file"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # for example for a serial number of 0, which many old CAs have
            found = _decoded(content)
            _ = [(each.extensions, each.subject) for each in found]
    except Exception as err:  # noqa: BLE001 - the parser's exceptions for malformed fields are undocumented
        raise StorageError("BROKEN_FILE", f"got {path} ({' '.join(str(err).split())[:300]}), {_WANTED}") from None
    if not found:
        raise StorageError("BROKEN_FILE", f"got no certificate in {path}, {_WANTED}")
    return found


def _as_utf8(content: bytes) -> bytes:
    """Convert PEM from UTF-16, in which PowerShell saves the output of a command, to UTF-8. Return other content
    unchanged."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace").encode()
    return content


def _decoded(content: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN PKCS7" in content:
        return pkcs7.load_pem_pkcs7_certificates(content[content.index(b"-----BEGIN PKCS7") :])
    if b"-----BEGIN TRUSTED CERTIFICATE" in content:
        raise ValueError("a TRUSTED CERTIFICATE of openssl: convert it with `openssl x509 -in FILE -out NEW`")
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificates(content)
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        return pkcs7.load_der_pkcs7_certificates(content)


def read_ca(path: Path) -> x509.Certificate:
    """Return the CA in a file. In a bundle, it is the certificate that did not issue any other. Raise `InvalidInput`
    INVALID_CA unless there is exactly one, and the errors of `read_certificates`."""
    found = list(dict.fromkeys(read_certificates(path)))
    last = [ca for ca in found if not any(ca != other and is_issued_by(other, ca) for other in found)]
    if len(last) != 1:
        names = "; ".join(ca.subject.rfc4514_string() for ca in last)[:300]
        raise InvalidInput(
            "INVALID_CA", f"got {len(last)} CAs in {path} ({names}), want a file with the CA that issues the devices"
        )
    return last[0]


def read_lists(paths: Iterable[Path]) -> list[x509.CertificateRevocationList]:
    """Return the revocation lists in the files. Raise `StorageError` NOT_FOUND or BROKEN_FILE."""
    lists: list[x509.CertificateRevocationList] = []
    for path in paths:
        try:
            lists += revocation_lists(_as_utf8(storage.read(path, "a file with revocation lists", LIST_LIMIT)))
        except Unreadable as err:
            raise StorageError("BROKEN_FILE", f"got {path} ({err}), want revocation lists as PEM or DER") from None
    return lists


def encode_lists(lists: Iterable[x509.CertificateRevocationList]) -> bytes:
    """Return the lists as one PEM file, which the lobby reads."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in lists)
