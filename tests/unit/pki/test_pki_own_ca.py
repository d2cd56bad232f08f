"""A manufacturer's own CA in files: what is read, and which CAs are rejected before anything is registered."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from lobby.errors import LobbyError
from pki.ca.ca_source import LoadedCa, load_ca
from pki.ca.certificate_files import read_ca, read_certificates, read_lists
from pki.errors import RegistrationError
from pki.lobby_account import admission
from pki.lobby_account.admission import check_admission, check_chain
from pki.lobby_account.local_lobby import local_options
from tests import certificates as make
from tests.certificates import NOW, Issuer

ROOT = make.authority("Acme Root", number=20)
CA = make.authority("Acme Devices CA", number=21, parent=ROOT)
LIST = x509.load_pem_x509_crl(make.crl(CA))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


FILES: dict[str, Callable[[], bytes]] = {
    "PEM": lambda: pem(CA.certificate),
    "DER": lambda: der(CA.certificate),
    "PEM with CRLF, BOM and text": lambda: (
        b"\xef\xbb\xbfBag Attributes\n    friendlyName: ca\n" + pem(CA.certificate)
    ).replace(b"\n", b"\r\n"),
    "PEM in UTF-16, as PowerShell saves output": lambda: pem(CA.certificate).decode().encode("utf-16"),
    "a bundle with its root first": lambda: pem(ROOT.certificate, CA.certificate),
    "a bundle with its root last, each twice": lambda: pem(CA.certificate, ROOT.certificate) * 2,
    "PKCS#7 in PEM": lambda: pkcs7.serialize_certificates([ROOT.certificate, CA.certificate], Encoding.PEM),
    "PKCS#7 in DER": lambda: pkcs7.serialize_certificates([CA.certificate], Encoding.DER),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_the_ca_is_read_from(content: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "our CA (2026).txt"
    path.write_bytes(content())
    assert read_ca(path) == CA.certificate


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "BROKEN_FILE"),
    "text": (b"hello", "BROKEN_FILE"),
    "a key only": (
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",  # pragma: allowlist secret
        "BROKEN_FILE",
    ),
    "cut": (pem(CA.certificate)[:300], "BROKEN_FILE"),
    "cut DER": (der(CA.certificate)[:-5], "BROKEN_FILE"),
    "a trusted certificate": (pem(CA.certificate).replace(b"BEGIN C", b"BEGIN TRUSTED C"), "openssl x509"),
    "two CAs": (pem(CA.certificate, make.authority("Other", number=22).certificate), "INVALID_CA: got 2 CAs"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_an_unusable_file_is_rejected_with_its_path(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(LobbyError, match=message) as rejected:
        read_ca(path)
    assert str(path) in rejected.value.message


def test_lists_are_read_from_several_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(make.crl(CA) + make.crl(ROOT))
    (tmp_path / "b").write_bytes(LIST.public_bytes(Encoding.DER) * 2)
    assert len(read_lists([tmp_path / "a", tmp_path / "b"])) == 4
    (tmp_path / "b").write_bytes(b"nothing")
    with pytest.raises(LobbyError, match="BROKEN_FILE"):
        read_lists([tmp_path / "b"])


def made(**how: Any) -> Callable[[], Issuer]:
    return lambda: make.authority("Odd CA", number=23, **how)


_CERTS = make.key_usage(key_cert_sign=True)
REJECTED: dict[str, tuple[Callable[[], Issuer], str]] = {
    "no CA": (made(extensions=[_CERTS]), "CA_NOT_A_CA.*basicConstraints=critical,CA:TRUE"),
    "no keyCertSign": (
        made(extensions=[(x509.BasicConstraints(True, None), True), make.key_usage(crl_sign=True)]),
        "CA_WRONG_PURPOSE.*keyUsage=keyCertSign",
    ),
    "for servers": (
        made(more=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]),
        "CA_WRONG_PURPOSE.*clientAuth",
    ),
    "weak": (made(kind="rsa-1024"), "CA_WEAK_KEY.*RSA of 1024 bits"),
    "expired": (made(end=NOW - make.DAY), "CA_EXPIRED.*valid until"),
}


@pytest.mark.parametrize(("ca", "message"), REJECTED.values(), ids=REJECTED)
def test_a_ca_whose_devices_would_be_refused_is_rejected_with_the_fix(ca: Callable[[], Issuer], message: str) -> None:
    issuer = ca()
    with pytest.raises(RegistrationError, match=f"{message}") as rejected:
        check_admission(issuer.certificate, [x509.load_pem_x509_crl(make.crl(issuer))], NOW)
    assert "the lobby would refuse every device" in rejected.value.message


def test_a_ca_of_openssl_req_x509_is_accepted(tmp_path: Path) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
    ]
    subprocess.run(
        [*command, "-subj", "/CN=Acme CA", "-out", "ca", "-keyout", "key"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    ca = read_ca(tmp_path / "ca")
    with pytest.raises(RegistrationError, match="CRL_MISSING"):
        check_admission(ca, [], ca.not_valid_before_utc)


SAMPLES = {
    "of its root": (lambda: make.device(ROOT), "UNTRUSTED_CHAIN: the lobby would refuse the device sensor-1"),
    "with another name": (lambda: make.device(CA, "a b"), "NAME_INVALID"),
    "for servers": (
        lambda: make.device(CA, extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), True)]),
        "WRONG_PURPOSE",
    ),
}


@pytest.mark.parametrize(("sample", "message"), SAMPLES.values(), ids=SAMPLES)
def test_a_sample_shows_what_the_lobby_decides(sample: Callable[[], x509.Certificate], message: str) -> None:
    check_admission(CA.certificate, [LIST], NOW, make.device(CA))
    with pytest.raises(RegistrationError, match=message):
        check_admission(CA.certificate, [LIST], NOW, sample())


def test_a_chain_is_accepted_in_any_order_and_rejected_with_a_gap() -> None:
    middle = make.authority("Middle", number=24, parent=ROOT)
    low = make.authority("Low", number=25, parent=middle)
    check_chain(low.certificate, [ROOT.certificate, CA.certificate, middle.certificate])
    check_chain(ROOT.certificate, [])
    with pytest.raises(
        RegistrationError, match="BROKEN_CHAIN: got a chain without the issuer of CN=Low, want CN=Middle"
    ):
        check_chain(low.certificate, [ROOT.certificate])


def test_files_of_a_ca_are_loaded_together(tmp_path: Path) -> None:
    (tmp_path / "ca").write_bytes(der(CA.certificate))
    (tmp_path / "root").write_bytes(pem(ROOT.certificate, CA.certificate))
    (tmp_path / "list").write_bytes(LIST.public_bytes(Encoding.DER))
    loaded = load_ca(None, tmp_path / "ca", [tmp_path / "root"], [tmp_path / "list"])
    assert loaded == LoadedCa(CA.certificate, (ROOT.certificate,), (LIST,))
    with pytest.raises(LobbyError, match="INVALID_CA: got no --crl"):
        load_ca(None, tmp_path / "ca")
    assert load_ca(None, tmp_path / "ca", with_lists=False).lists == ()


@pytest.mark.parametrize(("directory", "ca"), [(None, None), (Path("a"), Path("b"))])
def test_a_command_needs_a_directory_or_a_file(directory: Path | None, ca: Path | None) -> None:
    with pytest.raises(LobbyError, match="INVALID_CA"):
        load_ca(directory, ca)


def test_expiry_is_reported_months_before() -> None:
    def noted(days_of_ca: int, days_of_list: int, of: int = 90) -> list[str]:
        issuer = make.authority("Short", number=26, end=NOW + timedelta(days=days_of_ca))
        until = NOW + timedelta(days=days_of_list)
        crl = make.crl(issuer, last=until - timedelta(days=of), until=until)
        return [
            note.split(" expires")[0]
            for note in admission.notes(issuer.certificate, [x509.load_pem_x509_crl(crl)], NOW)
        ]

    assert noted(366, 30) == []
    assert noted(364, 30) == ["the CA Short"]
    assert noted(400, 29) == ["the revocation list"]
    assert noted(400, 9, of=30) == ["the revocation list"]
    assert noted(400, 11, of=30) == []


def test_the_local_cloud_is_found_above_the_directory(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    with pytest.raises(RegistrationError, match=r"NO_LOBBY.*deploy\.sh local"):
        local_options(below, tmp_path)
    (tmp_path / ".local").mkdir()
    file = tmp_path / ".local" / "lobby.json"
    file.write_text("{}")
    with pytest.raises(RegistrationError, match="NO_LOBBY"):
        local_options(below, tmp_path)
    file.write_text(
        '{"aws_endpoint_url": "http://127.0.0.1:1", "aws_secret_access_key": "s", "lobby_account": "111111111111",'
        ' "lobby_region": "eu-west-1"}'
    )
    found = local_options(below, tmp_path)
    assert (found.endpoint_url, found.access_key, found.secret, found.region) == (
        "http://127.0.0.1:1",
        "111111111111",
        "s",
        "eu-west-1",
    )
    several = json.loads(file.read_text()) | {"regions": [{"region": "eu-west-1"}, {"region": "us-east-1"}]}
    file.write_text(json.dumps(several))
    assert local_options(below, tmp_path).region == "eu-west-1,us-east-1"


def test_certificates_of_a_file_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "chain").write_bytes(pem(CA.certificate, ROOT.certificate))
    assert read_certificates(tmp_path / "chain") == [CA.certificate, ROOT.certificate]
