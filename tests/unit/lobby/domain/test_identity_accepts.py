"""Which unusual certificates, CAs and revocation lists are accepted: what RFC 5280 allows and AWS IoT registers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import CertificatePoliciesOID, ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain.identity import verify
from lobby.errors import IdentityRefused
from tests import certificates as make
from tests import der
from tests.hostile import HOUR, Maker
from tests.tiers import examples

MAKER = Maker()
CA, GOOD, CRL = MAKER.ca, MAKER.good, MAKER.der_crl()
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
URL, OTHER_URL = "http://acme.example/1.crl", "http://acme.example/2.crl"


def accepts(pem: str, issuer: make.Issuer, crl: bytes | None = None) -> bool:
    return verify(pem, issuer.pem, make.crl(issuer) if crl is None else crl, make.NOW).name == "sensor-1"


def points(*urls: str) -> x509.CRLDistributionPoints:
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


EXTENSIONS: dict[str, list[tuple[x509.ExtensionType, bool]]] = {
    "a critical extendedKeyUsage": [(x509.ExtendedKeyUsage([CLIENT]), True)],
    "a critical extendedKeyUsage with other uses": [
        (
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, CLIENT, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
            ),
            True,
        )
    ],
    "a key usage that is not critical": [(make.key_usage(digital_signature=True)[0], False)],
    "a critical SAN": [(x509.SubjectAlternativeName([x509.DNSName("victim")]), True)],
    "critical policies": [
        (x509.CertificatePolicies([x509.PolicyInformation(CertificatePoliciesOID.ANY_POLICY, None)]), True)
    ],
    "critical distribution points": [(points(URL), True)],
    "an unknown extension": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False)],
}


@pytest.mark.parametrize("extensions", EXTENSIONS.values(), ids=EXTENSIONS)
def test_a_certificate_is_accepted_with(extensions: list[tuple[x509.ExtensionType, bool]]) -> None:
    assert accepts(MAKER.pem(extensions=extensions), CA)


_BASIC, _USAGE = x509.BasicConstraints(ca=True, path_length=None), make.key_usage(key_cert_sign=True)[0]
_ACME = x509.DirectoryName(make.subject((NameOID.ORGANIZATION_NAME, "Acme")))
AUTHORITIES: dict[str, Callable[[], make.Issuer]] = {
    "of openssl req -x509, without key usage": lambda: make.authority(extensions=[(_BASIC, True)]),
    "with basicConstraints that are not critical": lambda: make.authority(
        extensions=[(_BASIC, False), (_USAGE, False)]
    ),
    "for clients": lambda: make.authority(more=[(x509.ExtendedKeyUsage([CLIENT]), True)]),
    "for any purpose": lambda: make.authority(
        more=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False)]
    ),
    "with constraints on other types of names": lambda: make.authority(
        more=[(x509.NameConstraints([x509.DNSName("acme.example")], None), True)]
    ),
    "that excludes another organization": lambda: make.authority(more=[(x509.NameConstraints(None, [_ACME]), True)]),
    "on P-521": lambda: make.authority(kind="SECP521R1", number=11),
}


@pytest.mark.parametrize("authority", AUTHORITIES.values(), ids=AUTHORITIES)
def test_a_device_is_accepted_of_a_ca(authority: Callable[[], make.Issuer]) -> None:
    issuer = authority()
    assert accepts(make.pem_of(make.device(issuer)), issuer)


def test_a_ca_whose_serial_number_is_0_is_accepted() -> None:
    serial = der.integer(CA.certificate.serial_number)
    zero = make.Issuer(CA.certificate, CA.key)
    assert verify(make.pem_of(GOOD), der.replaced(CA.certificate, serial, der.integer(0), zero), make.crl(CA), make.NOW)


@pytest.mark.parametrize("new", ["ACME DEVICES CA 0", " Acme  Devices CA 0 "])
def test_the_issuers_name_is_compared_regardless_of_case_and_spaces(new: str) -> None:
    assert accepts(MAKER.replaced(der.text("Acme Devices CA 0"), der.text(new)), CA)


def test_the_issuers_name_is_compared_regardless_of_the_string_type() -> None:
    assert accepts(MAKER.replaced(der.text("Acme Devices CA 0"), der.element(0x13, b"Acme Devices CA 0")), CA)


def test_a_time_may_be_a_generalized_time_before_2050() -> None:
    begin = make.NOW - make.DAY
    old, new = der.utc_time(f"{begin:%y%m%d%H%M%SZ}"), der.generalized_time(f"{begin:%Y%m%d%H%M%SZ}")
    assert accepts(MAKER.replaced(old, new), CA)


def scoped(url: str, **how: Any) -> bytes:
    point = x509.IssuingDistributionPoint([x509.UniformResourceIdentifier(url)], None, True, False, None, False, False)
    return MAKER.crl(extensions=[(point, True)], **how)


_FOR_ALL = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
LISTS: dict[str, Callable[[], bytes]] = {
    "in DER": MAKER.der_crl,
    "with CRLF line ends": lambda: MAKER.crl().replace(b"\n", b"\r\n"),
    "after text and a BOM": lambda: b"\xef\xbb\xbfCertificate Revocation List (CRL):\n" + MAKER.crl(),
    "behind another issuer's": lambda: MAKER.crl(MAKER.root) + MAKER.crl(),
    "behind a stale one": lambda: MAKER.crl(until=make.NOW - HOUR) + MAKER.crl(),
    "in DER behind another issuer's": lambda: MAKER.der_crl(issuer=MAKER.root) + MAKER.der_crl(),
    "for users' certificates": lambda: MAKER.crl(extensions=[(_FOR_ALL, True)]),
    "with a critical distribution point": lambda: scoped(URL),
    "next to a delta list": lambda: MAKER.crl() + MAKER.crl(extensions=[(x509.DeltaCRLIndicator(1), True)]),
}


@pytest.mark.parametrize("crl", LISTS.values(), ids=LISTS)
def test_a_list_is_accepted(crl: Callable[[], bytes]) -> None:
    assert accepts(make.pem_of(GOOD), CA, crl())


@pytest.mark.parametrize("crl", LISTS.values(), ids=LISTS)
def test_a_revoked_device_is_refused_with_a_list(crl: Callable[[], bytes]) -> None:
    with pytest.raises(IdentityRefused, match="REVOKED_BY_ISSUER"):
        accepts(MAKER.pem(serial=666), CA, crl())


def test_of_partitioned_lists_the_one_of_the_certificates_point_counts() -> None:
    both = scoped(URL) + scoped(OTHER_URL, until=make.NOW - HOUR)
    assert accepts(MAKER.pem(extensions=[(points(URL), False)]), CA, both)
    with pytest.raises(IdentityRefused, match="CRL_STALE"):
        accepts(MAKER.pem(extensions=[(points(OTHER_URL), False)]), CA, both)
    with pytest.raises(IdentityRefused, match="REVOKED_BY_ISSUER"):
        accepts(MAKER.pem(serial=666, extensions=[(points(URL), False)]), CA, both)


def test_a_device_removed_from_a_list_is_not_revoked() -> None:
    reason = x509.CRLReason(x509.ReasonFlags.remove_from_crl)
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(666)
        .revocation_date(make.NOW)
        .add_extension(reason, critical=False)
    )
    builder = x509.CertificateRevocationListBuilder(
        CA.certificate.subject, make.NOW - HOUR, make.NOW + timedelta(days=1), [], [entry.build()]
    )
    assert accepts(MAKER.pem(serial=666), CA, builder.sign(CA.key, SHA256()).public_bytes(Encoding.DER))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_any_bytes_as_ca_or_list_are_refused_with_a_code_or_accepted(data: st.DataObject) -> None:
    """A change that keeps the meaning, such as one of the CA's own signature, is accepted."""
    ca, crl = CA.certificate.public_bytes(Encoding.DER), CRL
    if data.draw(st.booleans()):
        crl = changed(data, crl)
    else:
        ca = changed(data, ca)
    assert outcome(make.pem_of_der(ca), crl).startswith(("sensor-1", "CA_", "CRL_", "UNTRUSTED", "SIGNATURE"))


def outcome(ca: str, crl: bytes) -> str:
    try:
        return verify(make.pem_of(GOOD), ca, crl, make.NOW).name
    except IdentityRefused as refused:
        return refused.code


def changed(data: st.DataObject, content: bytes) -> bytes:
    body = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=3)):
        body[place] = data.draw(st.integers(0, 255))
    return bytes(body)
