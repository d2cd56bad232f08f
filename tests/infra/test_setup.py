"""`infra/setup.sh`: which Node versions it accepts, and its message if packages cannot be installed."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.local.synthesis import ROOT

_FAKE_NODE = """#!/bin/sh
echo {version}
"""
_LOCK = """{"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {
  "": {"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}},
  "node_modules/left-pad": {"version": "1.3.0"}}}"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return an empty project with the script."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "setup.sh").write_text((ROOT / "infra" / "setup.sh").read_text())
    return tmp_path


def run(project: Path, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f". infra/setup.sh; {script}"],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def put_node(directory: Path, version: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("node", "npm"):
        (directory / name).write_text(_FAKE_NODE.format(version=version))
        (directory / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v23.11.1", False),
        ("v24.0.0", True),
        ("v26.1.0", True),
        ("", False),
        ("it is broken", False),
    ],
)
def test_a_node_is_used_if_the_build_and_its_tests_support_it(project: Path, version: str, is_enough: bool) -> None:
    put_node(project / "found", version)
    path = f"{project / 'found'}:{os.environ['PATH']}"
    assert (run(project, "has_node", PATH=path).returncode == 0) is is_enough


def test_a_node_without_npm_is_not_enough(project: Path) -> None:
    put_node(project / "found", "v24.0.0")
    (project / "found" / "npm").write_text("#!/bin/sh\nexit 127\n")
    assert run(project, "has_node", PATH=f"{project / 'found'}:{os.environ['PATH']}").returncode != 0


def test_the_node_from_pypi_is_used_once_it_is_installed(project: Path) -> None:
    put_node(project / "found", "v18.20.4")
    put_node(project / "fetched", "v24.19.0")
    fetch = 'install_requirements() { mkdir -p "$VENV/bin" && cp fetched/* "$VENV/bin"; }; ensure_node; node --version'
    done = run(project, fetch, PATH=f"{project / 'found'}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "v24.19.0\n", "")


def test_a_node_from_pypi_that_does_not_run_is_reported(project: Path) -> None:
    put_node(project / "found", "v18.20.4")
    done = run(project, "install_requirements() { :; }; ensure_node", PATH=f"{project / 'found'}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "the one from PyPI does not run here" in done.stderr


@pytest.mark.parametrize(
    ("ensure", "place"), [("ensure_console_packages", "admin_api/console"), ("ensure_cdk_cli", "infra/cdk_cli")]
)
def test_a_failed_installation_of_packages_is_reported(project: Path, ensure: str, place: str) -> None:
    at = project / place
    at.mkdir(parents=True)
    (at / "package.json").write_text('{"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}')
    (at / "package-lock.json").write_text(_LOCK)
    done = run(
        project,
        ensure,
        npm_config_registry="http://127.0.0.1:9/",
        npm_config_fetch_retries="0",
        npm_config_cache=str(project / "cache"),
    )
    assert done.returncode == 1
    assert "ECONNREFUSED" in done.stderr
    assert "could not be installed (see above)" in done.stderr
