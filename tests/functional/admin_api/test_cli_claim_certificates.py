"""`lobbyctl enrolments certificates` and `approve`, and the keys that they create."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from admin_api.cli.bundle import claim_keys
from lobby.errors import InvalidInput
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from tests import certificates as make
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


def run(terminal: Terminal, *arguments: str) -> str:
    result = terminal.run("--as", "admin", "enrolments", *arguments)
    assert result.exit_code == 0, result.stderr
    return " ".join((result.stdout + result.stderr).split())


@pytest.fixture
def admin(terminal: Terminal) -> Terminal:
    run(terminal, "create", "pumps", "--door", "claim", "--limit", "5", "--repeat", "ask")
    return terminal


def test_a_self_signed_certificate_is_added_for_a_new_key(admin: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    key, out = tmp_path / "claim.key", tmp_path / "claim.pem"
    run(admin, "certificates", "add", "pumps", "--key", str(key), "--self-signed", "90", "--out", str(out))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    certificate = x509.load_pem_x509_certificate(out.read_bytes())
    assert certificate.public_key() == load_pem_private_key(key.read_bytes(), None).public_key()
    [stored] = ClaimCertificates().all()
    assert stored.certid == make.fingerprint_of(out.read_text())
    assert stored.certid in run(admin, "certificates", "list", "pumps")
    assert "second key ask" in run(admin, "show", "pumps")


def test_a_key_that_exists_is_used_again_and_another_file_is_rejected(admin: Terminal, tmp_path: Path) -> None:
    key = tmp_path / "claim.key"
    first = claim_keys.key_in(key)
    content = key.read_bytes()
    run(admin, "certificates", "add", "pumps", "--key", str(key), "--self-signed", "90")
    assert key.read_bytes() == content
    assert claim_keys.key_in(key).public_key() == first.public_key()
    key.write_text("hello")
    error = error_of(
        admin.run("--as", "admin", "--json", "enrolments", "certificates", "add", "pumps", "--key", str(key))
    )
    assert error["code"] == "UNREADABLE_FILE"
    assert key.read_text() == "hello"


def test_a_supplied_certificate_is_added_and_revoked(admin: Terminal, tmp_path: Path) -> None:
    pem = make.pem_of(make.device(make.authority(), "claim", end=make.NOW + 3650 * make.DAY))
    (tmp_path / "claim.pem").write_text(pem)
    run(admin, "certificates", "add", "pumps", "--supplied", str(tmp_path / "claim.pem"))
    certid = make.fingerprint_of(pem)
    assert "Revoked" in run(admin, "certificates", "revoke", certid, "--yes")
    assert "revoked" in run(admin, "certificates", "list", "pumps")


WRONG: dict[str, list[str]] = {
    "nothing": [],
    "two": ["--csr", "a", "--supplied", "b"],
    "days without a key": ["--csr", "a", "--self-signed", "5"],
    "days": ["--key", "new.key", "--self-signed", "0"],
    "a missing file": ["--csr", "missing"],
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_change_nothing(admin: Terminal, tmp_path: Path, case: str) -> None:
    options = [str(tmp_path / each) if each in {"a", "b", "new.key", "missing"} else each for each in WRONG[case]]
    result = admin.run("--as", "admin", "--json", "enrolments", "certificates", "add", "pumps", *options)
    assert (result.exit_code, error_of(result)["code"] in {"WRONG_USE", "UNREADABLE_FILE"}) == (2, True)
    assert ClaimCertificates().all() == []
    assert not (tmp_path / "new.key").exists()


def test_a_binary_file_is_rejected(admin: Terminal, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x00\xff")
    options = ("certificates", "add", "pumps", "--csr", str(tmp_path / "binary"))
    assert error_of(admin.run("--as", "admin", "--json", "enrolments", *options))["code"] == "UNREADABLE_FILE"


def test_a_serial_number_is_approved(admin: Terminal) -> None:
    assert "Another key may use pump-1 until" in run(admin, "approve", "pumps", "pump-1")


def test_a_request_has_the_key_and_the_name() -> None:
    key = make.key("SECP256R1")
    request = x509.load_pem_x509_csr(claim_keys.request_of(key, "pumps claim").encode())  # type: ignore[arg-type]
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()


def test_a_self_signed_certificate_is_valid_for_as_long_as_asked() -> None:
    key = make.key("SECP256R1")
    pem = claim_keys.self_signed(key, "pumps claim", 5, make.NOW)  # type: ignore[arg-type]
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert certificate.not_valid_after_utc == make.NOW + 5 * make.DAY
    certificate.verify_directly_issued_by(certificate)
    with pytest.raises(InvalidInput):
        claim_keys.require_days(36501)
