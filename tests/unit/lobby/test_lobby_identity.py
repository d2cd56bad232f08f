"""Who may come in: one row per way a certificate or a revocation list can be wrong, and what is accepted."""

import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA224, SHA384
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from lobby.errors import IdentityRefused
from lobby.identity import load_certificate, thing_name, verify
from tests import certificates as make

ROOT = make.authority("Acme Root", number=9)
CA = make.authority(parent=ROOT, pathlen=0)
SAME_NAME = make.authority(parent=ROOT, number=1)
OTHER = make.authority("Other CA", number=2)
BELOW = make.authority("Acme Sub CA", parent=CA, number=3)
V01 = make.authority("v0.1 CA", pathlen=2, identifiers=False, number=4)
OLD = make.authority(begin=make.NOW - 2 * make.YEAR, end=make.NOW - make.DAY, number=5)
COMING = make.authority(begin=make.NOW + make.DAY, number=5)
RSA_CA = make.authority("RSA CA", kind="rsa-2048", number=6)
SHORT = make.authority("Short CA", end=make.NOW + make.DAY, number=7)

GOOD = make.device(CA)
HOUR = timedelta(hours=1)
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME


@dataclass(frozen=True)
class Case:
    code: str
    pem: str = field(repr=False)
    issuer: make.Issuer = CA
    crl: bytes | None = b"usual"


def case(
    code: str, certificate: x509.Certificate | str, issuer: make.Issuer = CA, crl: bytes | None = b"usual"
) -> Case:
    return Case(code, certificate if isinstance(certificate, str) else make.pem_of(certificate), issuer, crl)


def with_cn(cn: str) -> str:
    """A name that the library would not put into a certificate."""
    return make.swapped(GOOD, make.der_text("sensor-1"), make.der_text(cn), CA)


def extended(*uses: ObjectIdentifier) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.ExtendedKeyUsage(uses), False)]


