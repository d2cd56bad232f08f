"""Reads untrusted X.509 structures: every failure of the parser is one exception, `Unreadable`.

`cryptography` parses lazily and documents only some of its exceptions: a year 0000, a malformed name or an unknown
algorithm fails at the first access of a field, with different types of exceptions. Its warnings about structures that
it will reject in a later release are suppressed, because the checks here decide about them.
"""

import re
import warnings
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from cryptography import x509

from lobby.errors import LobbyError
from lobby.names import shown

T = TypeVar("T")
MAX_CERTIFICATE_CHARACTERS: Final = 128 * 1024
"""Twice AWS IoT's limit for a certificate (API reference, RegisterCertificate: certificatePem)."""
CAUSE_LENGTH: Final = 300
"""Characters of a cause in a message."""
_CRL_BLOCK: Final = re.compile(
    rb"-----BEGIN (X509 CRL|CRL)-----([A-Za-z0-9+/=\s]*)-----END \1-----"  # the second label: old OpenSSL
)

_CRL_BEGIN: Final = re.compile(rb"-----BEGIN (?:X509 CRL|CRL)-----")


class Unreadable(Exception):
    """The structure cannot be parsed. The text is the cause, on one line and of bounded length."""


def read(get: Callable[[], T]) -> T:
    """Return what `get` reads from a parsed structure. Raise `Unreadable` for any failure that is not an error of this
    project."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return get()
    except (LobbyError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - the input is hostile, and the parser's exceptions are undocumented
        raise Unreadable(cause_of(error)) from None


def cause_of(error: Exception) -> str:
    return shown(str(error) or type(error).__name__, CAUSE_LENGTH)


def pem_certificates(pem: str) -> list[x509.Certificate]:
    """Return the certificates in a PEM. Raise `Unreadable`."""
    if len(pem) > MAX_CERTIFICATE_CHARACTERS:
        raise Unreadable(f"{len(pem)} characters, want at most {MAX_CERTIFICATE_CHARACTERS}")
    return read(lambda: x509.load_pem_x509_certificates(pem.encode()))


def revocation_lists(content: bytes) -> list[x509.CertificateRevocationList]:
    """Return the lists in a file: PEM or DER, one or several. Raise `Unreadable`."""
    if b"-----BEGIN" in content:
        found = _CRL_BLOCK.findall(content)
        if (begun := len(_CRL_BEGIN.findall(content))) != len(found):
            raise Unreadable(f"{begun} lists of which {len(found)} are complete")
        blocks = [read(lambda body=body: b64decode(body)) for _, body in found]  # type: ignore[misc]
    else:
        blocks = read(lambda: list(elements(content)))
    if not blocks:
        raise Unreadable(f"{shown(content[:40])}, no list in PEM or DER")
    return [read(lambda der=der: x509.load_der_x509_crl(der)) for der in blocks]  # type: ignore[misc]


def elements(content: bytes) -> Iterator[bytes]:
    """Yield the DER elements in `content`, one after the other. Raise `ValueError` if the last one is incomplete."""
    while content:
        header, size = _size(content)
        if header + size > len(content):
            raise ValueError(f"got {len(content)} bytes of an element of {header + size}")
        yield content[: header + size]
        content = content[header + size :]


def body_of(element: bytes) -> bytes:
    """Return the content of a DER element."""
    return element[_size(element)[0] :]


def _size(element: bytes) -> tuple[int, int]:
    """Return the sizes of an element's header and content."""
    if len(element) > 1 and element[1] & 0x80:
        header = 2 + (element[1] & 0x7F)
        return header, int.from_bytes(element[2:header])
    return 2, element[1] if len(element) > 1 else 1
