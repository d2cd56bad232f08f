"""`lobby-pki` with certificates that other tools issued, several certificates in one file, and a disk that is full."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.ca.authority import load_authority
from pki.ca.certificates import fingerprint, load_certificate
from pki.ca.crl import load_record
from tests.functional.pki.command_line import Run

CA = Path("ca")


@pytest.fixture
def pki(run: Run) -> Run:
    run("init", "ca", "--organization", "Acme")
    return run


def issued(*names: str, organization: str | None = None) -> x509.Certificate:
    """Return a certificate that another tool has made with the CA's key."""
    authority, now = load_authority(CA), datetime.now(UTC)
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(authority.intermediate.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(authority.key, hashes.SHA256())
    )


def stored(name: str, certificate: x509.Certificate) -> None:
    Path("other").mkdir(exist_ok=True)
    Path("other", f"{name}.cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


@pytest.mark.parametrize("suffix", ["pdf", "svg", "zpl", "png"])
@pytest.mark.parametrize(
    "names",
    [("Gerät-7",), ("装置",), ("a<b&\"'>",), ("a^XZ^XA",), ("a\\)(b",), ("\u202eabc",), ("a\nb",), ("a", "b"), ()],
)
def test_a_name_that_the_lobby_refuses_gets_no_label(pki: Run, names: tuple[str, ...], suffix: str) -> None:
    certificate = issued(*names, organization="Acme")
    stored("x", certificate)
    done = pki("labels", "ca", "--devices", "other", "--out", f"x.{suffix}", status=2)
    assert f"error: INVALID_THING_NAME: the certificate {fingerprint(certificate)} in other: got " in done.stderr
    assert not Path(f"x.{suffix}").exists()


def test_two_certificates_of_one_name_get_no_label(pki: Run) -> None:
    stored("x", issued("pump-1"))
    stored("y", issued("pump-1"))
    done = pki("labels", "ca", "--devices", "other", "--out", "x.pdf", status=2)
    assert "error: DUPLICATE_NAME: got two certificates of pump-1 in other" in done.stderr


@pytest.mark.parametrize("form", ["DER", "with its chain", "with its key", "after its chain", "UTF-16"])
def test_a_device_is_revoked_by_a_file_in_any_usual_form(pki: Run, form: str) -> None:
    pki("device", "ca", "d", "--no-label")
    pem, key = Path("ca/devices/d.cert.pem").read_bytes(), Path("ca/devices/d.key.pem").read_bytes()
    certificate, chain = load_certificate(Path("ca/devices/d.cert.pem")), Path("ca/intermediate.cert.pem").read_bytes()
    content = {
        "DER": certificate.public_bytes(Encoding.DER),
        "with its chain": pem + chain,
        "with its key": key + pem,
        "after its chain": chain + pem,
        "UTF-16": pem.decode().encode("utf-16"),
    }[form]
    Path("file").write_bytes(content)
    pki("revoke", "ca", "file")
    assert [each.fingerprint for each in load_record(CA).revoked] == [fingerprint(certificate)]


def test_a_file_with_several_devices_revokes_none(pki: Run) -> None:
    pki("device", "ca", "a", "b", "--no-label")
    Path("both.pem").write_bytes(b"".join(Path(f"ca/devices/{name}.cert.pem").read_bytes() for name in "ab"))
    done = pki("revoke", "ca", "both.pem", status=2)
    assert "error: SEVERAL_CERTIFICATES: got 2 certificates of this CA in both.pem, want one" in done.stderr
    assert not load_record(CA).revoked


@pytest.mark.parametrize("name", ["x.pdf", "x.svg", "x.zpl", "x.png"])
def test_a_full_disk_is_reported_with_the_file_and_keeps_it(
    pki: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    pki("device", "ca", "d", "--no-label")
    Path(name).write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    done = pki("labels", "ca", "--out", name, status=1)
    assert f"error: FILE_SYSTEM: got No space left on device at {name}, want a readable and writable" in done.stderr
    assert Path(name).read_text() == "old"
    assert not list(Path().glob(".*~"))
