"""The `lobbyctl` that the set-up writes: it runs from any directory, whatever lies there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Of a project whose path has a space in it."""
    project = tmp_path / "the project"
    (project / "infra").mkdir(parents=True)
    (project / "infra" / "setup.sh").write_text((ROOT / "infra" / "setup.sh").read_text())
    for package in ("admin_api", "lobby"):
        (project / package).symlink_to(ROOT / package)
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for _ in range(2):
        subprocess.run(["bash", "-euc", '. "$1"; ensure_lobbyctl', "bash", project / "infra" / "setup.sh"], check=True)
    assert sorted(path.name for path in python.parent.iterdir()) == ["lobbyctl", "python"]
    return python.with_name("lobbyctl")


def test_the_command_runs_from_any_directory_and_takes_no_module_from_there(script: Path, tmp_path: Path) -> None:
    there = tmp_path / "somewhere"
    there.mkdir()
    (there / "typer.py").write_text("raise SystemExit('taken from the directory')")
    (there / "lobby").mkdir()
    link = tmp_path / "lobbyctl"
    link.symlink_to(script)
    for command in (script, link):
        done = subprocess.run([command, "--help"], cwd=there, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "lobbyctl" in done.stdout
        assert "6: waited in vain" in done.stdout


def test_a_failure_is_an_exit_status_and_a_line(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [script, "--json", "whoami", "--lobby", "absent.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert json.loads(done.stderr)["error"]["code"] == "UNREADABLE_FILE"
