"""`python -m pki` as its users meet it: results on stdout, one line for a failure, and its exit status."""

import csv
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from PIL import Image
from typer.testing import CliRunner, Result

from lobby.wire import decode_label, encode_label
from pki.__main__ import app
from pki.certificates import fingerprint, load_certificate
from pki.crl import load_crl

ROOT = Path(__file__).parents[3]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PKI_PASSPHRASE", raising=False)

    def call(*args: str, status: int = 0) -> Result:
        done = CliRunner().invoke(app, list(args))
        assert done.exit_code == status, (args, done.output, done.exception)
        return done

    return call


@pytest.fixture
def made(run: Run) -> Run:
    run("init", "ca", "--organization", "Acme GmbH")
    return run


def failure(done: Result) -> str:
    """The one line that a failure is."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def write_request(path: Path, name: str) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    path.write_bytes(csr.public_bytes(Encoding.PEM))


def test_the_module_runs_and_names_its_commands() -> None:
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


def test_a_ca_and_a_device_from_nothing(made: Run) -> None:
    done = made("device", "ca", "sensor-1")
    certificate = load_certificate(Path("ca/devices/sensor-1.cert.pem"))
    assert f"sensor-1  {fingerprint(certificate)}" in done.stdout
    assert "the intermediate CA's end, not for the 20 years asked for" in done.stderr
    (code,) = zxingcpp.read_barcodes(Image.open("ca/devices/sensor-1.label.png"))
    assert decode_label(code.text) == fingerprint(certificate)
    assert stat.S_IMODE(Path("ca/devices/sensor-1.key.pem").stat().st_mode) == 0o600


def test_many_devices_and_a_larger_count_later(made: Run) -> None:
    made("device", "ca", "--count", "3", "--prefix", "s-", "--no-label")
    done = made("device", "ca", "--count", "25", "--prefix", "s-", "--no-label", "--years", "5")
    assert "22 made, 3 kept" in done.stdout
    with Path("ca/devices/manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["thing_name"] for row in rows] == [f"s-{number:06d}" for number in range(1, 26)]
    assert len({row["fingerprint"] for row in rows}) == 25


def test_devices_from_a_file_and_from_requests(made: Run) -> None:
    Path("names").write_text("a\nb\n")
    made("device", "ca", "--names", "names", "--no-label", "--key-type", "rsa-2048")
    write_request(Path("c.csr"), "c")
    made("device", "ca", "--csr", "c.csr", "--no-label", "--devices", "elsewhere")
    assert not Path("elsewhere/c.key.pem").exists()
    assert load_certificate(Path("elsewhere/c.cert.pem"))
    assert "RSA" in Path("ca/devices/a.key.pem").read_text()


@pytest.mark.parametrize("form", ["fingerprint", "label", "file"])
def test_a_device_is_revoked_by_what_is_at_hand(made: Run, form: str) -> None:
    made("device", "ca", "d", "--no-label")
    path = Path("ca/devices/d.cert.pem")
    certificate = load_certificate(path)
    certid = fingerprint(certificate)
    what = {"fingerprint": certid.upper(), "label": encode_label(certid).lower(), "file": str(path)}[form]
    made("revoke", "ca", what, "--reason", "key-compromise")
    crl = load_crl(Path("ca"))
    assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
    assert "list 3: 1 revoked" in made("renew-crl", "ca").stdout


def test_a_certificate_is_shown_with_its_label_code(made: Run) -> None:
    made("device", "ca", "d", "--no-label")
    certid = fingerprint(load_certificate(Path("ca/devices/d.cert.pem")))
    shown = made("show", "ca/devices/d.cert.pem").stdout
    assert certid in shown
    assert encode_label(certid) in shown
    assert "Acme GmbH" in shown


@pytest.mark.parametrize(("out", "files"), [("s.pdf", ["s.pdf"]), ("s.png", ["s-001.png", "s-002.png"])])
def test_label_sheets_are_made_for_all_or_some(made: Run, out: str, files: list[str]) -> None:
    made("device", "ca", "a", "b", "c", "--no-label")
    done = made("labels", "ca", "--out", out, "--per-page", "2")
    assert done.stdout.split() == files
    assert all(Path(file).stat().st_size > 1000 for file in files)
    assert made("labels", "ca", "b", "--out", "one.png").stdout.split() == ["one.png"]
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


HOSTILE = {
    "no device": (["device", "ca"], 2, "INVALID_ORDER: got none"),
    "two ways": (["device", "ca", "a", "--count", "2"], 2, "INVALID_ORDER: got NAME and --count"),
    "bad name": (["device", "ca", "a/b"], 2, "INVALID_THING_NAME: got 'a/b', want"),
    "long name": (["device", "ca", "x" * 65], 2, "at most 64"),
    "lines in a name": (["device", "ca", "a\nb"], 2, "INVALID_THING_NAME"),
    "double": (["device", "ca", "a", "b", "a"], 2, "DUPLICATE_NAME"),
    "zero": (["device", "ca", "--count", "0"], 2, "INVALID_COUNT"),
    "no years": (["device", "ca", "a", "--years", "0"], 2, "INVALID_YEARS"),
    "no file of names": (["device", "ca", "--names", "nowhere"], 1, "NOT_FOUND"),
    "no request": (["device", "ca", "--csr", "nowhere"], 1, "NOT_FOUND"),
    "a directory as request": (["device", "ca", "--csr", "ca"], 1, "NOT_FOUND"),
    "no CA": (["device", "nowhere", "a"], 1, "NO_CA"),
    "CA again": (["init", "ca", "--organization", "x"], 1, "CA_EXISTS"),
    "no organization": (["init", "other", "--organization", ""], 2, "INVALID_ORGANIZATION"),
    "revoke nonsense": (["revoke", "ca", "zz"], 2, "INVALID_FINGERPRINT"),
    "revoke the unknown": (["revoke", "ca", "0" * 64], 1, "NOT_FOUND"),
    "revoke the root": (["revoke", "ca", "ca/root.cert.pem"], 2, "FOREIGN_CERTIFICATE"),
    "revoke a key": (["revoke", "ca", "ca/root.key.pem"], 1, "BROKEN_FILE"),
    "a list for no days": (["renew-crl", "ca", "--days", "0"], 2, "INVALID_DAYS"),
    "labels for nobody": (["labels", "ca"], 2, "UNKNOWN_DEVICE"),
    "labels of a kind": (["labels", "ca", "--out", "x.doc"], 2, "INVALID_OUT"),
    "labels too small": (["labels", "ca", "--per-page", "1000"], 2, "INVALID_PER_PAGE"),
    "show nothing": (["show", "nowhere"], 1, "NOT_FOUND"),
    "no Region": (["register", "ca", "--region", "bogus"], 2, "INVALID_REGION"),
    "no profile": (["register", "ca", "--profile", "nobody"], 1, "NO_AWS"),
}


@pytest.mark.parametrize(("args", "status", "says"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_bad_call_gets_one_line_and_changes_nothing(
    made: Run, tmp_path: Path, args: list[str], status: int, says: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pem")}
    assert says in failure(made(*args, status=status))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pem")} == before


def test_an_unwritable_place_is_said_without_a_traceback(made: Run) -> None:
    made("device", "ca", "a", "--no-label")
    assert "FILE_SYSTEM" in failure(made("labels", "ca", "--out", "missing/x.pdf", status=1))
