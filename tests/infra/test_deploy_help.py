"""Help and errors of `deploy.sh` name the command that the user has typed."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS: Final = {
    "infra.local": ("local", "demo", "redrive", "destroy"),
    "infra.cloud": ("aws", "target", "redrive", "destroy"),
}
RUN_ALL: Final = """
import contextlib, io, json, runpy, sys
results = []
for arguments in json.loads(sys.argv[2]):
    sys.argv[1:], out, err = arguments, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_module(sys.orig_argv[-2], run_name="__main__", alter_sys=True)
        except SystemExit as end:
            results.append((end.code, out.getvalue(), err.getvalue()))
print(json.dumps(results))
"""
"""Runs a module once for each list of arguments, in one process, because importing it takes seconds."""


def python(*arguments: str, command: str | None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "DEPLOY_COMMAND"}
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    if command is not None:
        environment["DEPLOY_COMMAND"] = command
    run = [sys.executable, *arguments]
    return subprocess.run(run, capture_output=True, text=True, env=environment, check=True).stdout


@cache
def results(module: str) -> list[tuple[int, str, str]]:
    """Return exit status, stdout and stderr of each command, with --help and with an unknown option."""
    calls = [[name, option] for name in COMMANDS[module] for option in ("--help", "--no-such-option")]
    found: list[tuple[int, str, str]] = json.loads(
        python("-c", RUN_ALL, module, json.dumps(calls), command="./deploy.sh")
    )
    assert len(found) == len(calls)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "command", "usage"),
    [
        ("infra.local", "local", "Usage: ./deploy.sh local [OPTIONS]"),
        ("infra.local", "demo", "Usage: ./deploy.sh demo [OPTIONS]"),
        ("infra.local", "redrive", "Usage: ./deploy.sh redrive local [OPTIONS]"),
        ("infra.local", "destroy", "Usage: ./deploy.sh destroy local [OPTIONS]"),
        ("infra.cloud", "aws", "Usage: ./deploy.sh aws [OPTIONS]"),
        ("infra.cloud", "target", "Usage: ./deploy.sh target [OPTIONS]"),
        ("infra.cloud", "redrive", "Usage: ./deploy.sh redrive aws [OPTIONS]"),
        ("infra.cloud", "destroy", "Usage: ./deploy.sh destroy [OPTIONS]"),
    ],
)
def test_each_command_names_deploy_sh(module: str, command: str, usage: str) -> None:
    at = 2 * COMMANDS[module].index(command)
    (status, out, err), (wrong_status, _, wrong) = results(module)[at : at + 2]
    assert status == 0, err
    assert usage in " ".join(out.split())
    assert (wrong_status, "./deploy.sh" in wrong, "python -m" in wrong) == (2, True, False)


@pytest.mark.slow
def test_a_module_that_is_run_directly_names_itself() -> None:
    assert "python -m infra.local" in python("-m", "infra.local", "local", "--help", command=None)


def test_deploy_sh_passes_its_name() -> None:
    script = (ROOT / "deploy.sh").read_text()
    assert "DEPLOY_COMMAND=./deploy.sh" in script
    assert "infra.local up" not in script
