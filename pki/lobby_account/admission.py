"""Proves that a lobby would admit the devices of a CA, before the CA is registered.

The checks are the lobby's own (`lobby.domain`), so a device gets the same result later. They do not need the CA's key:
they cover its certificate, its chain, its revocation lists, and a sample device certificate if there is one. The notes
list everything that expires within months.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.identity import verify
from lobby.domain.trust.issuer import check_issuer_validity, parse_issuer
from lobby.domain.trust.revocation import check_current, genuine_lists
from lobby.errors import IdentityRefused
from pki.ca.certificate_files import encode_lists
from pki.ca.certificates import common_name, is_issued_by
from pki.errors import RegistrationError

CA_NOTICE: Final = timedelta(days=365)
"""How long before its end a CA is reported. Its successor must be in production by then."""
LIST_NOTICE: Final = timedelta(days=60)
"""How long before its end a list is reported, but never before the last third of its validity."""


def check_admission(
    ca: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList],
    now: datetime,
    sample: x509.Certificate | None = None,
) -> None:
    """Raise `RegistrationError` with the lobby's reason code if it would refuse every device of `ca`, or `sample`."""
    content = encode_lists(lists) if lists else None
    try:
        issuer = parse_issuer(_pem(ca))
        check_issuer_validity(issuer, now)
        check_current(genuine_lists(issuer, content), now)
        if sample is not None:
            verify(_pem(sample), _pem(ca), content, now)
    except IdentityRefused as refused:
        raise RegistrationError(refused.code, f"{_subject(refused.code, sample)} {refused.message}") from None


def _subject(code: str, sample: x509.Certificate | None) -> str:
    if code.startswith("CRL_"):
        return "the lobby would refuse every device of this CA because of its revocation list:"
    if code.startswith("CA_") or sample is None:
        return "the lobby would refuse every device of this CA:"
    return f"the lobby would refuse the device {common_name(sample) or 'of the sample'}:"


def check_chain(ca: x509.Certificate, chain: Iterable[x509.Certificate]) -> None:
    """Raise `RegistrationError` BROKEN_CHAIN unless the certificates, in any order, lead from `ca` to a self-signed
    root."""
    available, current = list(chain), ca
    while not is_issued_by(current, current):
        parent = next((other for other in available if is_issued_by(current, other)), None)
        if parent is None:
            want = current.issuer.rfc4514_string()
            raise RegistrationError(
                "BROKEN_CHAIN", f"got a chain without the issuer of {current.subject.rfc4514_string()}, want {want}"
            )
        available.remove(parent)
        current = parent


def notes(
    ca: x509.Certificate,
    lists: Iterable[x509.CertificateRevocationList],
    now: datetime,
    chain: Iterable[x509.Certificate] = (),
) -> Iterator[str]:
    """Yield a note for each part that expires soon."""
    for each in (ca, *chain):
        left = each.not_valid_after_utc - now
        if left < CA_NOTICE:
            yield (
                f"the CA {common_name(each)} expires in {max(left.days, 0)} days, on {each.not_valid_after_utc:%F}."
                " After that the lobby refuses new devices: create and register its successor first"
            )
    for crl in lists:
        until = crl.next_update_utc
        if until is not None and until - now < min(LIST_NOTICE, (until - crl.last_update_utc) / 3):
            yield (
                f"the revocation list expires in {max((until - now).days, 0)} days, on {until:%F}."
                " After that the lobby refuses new devices: renew and publish it first"
            )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
