"""The output and exit status of `python -m infra.local demo`, on success and on failure."""

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

from infra.local.bringup import exclusive_use
from infra.local.lobby_file import NAME
from infra.local.manufacturer import FOLDER
from infra.local.synthesis import ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, until

STEPS = (
    "device manufactured, label printed",
    "device powered on",
    "device connected for the first time, certificate not registered",
    "device admitted by the bouncer, connected to the lobby",
    "device sent its hello and waits",
    "label read with a camera",
    "operator signed in",
    "device listed as waiting in the lobby",
    "device claimed by the operator",
    "device commissioned in the target, route received",
    "device reconnected to",
    "arrived: the target reported the connection",
    "history verified",
)

CLAIM_STEPS = (
    "enrolment created for one device",
    "bundle written and unzipped",
    "device powered on",
    "device connected with the claim certificate",
    "device got a certificate for its own key",
    "device registered by the provisioning template",
    "device connected to the lobby with its own certificate",
    "device sent its hello and waits",
    *STEPS[6:],
)

VENDING_STEPS = (
    "enrolment created for one device",
    "token created, shown once",
    "device got a certificate for its own key, with curl and openssl",
    "device powered on",
    "device connected to the lobby",
    "device sent its hello and waits",
    *STEPS[6:],
)


def _command(state: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "infra.local", "demo", "--state", str(state), *options]


def _demo(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(state, *options), cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )


@pytest.mark.parametrize(
    ("door", "steps"),
    [
        pytest.param("registration", STEPS, id="registration"),
        pytest.param("claim", CLAIM_STEPS, id="claim"),
        pytest.param("token", VENDING_STEPS, id="token"),
    ],
)
def test_the_demo_prints_every_step_with_its_duration_and_succeeds(
    deployed: Deployment, door: str, steps: tuple[str, ...]
) -> None:
    demo = _demo(deployed.state, "--timeout", "60", "--door", door)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    printed = re.findall(r"^ *(\d+) ms  (.*?)(?:  · .*)?$", demo.stdout, re.MULTILINE)
    assert len(printed) == len(steps)
    assert all(name.startswith(step) for (_, name), step in zip(printed, steps, strict=True))
    assert f"onboarding a new device at the door {door}\n" in demo.stdout
    assert re.search(r"arrive +commissioned → arrived +service:arrivals", demo.stdout)
    assert re.search(r"onboarded in \d+\.\d s", demo.stdout)


RENEWAL_STEPS = (
    "operator asked for the renewal",
    "device asked in its target",
    "device went to the lobby",
    "device created a key",
    "new certificate stored",
    "both certificates registered",
    "device connected to its target with the new certificate",
    "connection is stable",
    "old certificate retired",
)


@pytest.mark.full
@pytest.mark.parametrize(
    ("door", "name", "steps"),
    [
        pytest.param("registration", "registration", STEPS, id="registration"),
        pytest.param("claim", "claim", CLAIM_STEPS, id="claim"),
        pytest.param("vending", "token", VENDING_STEPS, id="vending"),
    ],
)
def test_the_demo_renews_the_certificate_with_a_timeline(
    deployed: Deployment, door: str, name: str, steps: tuple[str, ...]
) -> None:
    demo = _demo(deployed.state, "--timeout", "60", "--renew", "--door", door)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert f"onboarding a new device at the door {name}\n" in demo.stdout
    printed = [step for _, step in re.findall(r"^ *(\d+) ms  (.*?)(?:  · .*)?$", demo.stdout, re.MULTILINE)]
    wanted = (*steps[:-1], *RENEWAL_STEPS, steps[-1])
    assert [name.startswith(step) for name, step in zip(printed, wanted, strict=True)] == [True] * len(wanted)
    assert re.search(r"retire +arrived → arrived +service:commissioner", demo.stdout)
    assert re.search(r"onboarded and renewed in \d+\.\d s", demo.stdout)


@contextmanager
def _copy_of_state(deployed: Deployment, directory: Path, **changes: Any) -> Iterator[Path]:
    """A locked state directory with the running deployment's lobby.json, with some fields changed."""
    directory.mkdir()
    body = json.loads((deployed.state / NAME).read_text()) | changes
    (directory / NAME).write_text(json.dumps(body))
    with exclusive_use(directory):
        yield directory


@pytest.mark.full
def test_a_failed_sign_in_is_reported(deployed: Deployment, tmp_path: Path) -> None:
    wrong = [{"user": "operator", "password": "not-the-password", "role": "operator"}]  # pragma: allowlist secret
    with _copy_of_state(deployed, tmp_path / "state", operators=wrong) as state:
        shutil.copytree(deployed.state / FOLDER / "ca", state / FOLDER / "ca")
        demo = _demo(state, "--timeout", "60")
    assert demo.returncode == 1
    assert "failed step: operator signed in" in demo.stderr
    assert "NotAuthorizedException" in demo.stderr
    logs = [Path(log) for log in re.findall(r"^ +log: +(.*)$", demo.stderr, re.MULTILINE)]
    assert [log.name for log in logs] == ["emulator.log", "device.log"]
    assert "hello_sent" in logs[1].read_text()


@pytest.mark.full
def test_a_device_whose_ca_is_not_registered_is_reported(deployed: Deployment, tmp_path: Path) -> None:
    with _copy_of_state(deployed, tmp_path / "state") as state:
        demo = _demo(state, "--timeout", "3")
    assert demo.returncode == 1
    assert "failed step: device admitted by the bouncer" in demo.stderr
    assert "timeout after 3 s" in demo.stderr


def test_a_demo_in_a_locked_state_without_a_deployment_is_refused(tmp_path: Path) -> None:
    with exclusive_use(tmp_path):
        demo = _demo(tmp_path)
    assert demo.returncode == 1
    assert "STATE_IN_USE" in demo.stderr


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_demo_leaves_no_device_running(deployed: Deployment, tmp_path: Path, number: signal.Signals) -> None:
    with _copy_of_state(deployed, tmp_path / "state") as state:
        process = subprocess.Popen(
            _command(state, "--timeout", "60"),
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
