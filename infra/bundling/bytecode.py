"""Byte code for the Lambda bundles. Otherwise every cold start would compile each imported module again.

Files are compiled by an interpreter of the Lambda's Python version, which must be installed on this machine. The .pyc
files are hash-based and unchecked (PEP 552): they contain no time, so the same sources give the same bytes, and Python
loads them without reading the source. Sources that do not compile are rejected.
"""

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.errors import BundleFailed

_TASK_ROOT: Final = "/var/task"
"""Where Lambda unpacks a bundle. Byte code is compiled with this path, so that Python does not have to change file
names when it loads it."""
_PROBE: Final = (
    "import importlib.util, sys;"
    "print('%d.%d' % sys.version_info[:2], sys.version_info.releaselevel, '%d.%d.%d' % sys.version_info[:3],"
    " importlib.util.MAGIC_NUMBER.hex())"
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that compiles for its own version; `release` and `magic` identify the byte code it writes."""

    path: str
    release: str
    magic: str

    def __str__(self) -> str:
        return f"{self.release} magic {self.magic}"


@functools.cache
def find_interpreter(version: str) -> Interpreter | None:
    """Return an installed, final release of Python `version`, such as "3.13". If there is none, print a note to
    stderr, once, and return None."""
    for path in _candidates(version):
        interpreter = _probe(path, version)
        if interpreter is not None:
            return interpreter
    print(
        f"python{version} not found: bundles ship without byte code, cold starts are slower",
        file=sys.stderr,
        flush=True,
    )
    return None


def _candidates(version: str) -> Iterator[str]:
    """Yield this interpreter, then the one in PATH, which can be a pyenv shim that fails, then pyenv's versions."""
    name = f"python{version}"
    yield sys.executable
    yield from (str(Path(folder, name)) for folder in os.get_exec_path())
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths = versions.glob(f"{version}.*/bin/{name}")
    yield from map(str, sorted(paths, key=lambda path: (len(path.parts[-3]), path.parts[-3]), reverse=True))


def _probe(path: str, version: str) -> Interpreter | None:
    try:
        result = subprocess.run(
            [path, "-I", "-S", "-c", _PROBE], capture_output=True, text=True, check=True, timeout=30
        )
        actual, level, release, magic = result.stdout.split()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(path, release, magic) if (actual, level) == (version, "final") else None


def compile_files(interpreter: Interpreter, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the .pyc files of the .py files among `files`, by their names in the bundle.

    Raise `BundleFailed` COMPILE_FAILED with the compiler's messages.
    """
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        for name, content in files.items():
            if name.endswith(".py"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
        _compile(interpreter, root)
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.pyc")}


def _compile(interpreter: Interpreter, root: Path) -> None:
    command = [interpreter.path, "-I", "-S", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(root), "-p", _TASK_ROOT, str(root)]
    # -I ignores PYTHON* variables; a fixed working directory keeps the user's files out.
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    if result.returncode:
        raise BundleFailed("COMPILE_FAILED", f"{interpreter.path}:\n{(result.stdout + result.stderr).strip()}")
