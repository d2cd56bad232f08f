"""The commands register, publish-crl and unregister against an emulated AWS IoT and S3.

The emulator's MQTT listener is off: it would bind every interface, and registration does not need it.
"""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from pki.ca.authority import load_certificates
from pki.ca.certificates import fingerprint
from pki.ca.crl import crl_number
from pki.cli import app
from tests import certificates as make

pytestmark = pytest.mark.slow

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
BUCKET = f"device-lobby-trust-{ACCOUNT}-{REGION}"
START_SECONDS = 60
Pki = Callable[..., Result]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_ACCOUNT_ID": ACCOUNT}
    settings |= {"IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "PERSIST_STATE": "0"}
    directory = tmp_path_factory.mktemp("emulator")
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "ministack"], cwd=directory, env={**os.environ, **settings}, stdout=log, stderr=log
        )
    try:
        yield _wait_until_up(server, f"http://127.0.0.1:{port}", directory / "log")
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_until_up(server: "subprocess.Popen[bytes]", url: str, log: Path) -> str:
    for _ in range(START_SECONDS * 10):
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):  # noqa: S310  # our own loopback
                return url
        except OSError:
            try:
                server.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
        break
    pytest.fail(f"the emulator did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def pki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> Pki:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def call(*args: str, status: int = 0, typed: str | None = None) -> Result:
        remote = args[0] in {"register", "publish-crl", "unregister"}
        options = ["--region", REGION, "--endpoint-url", endpoint] if remote else []
        done = CliRunner().invoke(app, [*args, *options], input=typed)
        assert done.exit_code == status, (args, done.output, done.exception)
        return done

    call("init", "ca", "--organization", "Acme GmbH")
    return call


def test_a_ca_is_registered_published_and_unregistered(pki: Pki, endpoint: str) -> None:
    session = boto3.Session(ACCOUNT, "secret", region_name=REGION)
    iot, s3 = session.client("iot", endpoint_url=endpoint), session.client("s3", endpoint_url=endpoint)
    ca_id = fingerprint(load_certificates(Path("ca"))[1])

    without_lobby = pki("register", "ca", "--yes", status=1)
    assert "NO_LOBBY" in without_lobby.stderr
    assert iot.list_ca_certificates()["certificates"] == []

    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    refused = pki("register", "ca", status=1, typed="n\n")
    assert f"account {ACCOUNT}, Region {REGION}?" in refused.stderr
    assert iot.list_ca_certificates()["certificates"] == []

    for first in (True, False):
        done = pki("register", "ca", "--yes")
        assert ca_id in done.stdout
        assert ("already registered" in done.stdout) is not first
        registered = iot.describe_ca_certificate(certificateId=ca_id)["certificateDescription"]
        assert (registered["status"], registered["autoRegistrationStatus"]) == ("ACTIVE", "ENABLE")
        assert registered["certificateMode"] == "SNI_ONLY"

    pki("device", "ca", "d", "--no-label")
    pki("revoke", "ca", "ca/devices/d.cert.pem")
    assert "with 1 revoked" in pki("publish-crl", "ca", "--yes").stdout
    published = s3.get_object(Bucket=BUCKET, Key=f"crl/{ca_id}.pem")["Body"].read()
    crl = x509.load_pem_x509_crl(published)
    assert (len(crl), crl_number(crl)) == (1, 2)

    iot.register_certificate(
        certificatePem=Path("ca/devices/d.cert.pem").read_text(),
        caCertificatePem=Path("ca/intermediate.cert.pem").read_text(),
    )
    result = pki("unregister", "ca", "--yes")
    assert "1 device certificates of this CA stay registered" in result.stderr
    assert iot.list_ca_certificates()["certificates"] == []
    assert "nothing to do" in pki("unregister", "ca", "--yes").stdout
    assert "NOT_REGISTERED" in pki("publish-crl", "ca", "--yes", status=1).stderr


def test_a_ca_is_registered_in_every_region_of_a_lobby_with_several(pki: Pki, endpoint: str) -> None:
    regions = ("eu-north-1", "us-west-2")
    both = ["--region", ",".join(regions), "--endpoint-url", endpoint, "--yes"]

    def run(*args: str, status: int = 0) -> Result:
        done = CliRunner().invoke(app, [*args, *both])
        assert done.exit_code == status, (done.output, done.exception)
        return done

    clients = {}
    for region in regions:
        session = boto3.Session(ACCOUNT, "secret", region_name=region)
        clients[region] = session.client("iot", endpoint_url=endpoint), session.client("s3", endpoint_url=endpoint)
    ca_id = fingerprint(load_certificates(Path("ca"))[1])

    def create(region: str) -> None:
        place: Any = {"LocationConstraint": region}
        clients[region][1].create_bucket(
            Bucket=f"device-lobby-trust-{ACCOUNT}-{region}", CreateBucketConfiguration=place
        )

    create(regions[1])
    failed = run("register", "ca", status=1)
    assert f"NO_LOBBY: {regions[0]}: " in failed.stderr, "the first Region has no lobby yet"
    assert f"{regions[1]}: registered: {ca_id}" in failed.stdout
    create(regions[0])
    done = run("register", "ca").stdout
    assert f"{regions[0]}: registered: {ca_id}" in done
    assert f"{regions[1]}: already registered, now active: {ca_id}" in done
    for region, (iot, s3) in clients.items():
        described = iot.describe_ca_certificate(certificateId=ca_id)["certificateDescription"]
        assert (described["status"], described["autoRegistrationStatus"]) == ("ACTIVE", "ENABLE")
        bucket = f"device-lobby-trust-{ACCOUNT}-{region}"
        assert s3.head_object(Bucket=bucket, Key=f"crl/{ca_id}.pem")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert run("publish-crl", "ca").stdout.count("list ") == 2
    gone = run("unregister", "ca").stdout
    assert [f"{region}: unregistered: {ca_id}" in gone for region in regions] == [True, True]
    assert all(iot.list_ca_certificates()["certificates"] == [] for iot, _ in clients.values())
    both[1] = f"{regions[0]},{regions[0]}"
    assert "want each Region once" in run("register", "ca", status=2).stderr


def test_an_own_ca_is_registered_from_files_and_its_revocations_are_published(
    pki: Pki, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    dates: dict[str, Any] = {"begin": now - make.YEAR, "end": now + 10 * make.YEAR}
    root = make.authority("Acme Root", number=30, **dates)
    ca = make.authority("Acme Devices CA", number=31, parent=root, extensions=[make.ca_extensions()[0]], **dates)
    listed: dict[str, Any] = {"last": now - make.DAY, "until": now + 90 * make.DAY}
    Path("ca.der").write_bytes(ca.certificate.public_bytes(Encoding.DER))
    Path("root.txt").write_text(root.pem)
    Path("list").write_bytes(x509.load_pem_x509_crl(make.crl(ca, [7], **listed)).public_bytes(Encoding.DER))
    Path("stale").write_bytes(make.crl(ca, last=now - 2 * make.DAY, until=now - make.DAY))
    Path("sample").write_text(make.pem_of(make.device(root, begin=now - make.DAY, end=now + make.YEAR)))
    session = boto3.Session(ACCOUNT, "secret", region_name=REGION)
    iot, s3 = session.client("iot", endpoint_url=endpoint), session.client("s3", endpoint_url=endpoint)
    create_bucket(s3)
    files = ["--ca", "ca.der", "--chain", "root.txt"]
    assert "CRL_STALE" in pki("register", *files, "--crl", "stale", "--yes", status=1).stderr
    refused = pki("register", *files, "--crl", "list", "--device-cert", "sample", "--yes", status=1)
    assert "UNTRUSTED_CHAIN: the lobby would refuse the device sensor-1" in refused.stderr
    assert iot.list_ca_certificates()["certificates"] == []

    ca_id = fingerprint(ca.certificate)
    assert f"registered: {ca_id}" in pki("register", *files, "--crl", "list", "--yes").stdout
    assert iot.describe_ca_certificate(certificateId=ca_id)["certificateDescription"]["status"] == "ACTIVE"
    assert len(published_list(s3, ca_id)) == 1

    Path("list").write_bytes(make.crl(ca, [7, 8], **listed))
    Path(".local").mkdir()
    local = {
        "aws_endpoint_url": endpoint,
        "aws_secret_access_key": "secret",  # pragma: allowlist secret
        "lobby_account": ACCOUNT,
    }
    Path(".local/lobby.json").write_text(json.dumps(local | {"lobby_region": REGION}))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    done = CliRunner().invoke(app, ["publish-crl", "--ca", "ca.der", "--crl", "list", "--local", "--yes"])
    assert done.exit_code == 0, done.output
    assert len(published_list(s3, ca_id)) == 2
    assert f"unregistered: {ca_id}" in pki("unregister", "--ca", "ca.der", "--yes").stdout


def create_bucket(s3: Any) -> None:
    """The emulator is shared by the tests of this module, and the first one needs a lobby without a bucket."""
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


def published_list(s3: Any, ca_id: str) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(s3.get_object(Bucket=BUCKET, Key=f"crl/{ca_id}.pem")["Body"].read())
