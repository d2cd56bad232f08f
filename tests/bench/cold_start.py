"""The cost of a cold start of each Lambda: the size of its bundle, and the CPU time to import its handler.

Imports run in an isolated Python that sees only the unpacked bundle and the packages of Lambda's runtime. CPU time is
the minimum of several runs, with and without the bundle's byte code, in milliseconds and as a multiple of an empty
Python and of `import boto3` in the same run. The shares per package come from Python's `-X importtime`.
"""

import importlib.util
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Final

from infra.bundling import bundles
from infra.errors import BundleFailed
from infra.parts.functions import FUNCTIONS, Function
from tests.bench.report import Section

_RUNTIME: Final = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_RUNS: Final = 5
_LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
_ENVIRONMENT: Final = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


def section() -> Section:
    """Return a section with a row for each Lambda."""
    with tempfile.TemporaryDirectory() as work:
        workspace = _Workspace(Path(work))
        rows = tuple(_row(workspace, function) for function in FUNCTIONS)
    return Section(
        "Cold start: the bundle for AWS, and importing the handler",
        (
            "function",
            "zip kB",
            "unzipped kB",
            "CPU ms",
            "CPU ms without byte code",
            "× empty Python",
            "× import boto3",
            "modules",
            "largest shares",
        ),
        rows,
        (
            "CPU time on this machine, start of Python included, in an isolated Python with the bundle and packages "
            "of Lambda's runtime, which have byte code. Without byte code, each import compiles the bundle's modules, "
            "because Lambda's code directory is read-only. The multiples are with byte code.",
        ),
    )


class _Workspace:
    """Unpacked bundles for this machine, and the packages of the runtime, in `work`."""

    def __init__(self, work: Path) -> None:
        self._work, self._runtime = work, work / "runtime"
        self._runtime.mkdir()
        for name in _RUNTIME:
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.origin is not None:
                origin = Path(spec.origin)
                source = origin.parent if origin.name == "__init__.py" else origin
                (self._runtime / source.name).symlink_to(source)

    def times(self, function: Function, statement: str) -> tuple[float, float, float, float]:
        """Return the CPU seconds of a Python that runs `statement` with and without byte code, of one that runs
        nothing and of one that imports boto3. Each is the minimum of several interleaved runs."""
        code, sources = self.unpacked(function), self.unpacked(function, byte_code=False)
        rounds = [
            (
                self._timed(code, statement),
                self._timed(sources, statement),
                self._timed(None, "pass"),
                self._timed(None, "import boto3"),
            )
            for _ in range(_RUNS)
        ]
        compiled, uncompiled, empty, boto3 = (min(times) for times in zip(*rounds, strict=True))
        return compiled, uncompiled, empty, boto3

    def _timed(self, code: Path | None, statement: str) -> float:
        before = _children_seconds()
        self._run(code, statement)
        return _children_seconds() - before

    def unpacked(self, function: Function, *, byte_code: bool = True) -> Path:
        directory = self._work / (function.bundle.name if byte_code else f"{function.bundle.name}-sources")
        if not directory.exists():
            with zipfile.ZipFile(bundles.build(function.bundle, bundles.this_machine()).path) as archive:
                names = archive.namelist()
                archive.extractall(directory, [name for name in names if byte_code or not name.endswith(".pyc")])
        return directory

    def shares(self, code: Path, statement: str) -> Counter[str]:
        """Return the microseconds of importing, by top-level package."""
        output = self._run(code, statement, "-X", "importtime").stderr
        shares: Counter[str] = Counter()
        for microseconds, module in _LINE.findall(output):
            shares[module.split(".")[0]] += int(microseconds)
        return shares

    def modules(self, code: Path, statement: str) -> int:
        return int(self._run(code, f"{statement}; import sys; print(len(sys.modules))").stdout)

    def _run(self, code: Path | None, statement: str, *options: str) -> subprocess.CompletedProcess[str]:
        paths = [str(self._runtime)] if code is None else [str(code), str(self._runtime)]
        script = f"import sys; sys.path[:0] = {paths!r}; {statement}"
        python = getattr(sys, "_base_executable", sys.executable)
        command = [python, "-I", "-S", "-B", *options, "-c", script]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=_ENVIRONMENT)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(workspace: _Workspace, function: Function) -> tuple[str, ...]:
    code, statement = workspace.unpacked(function), f"import {function.handler.rpartition('.')[0]}"
    compiled, uncompiled, empty, boto3 = workspace.times(function, statement)
    shares = workspace.shares(code, statement)
    largest = ", ".join(f"{name} {100 * part / shares.total():.0f} %" for name, part in shares.most_common(4))
    return (
        function.name,
        *_sizes(function),
        f"{1000 * compiled:.0f}",
        f"{1000 * uncompiled:.0f}",
        f"{compiled / empty:.0f}",
        f"{compiled / boto3:.2f}",
        str(workspace.modules(code, statement)),
        largest,
    )


def _sizes(function: Function) -> tuple[str, str]:
    """Return the sizes of the zip file for AWS, or for this machine if the wheels for AWS are not available."""
    try:
        path, mark = bundles.build(function.bundle, bundles.AWS).path, ""
    except BundleFailed:
        path, mark = bundles.build(function.bundle, bundles.this_machine()).path, " (local)"
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    return f"{path.stat().st_size / 1000:,.0f}{mark}", f"{unzipped / 1000:,.0f}"
