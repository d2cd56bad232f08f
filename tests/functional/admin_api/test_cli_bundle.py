"""`lobbyctl enrolments bundle`: the content of a bundle, who can read it, and the state after an interruption."""

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from admin_api.cli.bundle import claim_keys, root_cas
from admin_api.cli.commands import enrolment_bundle
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

FOLDER = "pumps-client"


@pytest.fixture
def admin(terminal: Terminal, lobby: Lobby) -> Terminal:
    create = ("create", "pumps", "--door", "claim", "--limit", "5")
    assert terminal.run("--as", "admin", "enrolments", *create).exit_code == 0
    return terminal


def bundle(admin: Terminal, out: Path, *options: str) -> Any:
    lobby = ("--endpoint", "lobby.example")
    return admin.run("--as", "admin", "enrolments", "bundle", "pumps", "--out", str(out), *lobby, *options)


def content(out: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(out) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_a_bundle_has_a_key_and_its_certificate_which_only_the_owner_can_read(admin: Terminal, tmp_path: Path) -> None:
    """`test_e2e_bundle` shows that a certificate of AWS IoT matches the key: moto issues one for another key."""
    out = tmp_path / "client.zip"
    done = bundle(admin, out, "--source", "self-signed", "--days", "30")
    assert done.exit_code == 0, done.stderr
    files = content(out)
    key = files[f"{FOLDER}/claim.key.pem"]
    certificate = x509.load_pem_x509_certificate(files[f"{FOLDER}/claim.cert.pem"])
    assert load_pem_private_key(key, None).public_key() == certificate.public_key()
    [stored] = ClaimCertificates().all()
    assert stored.certid == certificate.fingerprint(SHA256()).hex()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as archive:
        modes = {entry.filename.partition("/")[2]: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert {name for name, mode in modes.items() if mode == 0o600} == {"claim.key.pem", "claim.cert.pem"}
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in {".zip", ".part"}) == ["client.zip"]
    secret = key.decode().splitlines()[1]
    assert secret not in done.stdout + done.stderr


def test_a_bundle_has_the_settings_of_the_lobby_and_pure_python_only(admin: Terminal, tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text(root_cas.of_aws())
    assert bundle(admin, tmp_path / "client.zip", "--port", "443", "--root-cas", str(roots)).exit_code == 0
    files = content(tmp_path / "client.zip")
    settings = json.loads(files[f"{FOLDER}/settings.json"])
    assert settings["port"] == 443
    assert settings["template"] == "device-lobby"
    assert settings["lobby"] == "lobby.example"
    assert files[f"{FOLDER}/root-cas.pem"] == roots.read_bytes()
    assert not [name for name in files if name.endswith((".so", ".pyc", ".pyd"))]
    assert {"paho-mqtt", "ecdsa", "six"} == {name.split("/")[2] for name in files if "/licenses/" in name}
    assert len((tmp_path / "client.zip").read_bytes()) < 600_000


def test_the_roots_are_those_of_aws_iot() -> None:
    certificates = x509.load_pem_x509_certificates(root_cas.of_aws().encode())
    assert len(certificates) == len(root_cas.NAMES)


def interrupted(_: object, __: object) -> bytes:
    raise KeyboardInterrupt


def out_of_disk(_: object, __: object) -> bytes:
    raise OSError(28, "No space left on device", "client.zip")


@pytest.mark.parametrize("options", [(), ("--source", "self-signed")], ids=["issued", "self-signed"])
@pytest.mark.parametrize(("fault", "status"), [(interrupted, 130), (out_of_disk, 1)])
def test_an_interrupted_command_is_reported_and_continues_with_the_same_certificate(
    admin: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    fault: Callable[..., bytes],
    status: int,
) -> None:
    out = tmp_path / "client.zip"
    with monkeypatch.context() as patch:
        patch.setattr(enrolment_bundle, "packed", fault)
        first = bundle(admin, out, *options)
    assert first.exit_code == status
    assert "in no bundle" in " ".join(first.stderr.split())
    assert not out.exists()
    assert stat.S_IMODE((tmp_path / "client.zip.part").stat().st_mode) == 0o700
    [left] = ClaimCertificates().all()
    again = bundle(admin, out, *options)
    assert again.exit_code == 0, again.stderr
    assert "Continuing" in again.stderr
    assert [each.certid for each in ClaimCertificates().all()] == [left.certid]
    assert not (tmp_path / "client.zip.part").exists()


def test_an_interrupted_command_is_not_continued_with_another_source(
    admin: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(enrolment_bundle, "packed", interrupted)
        bundle(admin, tmp_path / "client.zip")
    again = bundle(admin, tmp_path / "client.zip", "--source", "self-signed")
    assert again.exit_code == 2
    assert len(ClaimCertificates().all()) == 1


def test_an_existing_file_is_not_replaced_because_it_has_the_only_copy_of_its_key(
    admin: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "client.zip").write_bytes(b"precious")
    done = admin.run("--as", "admin", "--json", "enrolments", "bundle", "pumps", "--out", str(tmp_path / "client.zip"))
    assert (done.exit_code, error_of(done)["code"]) == (2, "FILE_EXISTS")
    assert (tmp_path / "client.zip").read_bytes() == b"precious"
    assert ClaimCertificates().all() == []


def test_a_supplied_certificate_needs_its_own_key(admin: Terminal, tmp_path: Path) -> None:
    key, other = (claim_keys.key_in(tmp_path / name) for name in ("a.key", "b.key"))
    (tmp_path / "a.pem").write_text(claim_keys.self_signed(key, "pumps claim", 30))
    options = ("--source", "files", "--cert", str(tmp_path / "a.pem"), "--key")
    assert bundle(admin, tmp_path / "client.zip", *options, str(tmp_path / "b.key")).exit_code == 2
    assert ClaimCertificates().all() == []
    assert other != key
    assert bundle(admin, tmp_path / "client.zip", *options, str(tmp_path / "a.key")).exit_code == 0
    assert content(tmp_path / "client.zip")[f"{FOLDER}/claim.key.pem"].decode() == claim_keys.pem_of(key)


WRONG: dict[str, tuple[str, ...]] = {
    "days of AWS": ("--days", "5"),
    "no days": ("--source", "self-signed", "--days", "0"),
    "files without a key": ("--source", "files", "--cert", "a"),
    "a key without files": ("--key", "a"),
    "an unknown source": ("--source", "vault"),
    "a port": ("--port", "0"),
    "a file without certificates": ("--root-cas", "missing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_change_nothing(admin: Terminal, tmp_path: Path, case: str) -> None:
    assert bundle(admin, tmp_path / "client.zip", *WRONG[case]).exit_code == 2
    assert ClaimCertificates().all() == []
    assert not (tmp_path / "client.zip.part").exists()


def test_an_enrolment_of_another_door_has_no_bundle(admin: Terminal, tmp_path: Path) -> None:
    assert admin.run("--as", "admin", "enrolments", "create", "valves", "--names", "valve-*").exit_code == 0
    done = admin.run("--as", "admin", "--json", "enrolments", "bundle", "valves", "--out", str(tmp_path / "c.zip"))
    assert (done.exit_code, error_of(done)["code"]) == (2, "WRONG_USE")
