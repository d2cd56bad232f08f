"""What a cold start of each Lambda has to load: the bundle's size, and what importing its handler costs.

Imports run in an isolated Python that sees the unpacked bundle and what Lambda's runtime ships, and nothing else that
happens to be installed. Processor time is the least of a few runs, shown as a multiple of an empty Python's and of
`import boto3`, both measured in the same run; where it goes is Python's own `-X importtime`.
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

from infra import bundles
from infra.errors import BundleFailed
from infra.functions import FUNCTIONS, Function
from tests.bench.report import Section

_SHIPPED: Final = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_RUNS: Final = 5
_LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
_ENVIRONMENT: Final = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


def section() -> Section:
    """A line for each Lambda."""
    with tempfile.TemporaryDirectory() as work:
        room = _Room(Path(work))
        lines = tuple(_line(room, function) for function in FUNCTIONS)
    return Section(
        "Cold start: the bundle for AWS, and importing the handler",
        ("function", "zip kB", "unzipped kB", "× empty Python", "× import boto3", "modules", "where it goes"),
        lines,
        (
            "Processor time on this machine, in an isolated Python with the bundle and what Lambda ships. The bundle "
            "is compiled at each import, as in Lambda, whose code directory is read-only; the runtime's own is not.",
        ),
    )


class _Room:
    """Unpacked bundles of this machine, and what the runtime ships, in `work`."""

    def __init__(self, work: Path) -> None:
        self._work, self._shipped = work, work / "shipped"
        self._shipped.mkdir()
        for name in _SHIPPED:
            found = importlib.util.find_spec(name)
            if found is not None and found.origin is not None:
                origin = Path(found.origin)
                source = origin.parent if origin.name == "__init__.py" else origin
                (self._shipped / source.name).symlink_to(source)

    def ratios(self, code: Path, statement: str) -> tuple[float, float]:
        """Processor time of a Python that runs `statement`, start included, as a multiple of one that runs nothing
        and of one that imports boto3: the least of some rounds, as what else runs here slows all three alike."""
        rounds = [
            (self._timed(code, statement), self._timed(None, "pass"), self._timed(None, "import boto3"))
            for _ in range(_RUNS)
        ]
        handler, empty, boto3 = (min(times) for times in zip(*rounds, strict=True))
        return handler / empty, handler / boto3

    def _timed(self, code: Path | None, statement: str) -> float:
        before = _children_seconds()
        self._run(code, statement)
        return _children_seconds() - before

    def unpacked(self, function: Function) -> Path:
        into = self._work / function.bundle.name
        if not into.exists():
            zipfile.ZipFile(bundles.build(function.bundle, bundles.this_machine()).path).extractall(into)
        return into

    def shares(self, code: Path, statement: str) -> Counter[str]:
        """Microseconds of importing, by top-level package."""
        said = self._run(code, statement, "-X", "importtime").stderr
        shares: Counter[str] = Counter()
        for microseconds, module in _LINE.findall(said):
            shares[module.split(".")[0]] += int(microseconds)
        return shares

    def modules(self, code: Path, statement: str) -> int:
        return int(self._run(code, f"{statement}; import sys; print(len(sys.modules))").stdout)

    def _run(self, code: Path | None, statement: str, *options: str) -> subprocess.CompletedProcess[str]:
        paths = [str(self._shipped)] if code is None else [str(code), str(self._shipped)]
        script = f"import sys; sys.path[:0] = {paths!r}; {statement}"
        python = getattr(sys, "_base_executable", sys.executable)
        command = [python, "-I", "-S", "-B", *options, "-c", script]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=_ENVIRONMENT)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _line(room: _Room, function: Function) -> tuple[str, ...]:
    code, statement = room.unpacked(function), f"import {function.handler.rpartition('.')[0]}"
    (of_empty, of_boto3), shares = room.ratios(code, statement), room.shares(code, statement)
    where = ", ".join(f"{name} {100 * part / shares.total():.0f} %" for name, part in shares.most_common(4))
    return (
        function.name,
        *_sizes(function),
        f"{of_empty:.0f}",
        f"{of_boto3:.2f}",
        str(room.modules(code, statement)),
        where,
    )


def _sizes(function: Function) -> tuple[str, str]:
    """Of the zip file for AWS, or for this machine where the wheels for AWS cannot be had."""
    try:
        path, mark = bundles.build(function.bundle, bundles.AWS).path, ""
    except BundleFailed:
        path, mark = bundles.build(function.bundle, bundles.this_machine()).path, " (local)"
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    return f"{path.stat().st_size / 1000:,.0f}{mark}", f"{unzipped / 1000:,.0f}"
