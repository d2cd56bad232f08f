"""A kill before or after each call of `register`, `publish-crl`, `revoke`, `renew-crl` and `unregister`, to AWS and to
the file system. The repeated command ends as one that was not disturbed, and nothing in between is unsafe."""

import shutil
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from typer.testing import CliRunner

from pki import storage
from pki.ca.crl import load_crl, load_record
from pki.cli import app
from pki.lobby_account import lobby_selection
from tests.functional.pki.command_line import Run
from tests.functional.pki.killed_commands import Cloud, Killed, Lobbies, Process

REGIONS: Final = ("eu-west-1", "us-west-2")
ONE: Final = ["--region", REGIONS[0], "--yes"]
BOTH: Final = ["--region", ",".join(REGIONS), "--yes"]
COMMANDS: Final[dict[str, tuple[list[list[str]], list[str]]]] = {
    "register": ([], ["register", "ca", *BOTH]),
    "register again": (
        [["register", "ca", *BOTH], ["unregister", "ca", *ONE], ["revoke", "ca", "d-1"]],
        ["register", "ca", *BOTH],
    ),
    "publish-crl": ([["register", "ca", *BOTH], ["revoke", "ca", "d-1"]], ["publish-crl", "ca", *BOTH]),
    "revoke": ([["revoke", "ca", "d-1"]], ["revoke", "ca", "d-1", "d-2", "--reason", "superseded"]),
    "revoke --publish": (
        [["register", "ca", *BOTH]],
        ["revoke", "ca", "d-2", "--reason", "key-compromise", "--publish", *BOTH],
    ),
    "renew-crl": ([["revoke", "ca", "d-1"]], ["renew-crl", "ca"]),
    "unregister": ([["register", "ca", *BOTH]], ["unregister", "ca", *BOTH]),
}
"""The commands before, and the command that is killed."""


@pytest.fixture(scope="module")
def made_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made") / "ca"
    for command, *options in (("init", "--organization", "Acme"), ("device", "d-1", "d-2", "--no-label")):
        done = CliRunner().invoke(app, [command, str(directory), *options])
        assert done.exit_code == 0, done.output
    return directory


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_was_killed_anywhere_can_be_repeated(
    name: str, run: Run, made_ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, command = COMMANDS[name]

    def attempt(ends_at: int | None) -> Lobbies:
        shutil.rmtree("ca", ignore_errors=True)
        shutil.copytree(made_ca, "ca")
        lobbies = Lobbies({region: Cloud() for region in REGIONS})
        monkeypatch.setattr(lobby_selection, "connect", lobbies.connect)
        for each in before:
            run(*each)
        lobbies.process = Process(ends_at)
        with pytest.MonkeyPatch.context() as patched:
            lobbies.process.watch_files(patched)
            if ends_at is None:
                run(*command)
            else:
                with pytest.raises(Killed):
                    run(*command)
        return lobbies

    lobbies = attempt(None)
    expected, made = _state(lobbies), lobbies.process.made
    assert lobbies.process.moments == 2 * len(made)
    for ends_at in range(1, 2 * len(made) + 1):
        lobbies = attempt(ends_at)
        _check_safe(lobbies)
        lobbies.process = Process()
        run(*command)
        where = f"{'after' if ends_at % 2 == 0 else 'before'} call {(ends_at + 1) // 2}, {made[(ends_at - 1) // 2]}"
        assert _state(lobbies) == expected, where


def _state(lobbies: Lobbies) -> dict[str, Any]:
    """Return what the command has left: in each lobby, and in the CA's directory."""
    directory = Path("ca")
    return {
        "CAs": {region: cloud.cas for region, cloud in lobbies.clouds.items()},
        "published": {region: _published(cloud) for region, cloud in lobbies.clouds.items()},
        "record": sorted((each.name, each.reason) for each in load_record(directory).revoked),
        "list": _serials(load_crl(directory)),
        "files": sorted(path.name for path in directory.rglob("*") if path.name != ".lock"),
        "temporary files": storage.leftovers(directory),
    }


def _published(cloud: Cloud) -> dict[str, list[int]]:
    return {key: _serials(x509.load_pem_x509_crl(body)) for key, body in cloud.objects.items()}


def _serials(crl: x509.CertificateRevocationList) -> list[int]:
    return sorted(entry.serial_number for entry in crl)


def _check_safe(lobbies: Lobbies) -> None:
    """An active CA has a published list. Each list is whole, and revokes only what the record contains."""
    known = {int(each.serial, 16) for each in load_record(Path("ca")).revoked}
    assert set(_serials(load_crl(Path("ca")))) <= known
    for cloud in lobbies.clouds.values():
        published = _published(cloud)
        assert all(set(serials) <= known for serials in published.values())
        for ca_id, ca in cloud.cas.items():
            assert ca["status"] == "INACTIVE" or f"crl/{ca_id}.pem" in published
            assert ca["status"] == "ACTIVE" or ca["autoRegistrationStatus"] == "DISABLE"
