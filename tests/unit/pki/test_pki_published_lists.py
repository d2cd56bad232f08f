"""Lists that would admit a revoked device again are not published. A CA's regular next list is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.trust.reading import revocation_lists
from pki.errors import RegistrationError
from pki.lobby_account.published_lists import Allowed, check_succession
from tests import certificates as make

CA: Final = make.authority()
OTHER: Final = make.authority("Other CA", number=7)
IMITATION: Final = make.authority(number=8)
"""Another key under the same name."""


def crl(
    number: int | None = 1, revoked: Iterable[int] = (7,), point: str = "", by: make.Issuer = CA, **more: Any
) -> bytes:
    """Return a list; `point`: the last part of its distribution point's URL."""
    extensions = list(more.pop("extensions", ()))
    if point:
        extensions.append((_point(point), True))
    return make.crl(by, revoked, number=number, extensions=extensions, **more)


def _point(*names: str, **limits: bool) -> x509.IssuingDistributionPoint:
    urls = [x509.UniformResourceIdentifier(f"http://crl.example/{name}") for name in names]
    every = {"only_contains_user_certs": False, "only_contains_ca_certs": False, "indirect_crl": False}
    return x509.IssuingDistributionPoint(
        full_name=urls or None,
        relative_name=None,
        only_some_reasons=None,
        only_contains_attribute_certs=False,
        **{**every, **limits},
    )


DELTA: Final = (x509.DeltaCRLIndicator(1), True)
CAS_ONLY: Final = (_point(only_contains_ca_certs=True), True)
LATER: Final[dict[str, Any]] = {"last": make.NOW - make.DAY + timedelta(hours=1)}


def removed(serial: int, number: int) -> bytes:
    """Return a delta list with an entry that takes a revocation back (removeFromCRL)."""
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(serial)
        .revocation_date(make.NOW)
        .add_extension(x509.CRLReason(x509.ReasonFlags.remove_from_crl), critical=False)
    )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(CA.certificate.subject)
        .last_update(make.NOW)
        .next_update(make.NOW + make.DAY)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(*DELTA)
        .add_revoked_certificate(entry.build())
    )
    return builder.sign(CA.key, SHA256()).public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Case:
    before: bytes
    after: bytes
    code: str
    text: str = ""
    allowed_by: Allowed | None = field(default=None)


