"""Compares the revocation lists to publish with the published ones, so that no revoked device is admitted again.

A list of the same distribution point must not be older (RFC 5280, 5.2.3), every published distribution point must still
be covered, and every serial number that is published as revoked must still be revoked. A CA that no longer uses a
distribution point, or that has removed expired certificates, is accepted only on request (`Allowed`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.trust.issuer import parse_issuer
from lobby.domain.trust.reading import Unreadable, revocation_lists
from lobby.domain.trust.revocation import RevocationList, own_lists, revoked_serials
from lobby.names import shown
from pki.ca.crl import crl_number
from pki.errors import RegistrationError

_SHOWN: Final = 3
"""Serial numbers in a message."""


@dataclass(frozen=True)
class Allowed:
    """What the lists to publish may lack: published distribution points, and published serial numbers."""

    missing_points: bool = False
    missing_serials: bool = False


NOTHING: Final = Allowed()


def check_succession(
    ca: x509.Certificate,
    published: bytes,
    lists: Sequence[x509.CertificateRevocationList],
    allowed: Allowed = NOTHING,
) -> None:
    """Raise `RegistrationError` CRL_OLDER, CRL_INCOMPLETE or CRL_SHORTER. Published content that is no list of this CA
    is ignored: the lobby does not use it."""
    issuer = parse_issuer(ca.public_bytes(Encoding.PEM).decode())
    try:
        before = own_lists(issuer, revocation_lists(published))
    except Unreadable:
        return
    after = own_lists(issuer, lists)
    for each in before:
        _check_age(each, [other for other in after if _same_sequence(each, other)])
    if not allowed.missing_points:
        _check_points(before, after)
    if not allowed.missing_serials:
        _check_serials(before, after)


def _same_sequence(one: RevocationList, other: RevocationList) -> bool:
    """Return whether the CA numbers both lists in one sequence. A delta list has the numbers of its complete list."""
    limits = {each.partial for each in (one, other) if not each.is_delta}
    return len(limits) < 2 and (one.points == other.points or bool(one.points & other.points))


def _age(each: RevocationList) -> tuple[int, datetime]:
    return crl_number(each.crl), each.begin


def _check_age(published: RevocationList, lists: Sequence[RevocationList]) -> None:
    latest = max(map(_age, lists), default=None)
    (was, since) = _age(published)
    if latest is None or latest >= (was, since):
        return
    now, begin = latest
    got = f"list number {now}" if now != was else f"list number {now} of {begin:%FT%TZ}"
    than = f"{was}" if now != was else f"one of {since:%FT%TZ}"
    raise RegistrationError(
        "CRL_OLDER",
        f"got {got}, but {than} is published, want a newer one: run renew-crl in the CA's current directory, or get"
        " the CA's current list",
    )


def _check_points(before: Iterable[RevocationList], after: Iterable[RevocationList]) -> None:
    complete = [each for each in after if not each.partial]
    if any(not each.points for each in complete):
        return
    covered = frozenset[x509.GeneralName]().union(*(each.points for each in complete))
    for each in before:
        if each.partial or (each.points and each.points <= covered):
            continue
        names = ", ".join(sorted(str(name.value) for name in each.points - covered))
        raise RegistrationError(
            "CRL_INCOMPLETE",
            f"got no list for {f'the distribution point {shown(names, 300)}' if names else 'all certificates'}, which"
            " is published, want it too: name all lists of the CA, or, if the CA no longer issues this list, use"
            " --allow-missing-points",
        )


def _check_serials(before: Iterable[RevocationList], after: Iterable[RevocationList]) -> None:
    missing = _serials(before) - _serials(after)
    if missing:
        some = ", ".join(f"{serial:x}" for serial in sorted(missing)[:_SHOWN])
        raise RegistrationError(
            "CRL_SHORTER",
            f"got lists without {len(missing)} serial numbers that are published as revoked"
            f" ({some}{', …' if len(missing) > _SHOWN else ''}), want all: their devices would be admitted again. If"
            " the CA has removed them because they have expired, use --allow-missing-serials",
        )


def _serials(lists: Iterable[RevocationList]) -> frozenset[int]:
    return frozenset().union(*(revoked_serials(each) for each in lists))
