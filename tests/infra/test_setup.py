"""`infra/setup.sh`: accepted versions of Node, failed package installations, unusual environments."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.synthesis import ROOT

_FAKE_NODE = """#!/bin/sh
echo {version}
"""
_LOCK = """{"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {
  "": {"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}},
  "node_modules/left-pad": {"version": "1.3.0"}}}"""

_NPM = """#!/bin/sh
echo ran >>log
rm -rf node_modules
mkdir -p node_modules/a/node_modules/b
echo '{}' >node_modules/a/package.json
echo '{}' >node_modules/a/node_modules/b/package.json
touch -d '1 minute ago' package-lock.json
echo '{"packages": {"node_modules/a": {}, "node_modules/a/node_modules/b": {}}}' >node_modules/.package-lock.json
"""


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
    put_node(project / "installed", version)
    path = f"{project / 'installed'}:{os.environ['PATH']}"
    assert (run(project, "has_node", PATH=path).returncode == 0) is is_enough


def test_a_node_without_npm_is_not_enough(project: Path) -> None:
    put_node(project / "installed", "v24.0.0")
    (project / "installed" / "npm").write_text("#!/bin/sh\nexit 127\n")
    assert run(project, "has_node", PATH=f"{project / 'installed'}:{os.environ['PATH']}").returncode != 0


def test_the_node_from_pypi_is_used_once_it_is_installed(project: Path) -> None:
    put_node(project / "installed", "v18.20.4")
    put_node(project / "downloaded", "v24.19.0")
    fetch = (
        'install_requirements() { mkdir -p "$VENV/bin" && cp downloaded/* "$VENV/bin"; }; ensure_node; node --version'
    )
    process = run(project, fetch, PATH=f"{project / 'installed'}:{os.environ['PATH']}")
    assert (process.returncode, process.stdout, process.stderr) == (0, "v24.19.0\n", "")


def test_a_node_from_pypi_that_does_not_run_is_reported(project: Path) -> None:
    put_node(project / "installed", "v18.20.4")
    process = run(
        project, "install_requirements() { :; }; ensure_node", PATH=f"{project / 'installed'}:{os.environ['PATH']}"
    )
    assert process.returncode == 1
    assert "the one from PyPI does not run here" in process.stderr


@pytest.mark.parametrize(
    ("ensure", "place"), [("ensure_console_packages", "admin_api/console"), ("ensure_cdk_cli", "infra/cdk_cli")]
)
def test_a_failed_installation_of_packages_is_reported(project: Path, ensure: str, place: str) -> None:
    at = project / place
    at.mkdir(parents=True)
    (at / "package.json").write_text('{"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}')
    (at / "package-lock.json").write_text(_LOCK)
    process = run(
        project,
        ensure,
        npm_config_registry="http://127.0.0.1:9/",
        npm_config_fetch_retries="0",
        npm_config_cache=str(project / "cache"),
    )
    assert process.returncode == 1
    assert "ECONNREFUSED" in process.stderr
    assert "could not be installed (see above)" in process.stderr


@pytest.mark.parametrize(("before", "after"), [("000", "0022"), ("022", "0022"), ("077", "0077"), ("002", "0022")])
def test_only_the_owner_can_change_the_installed_files(project: Path, before: str, after: str) -> None:
    process = subprocess.run(
        ["bash", "-c", f"umask {before}; . infra/setup.sh; umask"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == after


def test_without_a_writable_home_caches_are_in_the_checkout(project: Path) -> None:
    caches = 'printf "%s\\n" "$XDG_CACHE_HOME" "$PIP_CACHE_DIR" "$UV_CACHE_DIR" "$npm_config_cache"'
    process = run(project, caches, HOME="/proc/self/no-home")
    assert process.returncode == 0, process.stderr
    assert all(cache.startswith(f"{project}/.local/cache") for cache in process.stdout.splitlines())


@pytest.mark.parametrize("unusable", [".cache", ".cache/pip", ".npm"])
def test_with_an_unusable_cache_caches_are_in_the_checkout(project: Path, unusable: str) -> None:
    """Root's files cannot be tested as root: a file in place of the folder is as unusable."""
    home = project / "home"
    (home / unusable).parent.mkdir(parents=True)
    assert run(project, 'echo "${npm_config_cache:-}"', HOME=str(home)).stdout == "\n"
    (home / unusable).touch()
    caches = run(project, 'echo "$npm_config_cache $PIP_CACHE_DIR"', HOME=str(home))
    assert caches.stdout == f"{project}/.local/cache/npm {project}/.local/cache/pip\n", caches.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PYTHONHOME", "/missing"),
        ("PYTHONPATH", "{project}/other"),
        ("UV_SYSTEM_PYTHON", "1"),
        ("PIP_TARGET", "/elsewhere"),
        ("PIP_USER", "1"),
        ("CDPATH", "/:/tmp"),
        ("SHELLOPTS", "noclobber"),
        ("POSIXLY_CORRECT", "1"),
    ],
)
def test_variables_of_another_project_have_no_effect(project: Path, variable: str, value: str) -> None:
    (project / "other").mkdir()
    (project / "other" / "fcntl.py").write_text("raise SystemExit('another module')")
    (project / ".local").mkdir()
    (project / ".local" / "setup.lock").touch()
    variables = {variable: value.format(project=project)}
    steps = 'python=$(find_python); lock_setup "$python"; echo "$ROOT ${UV_SYSTEM_PYTHON:-} ${PIP_TARGET:-} $PIP_USER"'
    done = run(project, steps, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{project}   0\n", "")


def test_a_checkout_with_a_colon_in_its_path_is_refused(project: Path) -> None:
    odd = project / "a:b"
    (odd / "infra").mkdir(parents=True)
    (project / "infra" / "setup.sh").rename(odd / "infra" / "setup.sh")
    refused = run(odd, "echo continues")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        refused.stderr
        == f"error: got the checkout in {odd}, want a path without a colon: it becomes part of PATH and PYTHONPATH\n"
    )


