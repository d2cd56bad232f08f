"""Reads the validity period from a certificate (RFC 5280, section 4.1), with the DER reader of the library ecdsa."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ecdsa import der

from device.errors import BadCredentials
from device.input_files import read_file
from device.machine.provisioning_messages import certificate_der
from device.validity import Validity
from lobby.errors import InvalidInput

_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_FORMATS: Final = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
"""The forms of a time that RFC 5280 permits, by the tag of its type."""
_VERSION: Final = 0xA0


def read_validity(path: Path) -> Validity:
    """Return the validity period of the single certificate in a PEM file. Raise `BadCredentials`."""
    try:
        return _validity(certificate_der(read_file(path).decode()))
    except (ValueError, IndexError, InvalidInput, der.UnexpectedDER) as error:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"got {path} ({error}), want a certificate as PEM") from None


def _validity(certificate: bytes) -> Validity:
    body, _ = der.remove_sequence(der.remove_sequence(certificate)[0])
    if body[0] == _VERSION:
        body = der.remove_constructed(body)[2]
    _, body = der.remove_integer(body)  # serial number
    _, body = der.remove_sequence(body)  # signature algorithm
    _, body = der.remove_sequence(body)  # issuer
    not_before, rest = _time(der.remove_sequence(body)[0])
    return Validity(not_before, _time(rest)[0])


def _time(content: bytes) -> tuple[datetime, bytes]:
    length, header = der.read_length(content[1:])
    start = 1 + header
    text = content[start : start + length].decode("ascii")
    time = datetime.strptime(text, _FORMATS[content[0]]).replace(tzinfo=UTC)
    if content[0] == _UTC_TIME and time.year >= 2050:  # RFC 5280, section 4.1.2.5.1
        time = time.replace(year=time.year - 100)
    return time, content[start + length :]
