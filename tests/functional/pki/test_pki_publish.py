"""`lobby-pki register` and `publish-crl` never replace published lists by ones that admit revoked devices again."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError
from cryptography import x509

from pki.errors import RegistrationError
from pki.lobby_account import lobby_selection
from pki.lobby_account.account import ConnectionOptions
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


def test_a_region_that_does_not_answer_does_not_block_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lobbies = Lobbies({"eu-west-1": Cloud(), "eu-north-1": Cloud()})

    def connect(options: ConnectionOptions, account: str | None = None) -> Any:
        if options.region == "eu-west-1":
            if account is None:
                raise RegistrationError("NO_AWS", "got no answer")
            lobby = lobbies.connect(options)
            monkeypatch.setattr(lobby.s3, "head_bucket", unanswered)
            return lobby
        return lobbies.connect(options)

    def unanswered(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.eu-west-1.amazonaws.com")

    monkeypatch.setattr(lobby_selection, "connect", connect)
    run("init", "ca", "--organization", "Acme")
    failed = run("register", "ca", "--region", "eu-west-1,eu-north-1", "--yes", status=1)
    assert "NO_AWS: eu-west-1: " in failed.stderr
    assert [len(lobbies.clouds[region].objects) for region in ("eu-west-1", "eu-north-1")] == [0, 1]


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
