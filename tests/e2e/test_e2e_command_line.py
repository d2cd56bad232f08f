"""`python -m infra.local demo` as a person runs it: what it prints, and what it says where it cannot work."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.bringup import only_one
from infra.local.lobby_file import NAME
from infra.local.synthesis import ROOT
from tests.e2e.deployment import Deployment, until

STEPS = (
    "the factory makes a device and prints its label",
    "the device is powered on",
    "the device knocks: unknown certificate, connection closed",
    "the bouncer lets it in",
    "the device says hello and waits",
    "a camera reads the label",
    "an operator signs in",
    "the ledger shows the device waiting",
    "the operator claims it",
    "commissioned in the target; the route is at the device",
    "the device reconnects to",
    "the target reports it: arrived",
    "the history's hash chain is whole",
)


def _command(state: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "infra.local", "demo", "--state", str(state), *options]


def _demo(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(state, *options), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_prints_every_step_with_its_milliseconds_and_ends_well(deployed: Deployment) -> None:
    done = _demo(deployed.state, "--patience", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^ *(\d+) ms  (.*?)(?:  · .*)?$", done.stdout, re.MULTILINE)
    assert len(told) == len(STEPS)
    assert all(said.startswith(step) for (_, said), step in zip(told, STEPS, strict=True))
    assert re.search(r"arrive +commissioned → arrived +service:arrivals", done.stdout)
    assert re.search(r"from the factory to its account in \d+\.\d s", done.stdout)


@contextmanager
def _like(deployed: Deployment, directory: Path, **changes: Any) -> Iterator[Path]:
    """A state directory as a running deployment's, with fields of its lobby.json changed."""
    directory.mkdir()
    body = json.loads((deployed.state / NAME).read_text()) | changes
    (directory / NAME).write_text(json.dumps(body))
    with only_one(directory):
        yield directory


def test_a_demo_whose_operator_cannot_sign_in_says_so(deployed: Deployment, tmp_path: Path) -> None:
    wrong = [{"user": "operator", "password": "not-the-password", "role": "operator"}]  # pragma: allowlist secret
    with _like(deployed, tmp_path / "state", operators=wrong) as state:
        shutil.copytree(deployed.state / "factory" / "ca", state / "factory" / "ca")
        done = _demo(state, "--patience", "60")
    assert done.returncode == 1
    assert "FAILED at: an operator signs in" in done.stderr
    assert "NotAuthorizedException" in done.stderr
    logs = [Path(log) for log in re.findall(r"^ +log: +(.*)$", done.stderr, re.MULTILINE)]
    assert [log.name for log in logs] == ["emulator.log", "device.log"]
    assert "hello_sent" in logs[1].read_text()


def test_a_demo_whose_device_nobody_knows_the_ca_of_says_so(deployed: Deployment, tmp_path: Path) -> None:
    with _like(deployed, tmp_path / "state") as state:
        done = _demo(state, "--patience", "3")
    assert done.returncode == 1
    assert "FAILED at: the bouncer lets it in" in done.stderr
    assert "not after 3 s" in done.stderr


def test_a_demo_in_a_state_that_is_held_but_not_up_starts_nothing(tmp_path: Path) -> None:
    with only_one(tmp_path):
        done = _demo(tmp_path)
    assert done.returncode == 1
    assert "STATE_IN_USE" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_demo_that_is_stopped_leaves_no_device_running(
    deployed: Deployment, tmp_path: Path, number: signal.Signals
) -> None:
    with _like(deployed, tmp_path / "state") as state:
        process = subprocess.Popen(
            _command(state, "--patience", "60"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until(_log_of(state))
            process.send_signal(number)
            assert process.wait(60) == 130
        finally:
            process.kill()
            process.communicate()
    log = _log_of(state)()
    assert log
    assert log.splitlines()[-1].count("stopped") == 1


def _log_of(state: Path) -> Callable[[], str | None]:
    def read() -> str | None:
        logs = [path.read_text() for path in state.glob("devices/*/device.log")]
        return logs[0] if logs and "refused" in logs[0] else None

    return read