REFUSED = {
    "expired": case("EXPIRED", make.device(CA, end=make.NOW - HOUR)),
    "not yet valid": case("NOT_YET_VALID", make.device(CA, begin=make.NOW + HOUR)),
    "another issuer": case("UNTRUSTED_CHAIN", make.device(OTHER)),
    "an issuer of the same name with another key": case("UNTRUSTED_CHAIN", make.device(SAME_NAME)),
    "issued by a CA under the registered one": case("UNTRUSTED_CHAIN", make.device(BELOW)),
    "a signature with a flipped bit": case("UNTRUSTED_CHAIN", make.with_bad_signature(GOOD)),
    "a device as registered CA": case(
        "UNTRUSTED_CHAIN",
        make.device(make.Issuer(GOOD, make.key("SECP256R1"))),
        make.Issuer(GOOD, make.key("SECP256R1")),
    ),
    "an unknown critical extension": case(
        "UNTRUSTED_CHAIN",
        make.device(CA, extensions=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]),
    ),
    "a CA as device": case("NOT_A_DEVICE", BELOW.certificate),
    "the registered CA itself": case("NOT_A_DEVICE", ROOT.certificate, ROOT),
    "a key that may sign certificates": case(
        "NOT_A_DEVICE", make.device(CA, extensions=[make.key_usage(digital_signature=True, key_cert_sign=True)])
    ),
    "a server's certificate": case(
        "WRONG_PURPOSE", make.device(CA, extensions=extended(ExtendedKeyUsageOID.SERVER_AUTH))
    ),
    "any purpose": case(
        "WRONG_PURPOSE", make.device(CA, extensions=extended(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
    ),
    "a key that may not sign": case("WRONG_PURPOSE", make.device(CA, extensions=[make.key_usage(key_agreement=True)])),
    "RSA-1024": case("WEAK_KEY", make.device(CA, kind="rsa-1024")),
    "secp256k1": case("WEAK_KEY", make.device(CA, kind="SECP256K1")),
    "secp224r1": case("WEAK_KEY", make.device(CA, kind="SECP224R1")),
    "brainpool": case("WEAK_KEY", make.device(CA, kind="BrainpoolP256R1")),
    "Ed25519": case("WEAK_KEY", make.device(CA, kind="ed25519")),
    "SHA-1": case(
        "WEAK_SIGNATURE", make.swapped(GOOD, make.der_oid("1.2.840.10045.4.3.2"), make.der_oid("1.2.840.10045.4.1"), CA)
    ),
    "SHA-224": case("WEAK_SIGNATURE", make.device(CA, algorithm=SHA224())),
    "an unknown curve": case(
        "BAD_CERTIFICATE",
        make.swapped(GOOD, make.der_oid("1.2.840.10045.3.1.7"), make.der_oid("1.2.840.10045.3.1.119"), CA),
    ),
    "an unknown signature algorithm": case(
        "BAD_CERTIFICATE",
        make.swapped(GOOD, make.der_oid("1.2.840.10045.4.3.2"), make.der_oid("1.2.840.10045.4.3.99"), CA),
    ),
    "two certificates": case("BAD_CERTIFICATE", make.pem_of(GOOD) * 2),
    "no certificate": case("BAD_CERTIFICATE", ""),
    "no PEM": case("BAD_CERTIFICATE", "hello"),
    "text that is no Unicode": case("BAD_CERTIFICATE", "\ud800"),
    "cut PEM": case("BAD_CERTIFICATE", make.pem_of(GOOD)[:300]),
    "no subject": case("NAME_MISSING", make.device(CA, name=x509.Name([]))),
    "no CN": case("NAME_MISSING", make.device(CA, name=make.subject((NameOID.ORGANIZATION_NAME, "Acme")))),
    "a CN inside the OU": case("NAME_MISSING", make.device(CA, name=make.subject((OU, "CN=victim")))),
    "two CNs": case("NAME_DOUBLED", make.device(CA, name=make.subject((CN, "victim"), (CN, "sensor-1")))),
    "an empty CN": case("NAME_INVALID", with_cn("")),
    "a CN that is too long": case("NAME_INVALID", with_cn("a" * 129)),
    **{
        f"a CN of {cn!a}": case("NAME_INVALID", make.device(CA, cn))
        for cn in (
            "a#",
            "+",
            "a/b",
            "$aws",
            "a\nb",
            "a=b",
            "CN=victim",
            "a b",
            "victim\x00",
            "a,O=b",
            "\u0430bc",
            "\u00e9",
        )
    },
    "an expired CA": case("CA_EXPIRED", make.device(OLD), OLD),
    "a CA not yet valid": case("CA_EXPIRED", make.device(COMING), COMING),
    "no CRL": case("CRL_MISSING", GOOD, crl=None),
    "a CRL that is none": case("CRL_INVALID", GOOD, crl=b"hello"),
    "an empty CRL": case("CRL_INVALID", GOOD, crl=b""),
    "a CRL of another issuer": case("CRL_INVALID", GOOD, crl=make.crl(ROOT)),
    "a CRL signed by another": case("CRL_INVALID", GOOD, crl=make.crl(CA, signed_by=SAME_NAME)),
    "a CRL signed with another kind of key": case(
        "CRL_INVALID", GOOD, crl=make.crl(CA, signed_by=make.Issuer(CA.certificate, make.key("rsa-2048")))
    ),
    "a CRL of differences only": case(
        "CRL_INVALID", GOOD, crl=make.crl(CA, extensions=[(x509.DeltaCRLIndicator(1), True)])
    ),
    "a CRL of CAs only": case(
        "CRL_INVALID",
        GOOD,
        crl=make.crl(
            CA, extensions=[(x509.IssuingDistributionPoint(None, None, False, True, None, False, False), True)]
        ),
    ),
    "a stale CRL": case("CRL_STALE", GOOD, crl=make.crl(CA, until=make.NOW - HOUR)),
    "a CRL not yet valid": case("CRL_STALE", GOOD, crl=make.crl(CA, last=make.NOW + HOUR)),
    "revoked by its issuer": case("REVOKED_BY_ISSUER", GOOD, crl=make.crl(CA, [5, GOOD.serial_number])),
}


@pytest.mark.filterwarnings("ignore:Attribute's length")
@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED.keys())
def test_a_certificate_is_refused_for(wrong: Case) -> None:
    crl = make.crl(wrong.issuer) if wrong.crl == b"usual" else wrong.crl
    with pytest.raises(IdentityRefused) as refused:
        verify(wrong.pem, wrong.issuer.pem, crl, make.NOW)
    assert refused.value.code == wrong.code
    assert len(refused.value.message) < 400


