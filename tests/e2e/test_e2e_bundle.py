"""A bundle of `lobbyctl`, unzipped where only Python is installed, onboards on the deployed lobby over real TLS."""

import json
import os
import secrets
import subprocess
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lobby.names import Target
from tests.e2e.deployment import Deployment, events
from tests.e2e.lobbyctl_process import Lobbyctl

_SECONDS = 120


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


class Machine:
    """A folder with an unzipped bundle for a new enrolment."""

    def __init__(self, python: Path, deployed: Deployment, folder: Path, *options: str, source: str = "aws") -> None:
        self._python, self._lobbyctl = python, Lobbyctl(deployed, folder)
        self.name = f"bundle-{secrets.token_hex(4)}"
        create = ("enrolments", "create", self.name, "--door", "claim", "--limit", "5", *options)
        self._lobbyctl.records("--as", "admin", *create)
        bundle = ("enrolments", "bundle", self.name, "--source", source, "--out", str(folder / "client.zip"))
        (self.bundle,) = self._lobbyctl.records("--as", "admin", *bundle)
        with zipfile.ZipFile(folder / "client.zip") as archive:
            archive.extractall(folder / "machine")
        self.folder = folder / "machine" / f"{self.name}-client"

    def client(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self._python, self.folder / "client.py", "--log-format", "json", "--retry-base", "0.5", *arguments],
            cwd=self.folder.parent,
            env={"PATH": os.environ["PATH"]},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        with self.client(*arguments) as process:
            out, _ = process.communicate(timeout=_SECONDS)
        return process.returncode, out

    def certid(self, serial: str) -> str:
        identity = json.loads((self.folder / f"{serial}.state" / "identity.json").read_text())
        certid: str = identity["identity"]["certid"]
        return certid


@contextmanager
def running(process: "subprocess.Popen[str]") -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a client, which is stopped at the end."""
    with process:
        try:
            assert process.stdout
            yield (json.loads(line) for line in process.stdout)
        finally:
            process.terminate()


def wait_for(log: Iterator[dict[str, Any]], event: str) -> dict[str, Any]:
    return next(entry for entry in log if entry["event"] == event)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["aws", "self-signed"])
def test_a_device_of_a_bundle_is_claimed_by_its_enrolment_and_arrives(
    deployed: Deployment, second: Target, python: Path, tmp_path: Path, source: str
) -> None:
    machine = Machine(python, deployed, tmp_path, "--target", str(second), source=source)
    serial = f"pump-{source}"
    status, out = machine.run("--serial", serial, "--exit-on-arrival")
    assert status == 0, out
    row = deployed.wait(machine.certid(serial), "arrived")
    assert (row["devicename"], events(row)[:2]) == (serial, ["admit", "claim"])


@pytest.mark.slow
def test_a_device_of_a_bundle_waits_in_the_lobby_until_a_user_claims_it(
    deployed: Deployment, first: Target, python: Path, tmp_path: Path
) -> None:
    machine = Machine(python, deployed, tmp_path)
    with running(machine.client("--serial", "pump-waits")) as log:
        wait_for(log, "hello_sent")
        certid = machine.certid("pump-waits")
        deployed.wait(certid, "inlobby")
        deployed.claim(certid, first)
        wait_for(log, "arrived_at_target")
        deployed.wait(certid, "arrived")


@pytest.mark.slow
def test_a_client_that_is_killed_at_each_step_continues_with_the_same_key(
    deployed: Deployment, python: Path, tmp_path: Path
) -> None:
    machine, keys = Machine(python, deployed, tmp_path), set()
    key = machine.folder / "pump-killed.state" / "device.key.pem"
    for event in ("connecting", "connected", "requested", "certificate_created", "registered", "identity_stored"):
        process = machine.client("--serial", "pump-killed")
        with process:
            assert process.stdout
            entries = (json.loads(line) for line in process.stdout)
            reached = next(entry["event"] for entry in entries if entry["event"] in (event, "hello_sent"))
            process.kill()
        if reached == "hello_sent":  # the previous client has stored its identity before it was killed
            break
        keys.add(key.read_bytes())
    with running(machine.client("--serial", "pump-killed")) as log:
        wait_for(log, "hello_sent")
    assert len(keys) == 1
    row = deployed.wait(machine.certid("pump-killed"), "inlobby")
    assert row["devicename"] == "pump-killed"


@pytest.mark.slow
def test_a_denied_device_shows_the_possible_causes_and_tries_again(
    deployed: Deployment, python: Path, tmp_path: Path
) -> None:
    machine = Machine(python, deployed, tmp_path, "--names", "pump-*")
    with running(machine.client("--serial", "valve-1", "--denied-base", "0.5")) as log:
        denied = [wait_for(log, "provisioning_denied") for _ in range(2)]
    assert all("lobbyctl enrolments show" in entry["possible_causes"] for entry in denied)
    assert not (machine.folder / "valve-1.state" / "identity.json").exists()


@pytest.mark.slow
def test_a_template_that_does_not_exist_ends_the_client_with_status_2(
    deployed: Deployment, python: Path, tmp_path: Path
) -> None:
    machine = Machine(python, deployed, tmp_path)
    status, out = machine.run("--serial", "pump-lost", "--template", "no-such-template", "--retry-cap", "0.5")
    assert status == 2, out
    assert "PROVISIONING_IMPOSSIBLE" in out
    assert "no-such-template" in out
