"""`lobby-pki register` and `publish-crl` never replace published lists by ones that admit revoked devices again."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509

from pki.lobby_account import lobby_selection
from tests import certificates as make
from tests.functional.pki.command_line import Run
from tests.functional.pki.killed_commands import Cloud, Lobbies

HERE: Final = ["--region", "eu-west-1", "--yes"]
OWN: Final = ["--ca", "ca.pem"]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    lobbies = Lobbies({"eu-west-1": Cloud()})
    monkeypatch.setattr(lobby_selection, "connect", lobbies.connect)
    return lobbies.clouds["eu-west-1"]


def test_a_backup_of_the_cas_directory_is_not_published(run: Run, cloud: Cloud) -> None:
    run("init", "ca", "--organization", "Acme")
    run("device", "ca", "d-1", "--no-label")
    run("register", "ca", *HERE)
    shutil.copytree("ca", "backup")
    run("revoke", "ca", "d-1", "--publish", *HERE)
    published = dict(cloud.objects)
    assert "CRL_OLDER: got list number 1, but 2" in run("publish-crl", "backup", *HERE, status=1).stderr
    for _ in range(3):
        run("renew-crl", "backup")
    for command in ("publish-crl", "register"):
        refused = run(command, "backup", *HERE, status=1).stderr
        assert "CRL_SHORTER: got lists without 1 serial numbers" in refused
    assert cloud.objects == published
    run("publish-crl", "ca", *HERE)
    run("revoke", "backup", "d-1", "--publish", *HERE)


def test_a_missing_partition_is_named_and_an_option_allows_it(run: Run, cloud: Cloud) -> None:
    now = datetime.now(UTC)
    ca = make.authority("Acme Devices CA", begin=now - make.YEAR, end=now + make.YEAR)
    Path("ca.pem").write_text(ca.pem)

    def write(name: str, number: int, revoked: Iterable[int] = ()) -> None:
        point = x509.IssuingDistributionPoint(
            [x509.UniformResourceIdentifier(f"http://crl.example/{name}")], None, False, False, None, False, False
        )
        last, until = now - make.DAY, now + 90 * make.DAY
        Path(name).write_bytes(make.crl(ca, revoked, last=last, until=until, number=number, extensions=[(point, True)]))

    write("1", 5, [7, 8])
    write("2", 9)
    run("register", *OWN, "--crl", "1", "--crl", "2", *HERE)
    write("1", 6, [7])
    only = [*OWN, "--crl", "1", *HERE]
    assert "http://crl.example/2', which is published" in run("publish-crl", *only, status=1).stderr
    assert "CRL_INCOMPLETE" in run("register", *only, "--allow-missing-serials", status=1).stderr
    assert "CRL_SHORTER" in run("publish-crl", *only, "--allow-missing-points", status=1).stderr
    run("publish-crl", *only, "--allow-missing-points", "--allow-missing-serials")
    (content,) = cloud.objects.values()
    assert content == Path("1").read_bytes()