ACCEPTED = {
    "EC P-256": (make.device(CA), CA),
    "EC P-384": (make.device(CA, kind="SECP384R1"), CA),
    "EC P-521": (make.device(CA, kind="SECP521R1"), CA),
    "RSA-2048": (make.device(CA, kind="rsa-2048"), CA),
    "SHA-384": (make.device(CA, algorithm=SHA384()), CA),
    "without any extension": (make.device(CA, extensions=[]), CA),
    "with a SAN that says something else": (
        make.device(CA, extensions=[(x509.SubjectAlternativeName([x509.DNSName("victim")]), False)]), CA,
    ),
    "of a self-signed CA": (make.device(ROOT), ROOT),
    "of an RSA CA": (make.device(RSA_CA), RSA_CA),
    "of a v0.1 CA with pathlen 2 and no identifiers": (make.device(V01, extensions=[]), V01),
    "longer than its CA": (make.device(SHORT, end=make.NOW + make.YEAR), SHORT),
}  # fmt: skip


@pytest.mark.parametrize(("certificate", "issuer"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_certificate_is_accepted(certificate: x509.Certificate, issuer: make.Issuer) -> None:
    pem = make.pem_of(certificate)
    identity = verify(pem, issuer.pem, make.crl(issuer, [7]), make.NOW)
    assert (identity.name, identity.certid, identity.pem) == ("sensor-1", make.fingerprint_of(pem), pem)


def test_the_name_is_the_cn_whatever_stands_before_it() -> None:
    pem = make.pem_of(make.device(CA, name=make.subject((OU, "CN=victim"), (CN, "me"), (OU, "CN=late"))))
    assert verify(pem, CA.pem, make.crl(CA), make.NOW).name == thing_name(load_certificate(pem)) == "me"


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_name_may_be_as_long_as_aws_iot_takes_it() -> None:
    assert verify(with_cn("a" * 128), CA.pem, make.crl(CA), make.NOW).name == "a" * 128


def test_validity_holds_to_the_very_second() -> None:
    certificate = make.device(CA, begin=make.NOW, end=make.NOW + HOUR)
    pem, crl = make.pem_of(certificate), make.crl(CA, last=make.NOW)
    assert verify(pem, CA.pem, crl, make.NOW).name == "sensor-1"
    assert verify(pem, CA.pem, crl, make.NOW + HOUR).name == "sensor-1"
    with pytest.raises(IdentityRefused, match="EXPIRED"):
        verify(pem, CA.pem, crl, make.NOW + HOUR + timedelta(seconds=1))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command, which makes X.509 v1")
def test_a_certificate_of_version_1_is_told_that_it_is(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=sensor-1", "-out", "csr.pem")
    openssl("x509", "-req", "-in", "csr.pem", "-signkey", "key.pem", "-days", "9999", "-out", "cert.pem")
    pem = (tmp_path / "cert.pem").read_text()
    if load_certificate(pem).version is x509.Version.v3:
        pytest.skip("this openssl makes v3 even when nothing asks for it")
    with pytest.raises(IdentityRefused, match=r"BAD_CERTIFICATE.*v1"):
        verify(pem, pem, None, make.NOW)
