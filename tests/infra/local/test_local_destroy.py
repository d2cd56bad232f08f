"""`destroy local` deletes the state of a deployment, also after an interruption, and nothing else."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.local.__main__ import app
from infra.local.bringup import exclusive_use


def deployment(directory: Path) -> Path:
    state = directory / "state"
    (state / "cloud").mkdir(parents=True)
    (state / "cloud" / "layout.json").write_text("{}")
    return state


def destroy(state: Path, *options: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["destroy", "--state", str(state), *options], input=typed)
    return result.exit_code, result.output


def test_the_state_is_deleted_after_confirmation(tmp_path: Path) -> None:
    state = deployment(tmp_path)
    assert destroy(state, typed="n\n")[0] == 1
    assert state.exists()
    assert destroy(state, typed="y\n")[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_deletion_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = deployment(tmp_path)
    rmtree = shutil.rmtree

    def interrupted(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise KeyboardInterrupt
        rmtree(path, ignore_errors)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", interrupted)
        assert destroy(state, "--yes")[0] == 130
    assert not state.exists()
    assert destroy(state, "--yes")[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_a_directory_without_a_deployment_is_rejected(tmp_path: Path) -> None:
    status, output = destroy(tmp_path, "--yes")
    assert status == 1
    assert "NO_DEPLOYMENT" in output
    assert tmp_path.exists()


def test_a_running_deployment_is_not_deleted(tmp_path: Path) -> None:
    state = deployment(tmp_path)
    with exclusive_use(state):
        status, output = destroy(state, "--yes")
    assert status == 1
    assert "STATE_IN_USE" in output
    assert state.exists()