def put_npm(project: Path) -> Path:
    """Put an npm there that installs one package with another inside, and records that it ran. Return the folder."""
    at = project / "admin_api" / "console"
    at.mkdir(parents=True)
    (at / "package-lock.json").write_text("{}")
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)
    npm = project / "tools" / "npm"
    npm.parent.mkdir()
    npm.write_text(_NPM)
    npm.chmod(0o755)
    return at


@pytest.mark.parametrize("removed", ["a/node_modules/b", "a/package.json"])
def test_a_removed_node_package_is_installed_again(project: Path, removed: str) -> None:
    at = put_npm(project)

    def install() -> int:
        done = run(project, "ensure_console_packages", PATH=f"{project / 'tools'}:{os.environ['PATH']}")
        assert done.returncode == 0, done.stderr
        return len((at / "log").read_text().splitlines())

    assert (install(), install()) == (1, 1)
    place = at / "node_modules" / removed
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert install() == 2


@pytest.mark.parametrize("inherited", ["", "intranet.example"])
def test_loopback_is_never_reached_through_a_proxy(project: Path, inherited: str) -> None:
    proxies = {"HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": inherited, "no_proxy": inherited}
    process = run(project, 'printf "%s\\n" "$NO_PROXY" "$no_proxy"', **proxies)
    expected = ["localhost", "127.0.0.1", "::1", *([inherited] if inherited else [])]
    assert [line.split(",") for line in process.stdout.splitlines()] == [expected] * 2


def put_python(directory: Path, version: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    python = directory / f"python{version}"
    python.write_text(f"#!/bin/sh\necho {version}\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize("by_path", [False, True])
def test_another_python_has_an_environment_of_its_own(project: Path, tmp_path: Path, by_path: bool) -> None:
    python = put_python(tmp_path / "bin", "3.13")
    chosen = str(python) if by_path else "3.13"
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    found = run(project, f'use_python {chosen}; echo "$PYTHON $VENV"', PATH=path)
    assert found.stdout == f"{python if by_path else 'python3.13'} {project}/.local/python-3.13\n", found.stderr


@pytest.mark.parametrize(
    ("version", "error"),
    [
        ("", "got --python without a version, want 3.11, 3.12, 3.13, or the path of a Python"),
        ("3.14", "got --python 3.14, want 3.11, 3.12, 3.13, or the path of a Python"),
        ("./missing", "got no ./missing that runs, want one on the PATH, or its path after --python"),
        ("bin/python3.10", "got Python 3.10, want 3.11, 3.12 or 3.13"),
    ],
)
def test_a_python_that_cannot_be_used_is_refused(project: Path, version: str, error: str) -> None:
    put_python(project / "bin", "3.10")
    refused = run(project, f'use_python "{version}"; echo continues')
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"error: {error}\n"
