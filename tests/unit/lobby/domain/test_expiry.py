"""CAs and revocation lists are reported before they expire, or if they cannot be used."""

from datetime import timedelta
from typing import Any

import pytest

from lobby.domain.expiry import CA, LIST, expiring
from lobby.domain.trust.issuer import Issuer, parse_issuer
from lobby.domain.trust.revocation import genuine_lists
from tests import certificates as make

DAY = timedelta(days=1)
ROOT = make.authority()
PEM = make.pem_of(ROOT.certificate)


@pytest.mark.parametrize(("days", "found"), [(181, []), (180, [CA]), (0, [CA]), (-1, [CA])])
def test_a_ca_is_reported_half_a_year_before_its_end(days: int, found: list[str]) -> None:
    ca = make.authority(end=make.NOW + days * DAY)
    reported = expiring("ab" * 32, make.pem_of(ca.certificate), make.crl(ca), make.NOW)
    assert [each.kind for each in reported] == found
    assert all(each.name == "CN=Acme Devices CA" and each.ends for each in reported)


@pytest.mark.parametrize(
    ("valid_for", "left", "reported"),
    [
        pytest.param(7, 3, False, id="a week's list with three days left"),
        pytest.param(7, 2, True, id="a week's list with two days left"),
        pytest.param(365, 61, False, id="a year's list with 61 days left"),
        pytest.param(365, 60, True, id="a year's list with 60 days left"),
        pytest.param(30, -1, True, id="a list that has ended"),
    ],
)
def test_a_list_is_reported_before_its_end_by_its_length(valid_for: int, left: int, reported: bool) -> None:
    until = make.NOW + left * DAY
    crl = make.crl(ROOT, last=until - valid_for * DAY, until=until)
    assert [each.kind for each in expiring("ab" * 32, PEM, crl, make.NOW)] == ([LIST] if reported else [])


@pytest.mark.parametrize(
    ("pem", "crl", "kind", "problem"),
    [
        pytest.param("nothing", None, CA, "CA_INVALID", id="an unreadable CA"),
        pytest.param(PEM, None, LIST, "CRL_MISSING", id="no list"),
        pytest.param(PEM, b"nothing", LIST, "CRL_INVALID", id="an unreadable list"),
        pytest.param(PEM, make.crl(make.authority("Other")), LIST, "CRL_INVALID", id="a list of another CA"),
    ],
)
def test_an_unusable_ca_or_list_is_reported_with_its_code(pem: str, crl: bytes | None, kind: str, problem: str) -> None:
    [found] = expiring("ab" * 32, pem, crl, make.NOW)
    assert (found.kind, found.ends) == (kind, None)
    assert str(found.problem).startswith(problem)


def test_of_several_lists_the_latest_counts() -> None:
    old = make.crl(ROOT, last=make.NOW - 40 * DAY, until=make.NOW - 10 * DAY)
    assert expiring("ab" * 32, PEM, old + make.crl(ROOT), make.NOW) == []


class UsedIssuer(Issuer):
    """An issuer that counts the uses of its key."""

    uses = 0

    def __getattribute__(self, name: str) -> Any:
        UsedIssuer.uses += name == "key"
        return super().__getattribute__(name)


def test_the_signature_of_each_list_is_verified_once() -> None:
    UsedIssuer.uses = 0
    lists = make.crl(ROOT) + make.crl(make.authority("Other")) + make.crl(ROOT)
    assert len(genuine_lists(UsedIssuer(**vars(parse_issuer(PEM))), lists)) == 2
    assert UsedIssuer.uses == 2
