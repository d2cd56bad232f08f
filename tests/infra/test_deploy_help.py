"""Help and errors of `deploy.sh` name the command that the user has typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str, command: str | None = "./deploy.sh") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DEPLOY_COMMAND"}
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    if command is not None:
        environment["DEPLOY_COMMAND"] = command
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "arguments", "usage"),
    [
        ("infra.local", ("local",), "Usage: ./deploy.sh local [OPTIONS]"),
        ("infra.local", ("demo",), "Usage: ./deploy.sh demo [OPTIONS]"),
        ("infra.local", ("redrive",), "Usage: ./deploy.sh redrive local [OPTIONS]"),
        ("infra.local", ("destroy",), "Usage: ./deploy.sh destroy local [OPTIONS]"),
        ("infra.cloud", ("aws",), "Usage: ./deploy.sh aws [OPTIONS]"),
        ("infra.cloud", ("target",), "Usage: ./deploy.sh target [OPTIONS]"),
        ("infra.cloud", ("redrive",), "Usage: ./deploy.sh redrive aws [OPTIONS]"),
        ("infra.cloud", ("destroy",), "Usage: ./deploy.sh destroy [OPTIONS]"),
    ],
)
def test_each_command_names_deploy_sh(module: str, arguments: tuple[str, ...], usage: str) -> None:
    result = run(module, *arguments, "--help")
    assert result.returncode == 0, result.stderr
    assert usage in " ".join(result.stdout.split())
    wrong = run(module, *arguments, "--no-such-option")
    assert (wrong.returncode, "./deploy.sh" in wrong.stderr, "python -m" in wrong.stderr) == (2, True, False)


@pytest.mark.slow
def test_a_module_that_is_run_directly_names_itself() -> None:
    assert "python -m infra.local" in run("infra.local", "local", "--help", command=None).stdout


def test_deploy_sh_passes_its_name() -> None:
    script = (ROOT / "deploy.sh").read_text()
    assert "DEPLOY_COMMAND=./deploy.sh" in script
    assert "infra.local up" not in script
