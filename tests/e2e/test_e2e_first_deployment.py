"""The first deployment is killed after each of its steps, or at any moment. `./deploy.sh local` then completes it.
Deployment and emulator are killed together, as in a power cut of the machine. The user has umask 000 and a proxy.
"""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infra.local.bringup import LocalLobby, exclusive_use
from infra.local.environment import restrict_umask
from infra.local.timeline import Timeline
from tests.infra.local.emulated_cloud import free_ports

pytestmark = pytest.mark.full

ROOT = Path(__file__).resolve().parents[2]
STEPS = (
    "emulated AWS started",
    "lobby stack deployed",
    "operators created",
    "manufacturer's CA registered",
    "targets registered",
    "target stacks deployed",
    "targets checked",
)
SECRETS = {"root-secret", "lobby.json", "operators.json"}
UNUSUAL = {
    "AWS_PROFILE": "nobody",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


class KilledAfter(Timeline):
    """Kills the emulator and this process after a step, or so many seconds after the emulator's start."""

    when = ""
    lobby: LocalLobby

    def record(self, name: str, ms: float, note: str = "") -> None:
        super().record(name, ms, note)
        if name == self.when:
            self.kill()
        elif name == STEPS[0] and self.when not in STEPS:
            threading.Timer(float(self.when), self.kill).start()

    def kill(self) -> None:
        os.kill(self.lobby.emulator.pid or 0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def deploy_and_die(state: Path, when: str, ports: tuple[int, int, int]) -> None:
    restrict_umask()
    timeline = KilledAfter()
    timeline.when = when
    with exclusive_use(state):
        timeline.lobby = LocalLobby(state, timeline, *ports)
        timeline.lobby.up()


def run(*command: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **UNUSUAL, "PYTHONPATH": str(ROOT)},
        umask=0,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_deployment_that_was_killed_after_any_step_is_completed_by_the_next_one(tmp_path: Path) -> None:
    state, ports = tmp_path / "state", free_ports()
    for step in STEPS:
        killed = run("-m", "tests.e2e.test_e2e_first_deployment", state, step, *ports)
        assert killed.returncode == -signal.SIGKILL, f"{step}: {killed.stdout}{killed.stderr}"
    completed = run("-m", "infra.local", "demo", "--state", state)
    assert completed.returncode == 0, f"{completed.stdout}{completed.stderr}"
    assert writable_by_others(state) == []
    assert readable_secrets(state) == []


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.5, 2.5, 4.0, 6.0])
def test_a_deployment_that_was_killed_at_any_moment_is_completed_by_the_next_one(
    tmp_path: Path, seconds: float
) -> None:
    state, ports = tmp_path / "state", free_ports()
    killed = run("-m", "tests.e2e.test_e2e_first_deployment", state, seconds, *ports)
    assert killed.returncode == -signal.SIGKILL, f"{killed.stdout}{killed.stderr}"
    completed = run("-m", "infra.local", "demo", "--state", state)
    assert completed.returncode == 0, f"{completed.stdout}{completed.stderr}"


def writable_by_others(directory: Path) -> list[Path]:
    paths = [path for path in [directory, *directory.rglob("*")] if not path.is_symlink() and not path.is_socket()]
    return [path for path in paths if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]


def readable_secrets(directory: Path) -> list[Path]:
    """Return the files with secrets that others can read, unless a directory above keeps them out."""
    files = [path for path in directory.rglob("*") if path.name in SECRETS or path.suffix in (".key", ".p12")]
    return [path for path in files if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]


if __name__ == "__main__":
    gateway, mqtt, console = map(int, sys.argv[3:])
    deploy_and_die(Path(sys.argv[1]), sys.argv[2], (gateway, mqtt, console))
