"""An unzipped bundle in an environment that has only Python: the device is provisioned over TLS and arrives."""

import json
import os
import subprocess
import sysconfig
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from admin_api.cli.bundle.content import Bundle, packed
from tests.functional.device.provisioning_broker import ARRIVE, SERIAL, door
from tests.functional.device.scripted_broker import Broker
from tests.functional.device.tls_certificates import IssuedCertificate, issue


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of an empty environment."""
    venv.create(tmp_path / "empty", with_pip=False, symlinks=True)
    return tmp_path / "empty" / "bin" / "python"


@pytest.fixture
def ca(tmp_path: Path) -> IssuedCertificate:
    return issue(tmp_path, "ca")


def unzipped(tmp_path: Path, ca: IssuedCertificate, port: int) -> Path:
    """Unzip with Python's own program, which does not restore modes, into a path that has a space in it."""
    claim = issue(tmp_path, "claim", ca)
    key = claim.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    bundle = Bundle(
        enrolment="pumps",
        endpoint="127.0.0.1",
        port=port,
        template="device-lobby",
        certificate=claim.cert.read_text(),
        expires="2027-11-30T00:00:00Z",
        key=key,
        root_cas=ca.cert.read_text(),
    )
    (tmp_path / "client.zip").write_bytes(packed(bundle, datetime(2026, 11, 30, tzinfo=UTC)))
    folder = tmp_path / "a machine"
    with zipfile.ZipFile(tmp_path / "client.zip") as archive:
        archive.extractall(folder)
    return folder / "pumps-client"


def run(python: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    clean = {"PATH": os.environ["PATH"]}
    command = [str(python), str(folder / "client.py"), *arguments]
    return subprocess.run(
        command, cwd=folder.parent, env=clean, capture_output=True, text=True, timeout=90, check=False
    )


def test_a_bundle_provisions_and_arrives_with_nothing_but_python(
    python: Path, ca: IssuedCertificate, tmp_path: Path
) -> None:
    with Broker(issue(tmp_path, "server", ca), ca, door(ca), *ARRIVE) as broker:
        folder = unzipped(tmp_path, ca, broker.port)
        done = run(python, folder, "--serial", SERIAL, "--exit-on-arrival", "--log-format", "json")
        assert set(broker.protocols) == {"x-amzn-mqtt-ca"}
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert [event for event in events if event in ("identity_stored", "arrived_at_target")] == [
        "identity_stored",
        "arrived_at_target",
    ]
    private = ["claim.key.pem", f"{SERIAL}.state/device.key.pem"]
    assert [oct((folder / name).stat().st_mode & 0o777) for name in private] == ["0o600"] * 2


def test_a_bundle_imports_only_its_own_files(python: Path, ca: IssuedCertificate, tmp_path: Path) -> None:
    """Even if the project's packages and native ones are installed there."""
    folder = unzipped(tmp_path, ca, 8883)
    site = next((tmp_path / "empty").glob("lib/python3.*/site-packages"))
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    probe = """if True:
        import runpy, sys
        sys.argv = ["client.py", "--version"]
        try:
            runpy.run_path("client.py")
        except SystemExit:
            import device.portable.mqtt, ecdsa, lobby
            print([module.__spec__.origin for module in (device, ecdsa, lobby)])
    """
    done = subprocess.run([python, "-c", probe], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"{folder}/lib/") == 3


def test_a_bundle_shows_its_options_and_rejects_a_malformed_serial_number(
    python: Path, ca: IssuedCertificate, tmp_path: Path
) -> None:
    folder = unzipped(tmp_path, ca, 8883)
    shown = run(python, folder, "run", "--help")
    assert "--serial" in shown.stdout
    assert run(python, folder, "--serial", "../x").returncode == 2
    missing = run(python, folder)
    assert (missing.returncode, "--serial" in missing.stderr) == (2, True)
