"""`infra/setup.sh` repairs `.venv` after an interruption, a move or damage. Concurrent set-ups install only once.

The environment is a real one without pip. A fake uv "installs" one package, and records that it ran.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.synthesis import ROOT

_PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  {python} -m venv --without-pip "$3" || exit
  if [ -e interrupt-venv ]; then kill -9 $PPID; fi
  exit
fi
exec {python} "$@"
"""
_UV = """#!/bin/sh
echo installed >>"{log}"
site=$(echo "$VIRTUAL_ENV"/lib/python3*/site-packages)
mkdir "$site/package-1.0.dist-info"
if [ -e interrupt ]; then kill -9 $PPID; fi
{python} -c 'import time; time.sleep(0.5)' # long enough for a second set-up to come in between
mkdir "$site/package"
"""
SETUP = "install_requirements requirements/test.txt"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "checkout"
    for folder in ("infra", "requirements", "tools"):
        (project / folder).mkdir(parents=True)
    (project / "infra" / "setup.sh").write_text((ROOT / "infra" / "setup.sh").read_text())
    (project / "requirements" / "test.txt").write_text("package==1.0\n")
    for name, script in (("python", _PYTHON), ("uv", _UV)):
        tool = project / "tools" / name
        tool.write_text(script.format(python=sys.executable, log=tmp_path / "log"))
        tool.chmod(0o755)
    return project


def start(project: Path, script: str = SETUP) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", f". infra/setup.sh; {script}"],
        cwd=project,
        env={
            **os.environ,
            "PYTHON": str(project / "tools" / "python"),
            "PATH": f"{project / 'tools'}:{os.environ['PATH']}",
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def set_up(project: Path) -> str:
    """Run the set-up, which must succeed, and return its messages."""
    process = start(project)
    messages = process.communicate()[1]
    assert process.returncode == 0, messages
    assert (site(project) / "package").is_dir()
    return messages


def site(project: Path) -> Path:
    [found] = (project / ".venv" / "lib").glob("python3*/site-packages")
    return found


def installations(project: Path) -> int:
    return len((project.parent / "log").read_text().splitlines())


def test_a_second_set_up_does_nothing(project: Path) -> None:
    assert "creating a Python environment" in set_up(project)
    assert set_up(project) == ""
    assert installations(project) == 1


def test_an_interrupted_installation_is_repeated_from_the_start(project: Path) -> None:
    (project / "interrupt").touch()
    interrupted = start(project)
    interrupted.communicate()
    assert interrupted.returncode == -9
    (project / "interrupt").unlink()
    assert "creating it again" in set_up(project)
    assert set_up(project) == ""


def test_an_interrupted_creation_is_repeated_from_the_start(project: Path) -> None:
    (project / "interrupt-venv").touch()
    interrupted = start(project)
    interrupted.communicate()
    assert interrupted.returncode == -9
    assert (project / ".venv" / "bin" / "python").exists()
    (project / "interrupt-venv").unlink()
    assert "creating it again" in set_up(project)
    assert set_up(project) == ""


COMMANDS = ("lobbyctl", "lobby-device", "lobby-pki", "lobby-verify")
INSTALL_COMMANDS = f"""
VENV=$ROOT/commands
ensure_commands
for name in {" ".join(COMMANDS)}; do [ -x "$VENV/bin/$name" ]; done
"""
_PIP = """#!/bin/sh
if [ "$1" = -c ]; then exec {python} "$@"; fi
echo installed >>"{log}"
{python} -c 'import time; time.sleep(0.5)'
mkdir -p "{venv}/lib/python3.11/site-packages"
echo "{venv}" >"{venv}/lib/python3.11/site-packages/_device_lobby.pth"
for name in {commands}; do touch "{venv}/bin/$name"; chmod +x "{venv}/bin/$name"; done
"""


@pytest.fixture
def with_pip(project: Path) -> Path:
    """A project whose environment has a Python with a fake pip, which records that it ran."""
    venv = project / "commands"
    (venv / "bin").mkdir(parents=True)
    content = {"python": sys.executable, "log": project.parent / "log", "venv": venv, "commands": " ".join(COMMANDS)}
    (venv / "bin" / "python").write_text(_PIP.format(**content))
    (venv / "bin" / "python").chmod(0o755)
    (project / "lobby").mkdir()
    for name in ("pyproject.toml", "lobby/__init__.py"):
        (project / name).touch()
    return project


def test_the_commands_are_installed_once_by_set_ups_at_the_same_time(with_pip: Path) -> None:
    both = [start(with_pip, INSTALL_COMMANDS), start(with_pip, INSTALL_COMMANDS)]
    messages = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], messages
    assert installations(with_pip) == 1


@pytest.mark.parametrize("removed", ["bin/lobby-pki", "lib/python3.11/site-packages/_device_lobby.pth"])
def test_a_removed_command_is_installed_again(with_pip: Path, removed: str) -> None:
    def install() -> int:
        process = start(with_pip, INSTALL_COMMANDS)
        assert (process.communicate()[1], process.returncode) == ("", 0)
        return installations(with_pip)

    assert (install(), install()) == (1, 1)
    (with_pip / "commands" / removed).unlink()
    assert install() == 2


def test_a_checkout_that_was_moved_gets_a_new_environment(project: Path) -> None:
    set_up(project)
    moved = project.rename(project.with_name("moved"))
    assert "creating it again" in set_up(moved)
    assert str(moved) in (moved / ".venv" / "pyvenv.cfg").read_text()


def test_a_checkout_reached_through_a_link_keeps_its_environment(project: Path) -> None:
    set_up(project)
    link = project.with_name("link")
    link.symlink_to(project)
    assert set_up(link) == ""


@pytest.mark.parametrize("damaged", ["bin/python", "lib", "pyvenv.cfg"])
def test_a_damaged_environment_is_created_again(project: Path, damaged: str) -> None:
    set_up(project)
    path = project / ".venv" / damaged
    path.rename(path.with_name("removed"))
    assert "creating it again" in set_up(project)


@pytest.mark.parametrize("name", ["package", "package-1.0.dist-info"])
def test_a_removed_package_is_installed_again(project: Path, name: str) -> None:
    set_up(project)
    (site(project) / name).rmdir()
    assert "creating it again" in set_up(project)
    assert installations(project) == 2


def test_set_ups_at_the_same_time_install_once(project: Path) -> None:
    both = [start(project), start(project)]
    messages = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], messages
    assert installations(project) == 1


def test_a_failed_installation_does_not_discard_the_environment(project: Path) -> None:
    set_up(project)
    (project / "requirements" / "test.txt").write_text("package==2.0\n")
    (project / "tools" / "uv").write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    failed = start(project)
    assert "no network" in failed.communicate()[1]
    assert failed.returncode == 1
    (project / "requirements" / "test.txt").write_text("package==1.0\n")
    assert set_up(project) == ""