POINTS, SERIALS = Allowed(missing_points=True), Allowed(missing_serials=True)
REFUSED: Final = {
    "a lower number": Case(crl(5), crl(4), "CRL_OLDER", "list number 4, but 5 is published"),
    "a lower number and more revocations": Case(crl(5), crl(4, [7, 8]), "CRL_OLDER"),
    "a number after one without": Case(crl(5), crl(None), "CRL_OLDER"),
    "the same number, issued before": Case(crl(5, **LATER), crl(5), "CRL_OLDER", "but one of 20"),
    "no numbers, issued before": Case(crl(None, **LATER), crl(None), "CRL_OLDER"),
    "one partition is older": Case(
        crl(5, point="1") + crl(9, [], "2"), crl(5, point="1") + crl(8, [], "2"), "CRL_OLDER"
    ),
    "older than a published delta": Case(crl(5) + crl(8, [], extensions=[DELTA]), crl(6), "CRL_OLDER"),
    "a partition of several points is older": Case(
        crl(5, extensions=[(_point("1", "2"), True)]), crl(4, extensions=[(_point("2", "1"), True)]), "CRL_OLDER"
    ),
    "a partition is missing": Case(
        crl(5, point="1") + crl(9, [], "2"), crl(6, point="1"), "CRL_INCOMPLETE", "http://crl.example/2", POINTS
    ),
    "a partition is missing, and its revocations": Case(
        crl(5, [], "1") + crl(9, [7], "2"), crl(6, [], "1"), "CRL_INCOMPLETE"
    ),
    "a point of a partition is missing": Case(
        crl(5, extensions=[(_point("1", "2"), True)]), crl(6, point="1"), "CRL_INCOMPLETE", "crl.example/2", POINTS
    ),
    "a partition has only a delta": Case(
        crl(5, point="1") + crl(9, [], "2"),
        crl(6, point="1") + crl(10, [], "2", extensions=[DELTA]),
        "CRL_INCOMPLETE",
        allowed_by=POINTS,
    ),
    "a partition has a list of another CA": Case(
        crl(5, point="1") + crl(9, [], "2"), crl(6, point="1") + crl(10, [], "2", OTHER), "CRL_INCOMPLETE"
    ),
    "a partition has a list of another key": Case(
        crl(5, point="1") + crl(9, [], "2"), crl(6, point="1") + crl(10, [], "2", IMITATION), "CRL_INCOMPLETE"
    ),
    "the list of all certificates becomes one partition": Case(
        crl(5), crl(6, point="1"), "CRL_INCOMPLETE", "all certificates", POINTS
    ),
    "a newer list with fewer revocations": Case(
        crl(5, [7, 255]), crl(6, [7]), "CRL_SHORTER", r"1 serial numbers that are published as revoked \(ff\)", SERIALS
    ),
    "a newer list without revocations": Case(
        crl(5, range(1, 9)), crl(6, []), "CRL_SHORTER", r"without 8 serial numbers .* \(1, 2, 3, …\)", SERIALS
    ),
    "the same number with fewer revocations": Case(crl(5, [7, 8]), crl(5, [7]), "CRL_SHORTER", allowed_by=SERIALS),
    "partitions in one list without their revocations": Case(
        crl(5, [7], "1") + crl(9, [8], "2"), crl(6, [7]), "CRL_SHORTER", allowed_by=SERIALS
    ),
    "the revocations of a delta are lost": Case(
        crl(5) + crl(6, [8], extensions=[DELTA]), crl(7), "CRL_SHORTER", allowed_by=SERIALS
    ),
    "a revocation is only in a list of another CA": Case(crl(5), crl(6, []) + crl(6, by=OTHER), "CRL_SHORTER"),
    "a revocation is only in a list of another key": Case(crl(5), crl(6, []) + crl(6, by=IMITATION), "CRL_SHORTER"),
    "a delta takes the revocation back": Case(crl(5), crl(6, []) + removed(7, 7), "CRL_SHORTER", allowed_by=SERIALS),
    "a list for CAs only is lost, with a device's serial number": Case(
        crl(5, []) + crl(3, extensions=[CAS_ONLY]), crl(6, []), "CRL_SHORTER", allowed_by=SERIALS
    ),
}
ACCEPTED: Final = {
    "nothing was published": (b"", crl()),
    "the same list": (crl(5), crl(5)),
    "the next list": (crl(5), crl(6, [7, 8])),
    "the next number, with an earlier time: its clock was wrong": (crl(5, **LATER), crl(6)),
    "numbers after lists without": (crl(None), crl(1)),
    "no numbers, issued later": (crl(None), crl(None, **LATER)),
    "an old list next to the new one": (crl(5), crl(3, []) + crl(6)),
    "partitions in another order": (crl(5, [7], "1") + crl(9, [8], "2"), crl(9, [8], "2") + crl(6, [7], "1")),
    "a new partition": (crl(5, [7], "1"), crl(1, [], "2") + crl(5, [7], "1")),
    "partitions become one list": (crl(5, [7], "1") + crl(9, [8], "2"), crl(1, [7, 8])),
    "the delta is in the next complete list": (crl(5) + crl(6, [8], extensions=[DELTA]), crl(7, [7, 8])),
    "only a delta is new": (crl(5), crl(5) + crl(6, [8], extensions=[DELTA])),
    "a list for CAs has numbers of its own": (crl(5) + crl(90, [], extensions=[CAS_ONLY]), crl(6)),
    "a revocation that a delta took back": (crl(5, []) + removed(7, 6), crl(7, [])),
    "what is published is not a list": (b"junk", crl()),
    "what is published is cut off": (crl(9)[:-40], crl()),
    "what is published is of another CA": (crl(9, [7], by=OTHER), crl(1, [])),
    "what is published has another key": (crl(9, [7], by=IMITATION), crl(1, [])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_lists_that_would_admit_a_revoked_device_again_are_rejected(name: str) -> None:
    case = REFUSED[name]
    with pytest.raises(RegistrationError, match=rf"^{case.code}: got (?s:.*){case.text}"):
        check_succession(CA.certificate, case.before, revocation_lists(case.after))


@pytest.mark.parametrize("name", [name for name, case in REFUSED.items() if case.allowed_by])
def test_an_option_allows_what_the_ca_has_removed(name: str) -> None:
    case = REFUSED[name]
    lists = revocation_lists(case.after)
    assert case.allowed_by is not None
    check_succession(CA.certificate, case.before, lists, case.allowed_by)
    other = Allowed(not case.allowed_by.missing_points, not case.allowed_by.missing_serials)
    with pytest.raises(RegistrationError, match=f"^{case.code}: .*--allow-missing-"):
        check_succession(CA.certificate, case.before, lists, other)


def test_no_option_allows_an_older_list() -> None:
    for case in REFUSED.values():
        if case.code == "CRL_OLDER":
            with pytest.raises(RegistrationError, match=r"^CRL_OLDER"):
                check_succession(CA.certificate, case.before, revocation_lists(case.after), Allowed(True, True))


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_next_lists_of_a_ca_are_accepted(name: str) -> None:
    before, after = ACCEPTED[name]
    check_succession(CA.certificate, before, revocation_lists(after))
