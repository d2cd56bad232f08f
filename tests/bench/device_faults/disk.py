"""Corrupt, forbidden, full or failing disks: an hour of each, and the resulting log lines about the disk."""

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from device.storage import Storage
from tests.bench.device_faults.results import BenchResult
from tests.unit.device.corrupt_storage import CORRUPTIONS, Corruption
from tests.unit.device.failing_disk import (
    CALLS,
    ERRNOS,
    NEWER_ROUTE,
    DiskFaultRun,
    FailingCalls,
    run_device,
    run_with_corruption,
)
from tests.unit.device.machine_driver import ROUTE
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import HOUR, STATE_DIR


def corrupt() -> BenchResult:
    """Real files on the real disk."""
    result = BenchResult(
        "corrupt state folders, an hour each",
        ("case", "user", "arrived after", "unreadable", "not stored"),
    )
    for case in CORRUPTIONS:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            runs: list[DiskFaultRun] = []
            result.run_case(case.name, partial(_run_corrupt, case, Path(folder), runs))
        _row(result, case.name, "nobody" if case.unprivileged else "owner", runs)
    result.notes.append("Unreadable, not stored: log lines in that hour. A failed store is retried every 30 s.")
    return result


def _run_corrupt(case: Corruption, folder: Path, runs: list[DiskFaultRun]) -> None:
    run = run_with_corruption(case, folder, HOUR)
    runs.append(run)
    _assert_logged_once(run)
    assert run.stored.route == NEWER_ROUTE or not case.storable, "the new route was not stored"


def _assert_logged_once(run: DiskFaultRun) -> None:
    counts = Counter(run.disk_events)
    assert counts["route_unreadable"] <= 1, counts
    assert counts["route_not_stored"] <= 1, counts


def _row(result: BenchResult, name: str, user: str, runs: list[DiskFaultRun]) -> None:
    for run in runs:
        counts = Counter(run.disk_events)
        result.add(name, user, f"{run.arrived_after:.1f} s", counts["route_unreadable"], counts["route_not_stored"])


def failing() -> BenchResult:
    """Each call always fails with each error; after an hour it works again."""
    result = BenchResult("each call fails with each error for an hour, then works again", ("call", *ERRNOS))
    for call in CALLS:
        cells = [result.run_case(f"{call}, {error}", partial(_run_failing, call, error)) for error in ERRNOS]
        result.add(call, *("arrives" if survived else "LOST" for survived in cells))
    return result


def _run_failing(call: str, error: str) -> None:
    simulated = SimulatedDisk({"device": {"state": {}}})
    Storage(STATE_DIR, simulated).store(ROUTE)
    failing_calls = FailingCalls([call], error, real=simulated)
    _assert_logged_once(run_device(STATE_DIR, failing_calls.calls, HOUR))
    failing_calls.repair()
    run_device(STATE_DIR, failing_calls.calls)
    assert Storage(STATE_DIR, simulated).load().route == NEWER_ROUTE


def mounted() -> BenchResult:
    """File systems that are full or read-only, if this machine permits mounting one."""
    result = BenchResult(
        "a full or read-only file system", ("case", "user", "arrived after", "unreadable", "not stored")
    )
    cases: dict[str, Callable[[Path], None]] = {
        "full": _fill,
        "full, with an empty file": _truncate_and_fill,
        "read-only": _make_read_only,
    }
    for name, break_disk in cases.items():
        try:
            with _file_system() as folder:
                Storage(folder).store(ROUTE)
                break_disk(folder)
                runs: list[DiskFaultRun] = []
                result.run_case(name, partial(_mounted, folder, runs))
            _row(result, name, "owner", runs)
        except (OSError, subprocess.CalledProcessError) as error:
            result.notes.append(f"skipped: {name}: {error}")
    return result


def _mounted(folder: Path, runs: list[DiskFaultRun]) -> None:
    run = run_device(folder, seconds=HOUR)
    runs.append(run)
    _assert_logged_once(run)


@contextmanager
def _file_system() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True, capture_output=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True, capture_output=True)


def _fill(folder: Path) -> None:
    with (folder / "logs").open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue


def _truncate_and_fill(folder: Path) -> None:
    os.truncate(folder / "route.json", 0)
    _fill(folder)


def _make_read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, capture_output=True)
