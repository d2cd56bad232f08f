"""`./test.sh`: checks run in parallel with the tests; a failure fails the run and is named; no process is left. Both
scripts also work through links and with CDPATH."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from infra.local.synthesis import ROOT

_SETUP = """VENV=$here/venv
say() { printf '%s\\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }
install_requirements() { :; }; ensure_commands() { :; }
use_python() { VENV=$here/venv-$1; }
ensure_node() { :; }; ensure_console_packages() { :; }; ensure_console() { :; }
"""
TOOLS = ("venv/bin/ruff", "venv/bin/lint-imports", "venv/bin/mypy", "venv/bin/bandit", "venv/bin/python", "bin/npm")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a checkout in which each tool succeeds and prints its options."""
    for folder in ("infra", "venv/bin", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    for script in ("test.sh", "deploy.sh"):
        shutil.copy(ROOT / script, tmp_path)
    (tmp_path / "infra" / "setup.sh").write_text(_SETUP)
    for tool in TOOLS:
        replace(tmp_path, tool, 'echo "$@"')
    return tmp_path


def replace(project: Path, tool: str, script: str) -> None:
    (project / tool).write_text(f"#!/usr/bin/env bash\n{script}\n")
    (project / tool).chmod(0o755)


def run(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["./test.sh", *options],
        cwd=project,
        env={**os.environ, "PATH": f"{project / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def is_alive(pid: int) -> bool:
    """Return whether the process exists and is not a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip() not in ("", "Z")


def ends(pid: int) -> bool:
    """Return whether the process ends. A signal takes effect only when the process is next scheduled."""
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        os.sched_yield()
    return not is_alive(pid)


@pytest.mark.parametrize(
    ("tier", "marks"), [((), "not full"), (("--fast",), "not e2e and not slow and not full"), (("--full",), None)]
)
def test_a_tier_selects_tests_by_marks_and_passes_options_on(
    project: Path, tier: tuple[str, ...], marks: str | None
) -> None:
    tests = run(project, *tier, "-k", "bouncer")
    assert tests.returncode == 0, tests.stderr
    assert tests.stdout.rstrip().endswith("-k bouncer")
    assert (f"-m {marks}" in tests.stdout) == (marks is not None)


@pytest.mark.parametrize(("tier", "script"), [((), "check-default"), (("--full",), "check")])
def test_the_full_tier_runs_all_tests_of_the_console(project: Path, tier: tuple[str, ...], script: str) -> None:
    replace(project, "bin/npm", 'echo "script: ${!#}" && exit 1')
    assert f"script: {script}\n" in run(project, *tier).stderr


def test_another_python_runs_the_unit_and_functional_tests_only(project: Path) -> None:
    replace(project, "venv/bin/mypy", "touch started")
    shutil.copytree(project / "venv", project / "venv-3.13")
    tests = run(project, "--python", "3.13", "-k", "bouncer")
    assert tests.returncode == 0, tests.stderr
    assert tests.stdout.rstrip().endswith("-m not full tests/unit tests/functional -k bouncer")
    assert not (project / "started").exists()


@pytest.mark.parametrize(
    ("tool", "name"),
    [("venv/bin/mypy", "mypy"), ("venv/bin/bandit", "bandit"), ("bin/npm", "the console's checks")],
)
def test_a_check_that_fails_fails_the_run_and_is_named_with_its_output(project: Path, tool: str, name: str) -> None:
    replace(project, tool, "echo line 7 is wrong; exit 1")
    tests = run(project)
    assert tests.returncode == 1
    assert f"· {name}\nline 7 is wrong\nerror: failed: {name} (see above)" in tests.stderr


def test_the_output_of_checks_that_pass_is_not_shown(project: Path) -> None:
    replace(project, "venv/bin/mypy", "echo not interesting")
    tests = run(project)
    assert tests.returncode == 0
    assert "not interesting" not in tests.stdout + tests.stderr


def test_the_status_of_the_tests_is_the_status_of_the_run(project: Path) -> None:
    replace(project, "venv/bin/python", '[ "$2" != pytest ] || exit 5')
    assert run(project).returncode == 5


def test_an_early_failure_starts_nothing(project: Path) -> None:
    replace(project, "venv/bin/lint-imports", "echo broken contract; exit 1")
    replace(project, "venv/bin/mypy", "touch started")
    tests = run(project)
    assert tests.returncode == 1
    assert "broken contract" in tests.stderr
    assert not (project / "started").exists()


def test_no_check_outlives_a_run_that_is_ended(project: Path) -> None:
    replace(project, "venv/bin/mypy", "sleep 1000 & echo $! >pid.new; mv pid.new pid; wait")
    replace(project, "venv/bin/python", '[ "$2" != pytest ] || { until [ -e pid ]; do :; done; kill -TERM $PPID; }')
    assert run(project, "--fast").returncode != 0
    assert ends(int((project / "pid").read_text()))


@pytest.mark.parametrize(
    ("script", "option", "runs"), [("test.sh", "--fast", "pytest"), ("deploy.sh", "demo", "infra.local demo")]
)
def test_a_script_is_found_through_a_link_and_despite_cdpath(
    project: Path, tmp_path_factory: pytest.TempPathFactory, script: str, option: str, runs: str
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / project.name).mkdir()
    (elsewhere / "link").symlink_to(project / script)
    for command in (f"{project.name}/{script}", str(elsewhere / "link")):
        tests = subprocess.run(
            ["bash", command, option],
            cwd=project.parent,
            env={**os.environ, "CDPATH": f"{elsewhere}:{project.parent}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (tests.returncode, runs in tests.stdout) == (0, True), tests.stderr
