"""A disk that is spoilt, shut, full or refuses: an hour of each, and what the log then says."""

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from device.storage import Storage
from tests.bench.device_faults.figures import Figures
from tests.unit.device.platter import Platter
from tests.unit.device.refusals import CALLS, ERRORS, Refusals
from tests.unit.device.refused_disk import NEWS, Stay, spoilt_stay, stay
from tests.unit.device.spoilt import SPOILT, Spoilt
from tests.unit.device.walk import ROUTE
from tests.unit.device.world import AN_HOUR, STATE

_TOLD = ("route_unreadable", "route_not_stored", "route_stored")


def spoilt() -> Figures:
    """Real files, on the real disk."""
    figures = Figures(
        "what may stand where the route was kept, an hour each",
        ("what", "as", "arrived after", "unreadable", "not stored"),
    )
    for case in SPOILT:
        with tempfile.TemporaryDirectory() as room:
            Path(room).chmod(0o755)
            found: list[Stay] = []
            figures.tries(case.name, partial(_spoilt, case, Path(room), found))
        _row(figures, case.name, "nobody" if case.as_nobody else "owner", found)
    figures.notes.append("Unreadable, not stored: lines in the log, in that hour of stores tried every 30 s.")
    return figures


def _spoilt(case: Spoilt, room: Path, found: list[Stay]) -> None:
    seen = spoilt_stay(case, room, AN_HOUR)
    found.append(seen)
    _told_once(seen)
    assert seen.kept.route == NEWS or not case.mends, "the new route was not kept"


def _told_once(seen: Stay) -> None:
    counts = Counter(seen.told)
    assert counts["route_unreadable"] <= 1, counts
    assert counts["route_not_stored"] <= 1, counts


def _row(figures: Figures, name: str, who: str, found: list[Stay]) -> None:
    for seen in found:
        counts = Counter(seen.told)
        figures.add(name, who, f"{seen.arrived_after:.1f} s", counts["route_unreadable"], counts["route_not_stored"])


def refusing() -> Figures:
    """Each call, always refused with each error; after an hour it is mended."""
    figures = Figures("each call refused with each error, an hour each, then mended", ("call", *ERRORS))
    for call in CALLS:
        cells = [figures.tries(f"{call}, {error}", partial(_refused, call, error)) for error in ERRORS]
        figures.add(call, *("arrives" if good else "LOST" for good in cells))
    return figures


def _refused(call: str, error: str) -> None:
    platter = Platter({"device": {"state": {}}})
    Storage(STATE, platter).store(ROUTE)
    refusals = Refusals([call], error, real=platter)
    _told_once(stay(STATE, refusals.calls, AN_HOUR))
    refusals.mend()
    stay(STATE, refusals.calls)
    assert Storage(STATE, platter).load().route == NEWS


def mounted() -> Figures:
    """File systems that are really full or read-only, where this machine lets us mount one."""
    figures = Figures(
        "a file system that is really full, or read-only", ("what", "as", "arrived after", "unreadable", "not stored")
    )
    cases: dict[str, Callable[[Path], None]] = {
        "full": _fill,
        "full, the file still empty": _empty_and_full,
        "read-only": _shut,
    }
    for name, spoil in cases.items():
        try:
            with _file_system() as folder:
                Storage(folder).store(ROUTE)
                spoil(folder)
                found: list[Stay] = []
                figures.tries(name, partial(_mounted, folder, found))
            _row(figures, name, "owner", found)
        except (OSError, subprocess.CalledProcessError) as refused:
            figures.notes.append(f"not tried here: {name}: {refused}")
    return figures


def _mounted(folder: Path, found: list[Stay]) -> None:
    seen = stay(folder, seconds=AN_HOUR)
    found.append(seen)
    _told_once(seen)


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


def _empty_and_full(folder: Path) -> None:
    os.truncate(folder / "route.json", 0)
    _fill(folder)


def _shut(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, capture_output=True)
