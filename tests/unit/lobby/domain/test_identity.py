"""Which certificates and revocation lists are refused, with which code, and which are accepted."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain.connections.deactivation_reasons import QUARANTINED
from lobby.domain.doors import provisioning
from lobby.domain.identity import load_certificate, thing_name, verify
from lobby.doors import registration
from lobby.errors import IdentityRefused
from tests import certificates as make
from tests import der
from tests.hostile import HOSTILE, HOUR, Maker
from tests.tiers import examples

MAKER = Maker()
ROOT, CA, GOOD = MAKER.root, MAKER.ca, MAKER.good
V01 = make.authority("v0.1 CA", pathlen=2, identifiers=False, number=4)
RSA_CA = make.authority("RSA CA", kind="rsa-2048", number=6)
SHORT = make.authority("Short CA", end=make.NOW + make.DAY, number=7)
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME

LOBBY = Path(registration.__file__).parents[1]


@pytest.mark.filterwarnings("ignore:Attribute's length", "ignore:Parsed a serial number")
@pytest.mark.parametrize("name", [name for name, row in HOSTILE.items() if not row.before])
def test_a_certificate_is_refused_for(name: str) -> None:
    hostile = HOSTILE[name]
    with pytest.raises(IdentityRefused) as refused:
        verify(hostile.certificate(MAKER), hostile.issuer(MAKER).pem, hostile.list_for(MAKER), make.NOW)
    assert refused.value.code == hostile.code
    assert len(refused.value.message) < 1000
    assert "got " in refused.value.message
    assert refused.value.message.isprintable()


def codes_in_the_source() -> Iterator[str]:
    """Yield the refusal codes in the source, without those of the door `claim`, which has a table of its own."""
    for path in LOBBY.rglob("*.py"):
        if path == Path(provisioning.__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "IdentityRefused":
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{path}: a code that is worked out has no row anywhere"
                yield str(code.value)
    yield from set(registration._REFUSING_CONFLICTS) - {QUARANTINED}  # the certificate of a device that was admitted


def test_every_refusal_code_has_a_test_case() -> None:
    assert set(codes_in_the_source()) == {row.code for row in HOSTILE.values()}


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=examples(100), deadline=None)
@given(data=st.data())
def test_any_signed_bytes_are_refused_with_a_code_or_contain_the_name(data: st.DataObject) -> None:
    body, algorithm = der.signed_parts(GOOD)
    changed = bytearray(body)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=3)):
        changed[place] = data.draw(st.integers(0, 255))
    pem = der.signed_again(CA, bytes(changed), algorithm)
    assert outcome(pem) in {row.code for row in HOSTILE.values()} | {"the name in it"}


def outcome(pem: str) -> str:
    try:
        name = verify(pem, CA.pem, MAKER.crl(), make.NOW).name
    except IdentityRefused as refused:
        return refused.code
    return "the name in it" if name == thing_name(load_certificate(pem)) else f"another name: {name}"


ACCEPTED = {
    "EC P-256": (make.device(CA), CA),
    "EC P-384": (make.device(CA, kind="SECP384R1"), CA),
    "EC P-521": (make.device(CA, kind="SECP521R1"), CA),
    "RSA-2048": (make.device(CA, kind="rsa-2048"), CA),
    "SHA-384": (make.device(CA, algorithm=SHA384()), CA),
    "without any extension": (make.device(CA, extensions=[]), CA),
    "with a SAN that says something else": (
        make.device(CA, extensions=[(x509.SubjectAlternativeName([x509.DNSName("victim")]), False)]),
        CA,
    ),
    "of a self-signed CA": (make.device(ROOT), ROOT),
    "of an RSA CA": (make.device(RSA_CA), RSA_CA),
    "of a v0.1 CA with pathlen 2 and no identifiers": (make.device(V01, extensions=[]), V01),
    "longer than its CA": (make.device(SHORT, end=make.NOW + make.YEAR), SHORT),
}


@pytest.mark.parametrize(("certificate", "issuer"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_certificate_is_accepted(certificate: x509.Certificate, issuer: make.Issuer) -> None:
    pem = make.pem_of(certificate)
    identity = verify(pem, issuer.pem, make.crl(issuer, [7]), make.NOW)
    assert (identity.name, identity.certid, identity.pem) == ("sensor-1", make.fingerprint_of(pem), pem)


def test_the_name_is_the_cn_regardless_of_other_attributes() -> None:
    pem = make.pem_of(make.device(CA, name=make.subject((OU, "CN=victim"), (CN, "me"), (OU, "CN=late"))))
    assert verify(pem, CA.pem, make.crl(CA), make.NOW).name == thing_name(load_certificate(pem)) == "me"


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_name_can_have_the_maximum_length_of_aws_iot() -> None:
    pem = MAKER.replaced(der.text("sensor-1"), der.text("a" * 128))
    assert verify(pem, CA.pem, make.crl(CA), make.NOW).name == "a" * 128


def test_validity_is_checked_to_the_second() -> None:
    certificate = make.device(CA, begin=make.NOW, end=make.NOW + HOUR)
    pem, crl = make.pem_of(certificate), make.crl(CA, last=make.NOW)
    assert verify(pem, CA.pem, crl, make.NOW).name == "sensor-1"
    assert verify(pem, CA.pem, crl, make.NOW + HOUR).name == "sensor-1"
    with pytest.raises(IdentityRefused, match="EXPIRED"):
        verify(pem, CA.pem, crl, make.NOW + HOUR + timedelta(seconds=1))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command, which makes X.509 v1")
def test_a_certificate_of_version_1_is_refused_with_its_version(tmp_path: Path) -> None:
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
