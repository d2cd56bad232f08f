"""`python -m pki`: results on stdout, one line for a failure, and the exit status."""

import csv
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from PIL import Image
from typer.testing import Result

from lobby import __version__
from lobby.text.label import decode_label, encode_label
from pki.ca.certificates import fingerprint, load_certificate
from pki.ca.crl import load_crl
from pki.cli import main
from tests.functional.pki.command_line import Run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def pki(run: Run) -> Run:
    run("init", "ca", "--organization", "Acme GmbH")
    return run


def failure(done: Result) -> str:
    """Return the single line of a failure."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def write_request(path: Path, name: str) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    path.write_bytes(csr.public_bytes(Encoding.PEM))


def test_help_lists_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pki", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "TERM": "dumb"},
    )
    for command in ("init", "device", "revoke", "renew-crl", "labels", "register", "publish-crl", "unregister", "show"):
        assert command in done.stdout


def test_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").stdout == f"lobby-pki {__version__}\n"


def test_main_runs_the_command_line_without_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["lobby-pki", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


def test_a_device_is_created_with_key_certificate_and_label(pki: Run) -> None:
    done = pki("device", "ca", "sensor-1")
    certificate = load_certificate(Path("ca/devices/sensor-1.cert.pem"))
    assert f"sensor-1  {fingerprint(certificate)}" in done.stdout
    assert done.stderr == ""
    (code,) = zxingcpp.read_barcodes(Image.open("ca/devices/sensor-1.label.png"))
    assert decode_label(code.text) == fingerprint(certificate)
    assert stat.S_IMODE(Path("ca/devices/sensor-1.key.pem").stat().st_mode) == 0o600


def test_a_larger_count_creates_only_the_additional_devices(pki: Run) -> None:
    pki("device", "ca", "--count", "3", "--prefix", "s-", "--no-label")
    done = pki("device", "ca", "--count", "25", "--prefix", "s-", "--no-label", "--years", "5")
    assert "22 created, 3 kept" in done.stdout
    with Path("ca/devices/manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["thing_name"] for row in rows] == [f"s-{number:06d}" for number in range(1, 26)]
    assert len({row["fingerprint"] for row in rows}) == 25


def test_devices_are_created_from_a_file_and_from_signing_requests(pki: Run) -> None:
    Path("names").write_text("a\nb\n")
    pki("device", "ca", "--names", "names", "--no-label", "--key-type", "rsa-2048")
    write_request(Path("c.csr"), "c")
    pki("device", "ca", "--csr", "c.csr", "--no-label", "--devices", "elsewhere")
    assert not Path("elsewhere/c.key.pem").exists()
    assert load_certificate(Path("elsewhere/c.cert.pem"))
    assert "RSA" in Path("ca/devices/a.key.pem").read_text()


@pytest.mark.parametrize("form", ["fingerprint", "label", "file"])
def test_a_device_is_revoked_by_fingerprint_label_or_file(pki: Run, form: str) -> None:
    pki("device", "ca", "d", "--no-label")
    path = Path("ca/devices/d.cert.pem")
    certificate = load_certificate(path)
    certid = fingerprint(certificate)
    argument = {"fingerprint": certid.upper(), "label": encode_label(certid).lower(), "file": str(path)}[form]
    pki("revoke", "ca", argument, "--reason", "key-compromise")
    crl = load_crl(Path("ca"))
    assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
    assert "list 3: 1 revoked" in pki("renew-crl", "ca").stdout


def test_a_certificate_is_shown_with_its_label_code(pki: Run) -> None:
    pki("device", "ca", "d", "--no-label")
    certid = fingerprint(load_certificate(Path("ca/devices/d.cert.pem")))
    output = pki("show", "ca/devices/d.cert.pem").stdout
    assert certid in output
    assert encode_label(certid) in output
    assert "Acme GmbH" in output


@pytest.mark.parametrize(("out", "files"), [("s.pdf", ["s.pdf"]), ("s.png", ["s-001.png", "s-002.png"])])
def test_label_sheets_contain_all_or_the_named_devices(pki: Run, out: str, files: list[str]) -> None:
    pki("device", "ca", "a", "b", "c", "--no-label")
    done = pki("labels", "ca", "--out", out, "--per-page", "2")
    assert done.stdout.split() == files
    assert all(Path(file).stat().st_size > 1000 for file in files)
    assert pki("labels", "ca", "b", "--out", "one.png").stdout.split() == ["one.png"]
    (code,) = zxingcpp.read_barcodes(Image.open("one.png"))
    assert decode_label(code.text) == fingerprint(load_certificate(Path("ca/devices/b.cert.pem")))


def test_a_passphrase_comes_from_a_file_or_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pass").write_text("correct horse\n")
    run("init", "ca", "--organization", "Acme", "--passphrase-file", "pass")
    assert "BAD_PASSPHRASE" in failure(run("device", "ca", "d", status=1))
    monkeypatch.setenv("PKI_PASSPHRASE", "correct horse")
    run("device", "ca", "d", "--no-label")
    monkeypatch.setenv("PKI_PASSPHRASE", "")
    assert "INVALID_PASSPHRASE" in failure(run("device", "ca", "d", status=2))


def test_an_invalid_lobby_id_is_named_before_the_lobby_is_called(pki: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBBY_ID", "Staging")
    for command in ("register", "publish-crl", "unregister"):
        options = ["--yes", "--region", "eu-west-1", "--endpoint-url", "http://127.0.0.1:1"]
        assert "INVALID_LOBBY_ID: got 'Staging', want 1 to 12 of" in failure(pki(command, "ca", *options, status=2))


FAILURES = {
    "no device": (["device", "ca"], 2, "INVALID_ORDER: got none"),
    "two sources": (["device", "ca", "a", "--count", "2"], 2, "INVALID_ORDER: got NAME and --count"),
    "invalid name": (["device", "ca", "a/b"], 2, "INVALID_THING_NAME: got 'a/b', want"),
    "long name": (["device", "ca", "x" * 65], 2, "at most 64"),
    "newline in a name": (["device", "ca", "a\nb"], 2, "INVALID_THING_NAME"),
    "duplicate name": (["device", "ca", "a", "b", "a"], 2, "DUPLICATE_NAME"),
    "zero": (["device", "ca", "--count", "0"], 2, "INVALID_COUNT"),
    "no years": (["device", "ca", "a", "--years", "0"], 2, "INVALID_YEARS"),
    "no file of names": (["device", "ca", "--names", "nowhere"], 1, "NOT_FOUND"),
    "no request": (["device", "ca", "--csr", "nowhere"], 1, "NOT_FOUND"),
    "a directory as request": (["device", "ca", "--csr", "ca"], 1, "NOT_FOUND"),
    "no CA": (["device", "nowhere", "a"], 1, "NO_CA"),
    "CA again": (["init", "ca", "--organization", "x"], 1, "CA_EXISTS"),
    "no organization": (["init", "other", "--organization", ""], 2, "INVALID_ORGANIZATION"),
    "revoke an invalid fingerprint": (["revoke", "ca", "zz"], 2, "INVALID_FINGERPRINT"),
    "revoke an unknown device": (["revoke", "ca", "0" * 64], 1, "NOT_FOUND"),
    "revoke the root": (["revoke", "ca", "ca/root.cert.pem"], 2, "FOREIGN_CERTIFICATE"),
    "revoke a key": (["revoke", "ca", "ca/root.key.pem"], 1, "BROKEN_FILE"),
    "a list valid for 0 days": (["renew-crl", "ca", "--days", "0"], 2, "INVALID_DAYS"),
    "labels without devices": (["labels", "ca"], 2, "UNKNOWN_DEVICE"),
    "labels in another format": (["labels", "ca", "--out", "x.doc"], 2, "INVALID_OUT"),
    "labels too small": (["labels", "ca", "--per-page", "1000"], 2, "INVALID_PER_PAGE"),
    "show a missing file": (["show", "nowhere"], 1, "NOT_FOUND"),
    "no Region": (["register", "ca", "--region", "bogus"], 2, "INVALID_REGION"),
    "no profile": (["register", "ca", "--profile", "nobody"], 1, "NO_AWS"),
}


@pytest.mark.parametrize(("args", "status", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_one_line_and_changes_nothing(
    pki: Run, tmp_path: Path, args: list[str], status: int, message: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pem")}
    assert message in failure(pki(*args, status=status))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pem")} == before


def test_an_unwritable_path_is_reported_without_a_traceback(pki: Run) -> None:
    pki("device", "ca", "a", "--no-label")
    assert "FILE_SYSTEM" in failure(pki("labels", "ca", "--out", "missing/x.pdf", status=1))
