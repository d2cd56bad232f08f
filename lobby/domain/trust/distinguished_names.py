"""Compares names as RFC 5280, section 7.1, requires, and applies a CA's name constraints (section 4.2.1.10).

Two distinguished names are equal if their attributes are equal, regardless of string type, case and spaces. A CA that
was renewed with another tool may have PrintableString in one certificate and UTF8String in the other. A name that
cannot be compared here, but whose type a constraint limits, counts as not permitted.
"""

import re
import unicodedata
from collections.abc import Iterable

from cryptography import x509
from cryptography.x509.oid import NameOID

_HOST_OF_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]*)")
_Canonical = tuple[frozenset[tuple[str, str]], ...]


def same_name(one: x509.Name, other: x509.Name) -> bool:
    return one == other or _canonical(one) == _canonical(other)


def _canonical(name: x509.Name) -> _Canonical:
    return tuple(frozenset((part.oid.dotted_string, _folded(part.value)) for part in rdn) for rdn in name.rdns)


def _folded(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def not_permitted(certificate: x509.Certificate, constraints: x509.NameConstraints) -> str:
    """Return the first name of the certificate that the constraints do not permit, or an empty string."""
    for name in _names(certificate):
        permitted = [base for base in constraints.permitted_subtrees or () if type(base) is type(name)]
        excluded = [base for base in constraints.excluded_subtrees or () if type(base) is type(name)]
        if (permitted and not any(_within(name, base, unknown=False) for base in permitted)) or any(
            _within(name, base, unknown=True) for base in excluded
        ):
            return _text(name)
    return ""


def _names(certificate: x509.Certificate) -> Iterable[x509.GeneralName]:
    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)
    for email in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        if isinstance(email.value, str) and email.value.isascii():
            yield x509.RFC822Name(email.value)
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            yield from extension.value


def _within(name: x509.GeneralName, base: x509.GeneralName, *, unknown: bool) -> bool:
    """Return whether `name` is in the subtree; `unknown` if the type cannot be compared."""
    match name, base:
        case x509.DirectoryName(), x509.DirectoryName():
            inner, outer = _canonical(name.value), _canonical(base.value)
            return inner[: len(outer)] == outer
        case x509.DNSName(), x509.DNSName():
            return _in_domain(name.value, base.value)
        case x509.IPAddress(), x509.IPAddress():
            return name.value.version == base.value.version and name.value in base.value  # type: ignore[operator]
        case x509.RFC822Name(), x509.RFC822Name():
            return _in_mailbox(name.value, base.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            host = _HOST_OF_URI.match(name.value)
            return _in_host(host[1] if host else "", base.value)
        case _:
            return unknown


def _in_domain(name: str, base: str) -> bool:
    name, base = name.lower(), base.lower().removeprefix(".")
    return not base or name == base or name.endswith(f".{base}")


def _in_mailbox(name: str, base: str) -> bool:
    if "@" in base:
        return name.lower() == base.lower()
    return _in_host(name.rpartition("@")[2], base)


def _in_host(host: str, base: str) -> bool:
    host, base = host.lower(), base.lower()
    return host.endswith(base) if base.startswith(".") else host == base


def _text(name: x509.GeneralName) -> str:
    value = name.value
    return value.rfc4514_string() if isinstance(value, x509.Name) else str(value)
