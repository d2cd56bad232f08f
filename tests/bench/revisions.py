"""Runs a counting script with the code of another revision, in a temporary worktree, for benchmarks that compare."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from infra.local.timeline import StepFailed

ROOT: Final = Path(__file__).resolve().parents[2]


def counted(script: str, tree: Path, *arguments: str) -> dict[str, Any]:
    """Run a script of this folder with the code in `tree`; return the JSON object in its last line. Raise `StepFailed`
    with the end of its error output."""
    path = Path(__file__).parent / script
    environment = os.environ | {"PYTHONPATH": str(tree)}
    process = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise StepFailed(f"{script} with the code in {tree}", process.stderr[-3000:])
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found


@contextmanager
def worktree(revision: str) -> Iterator[Path]:
    """Check the revision out into a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as directory:
        tree = Path(directory) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
