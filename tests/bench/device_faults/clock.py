"""A wall clock that is wrong, for real: the client under libfaketime, which moves its clock while it runs.

Skipped, and said so, where there is no libfaketime (Debian: libfaketime).
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from lobby.wire import Route
from tests.bench.device_faults.client_process import ClientProcess
from tests.bench.device_faults.figures import Figures
from tests.functional.device.scripted_broker import serve
from tests.functional.device.site import HERE, make_site

_LIBRARIES: Final = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")


class Clock:
    """libfaketime's: read anew at each call, so it can be set while the client runs. Waits are left alone."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._stamp = folder / "faketime"
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._stamp),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, when: str) -> None:
        """`+0` is the right time; else as in ``1970-01-02 00:00:00``."""
        fresh = self._stamp.with_suffix(".new")
        fresh.write_text(when if when[0] in "+-" else f"@{when}")
        fresh.replace(self._stamp)


def clocks() -> Figures:
    figures = Figures("a wall clock that is wrong", ("clock", "what happened", "s"))
    library = next((found for pattern in _LIBRARIES for found in Path("/").glob(pattern[1:])), None)
    if library is None:
        figures.notes.append("not tried here: needs libfaketime (Debian: libfaketime)")
        return figures
    for when in ("1970-01-02 00:00:00", "2100-01-01 00:00:00"):
        with tempfile.TemporaryDirectory() as room:
            figures.tries(f"starts in {when[:4]}", partial(_starts_wrong, figures, when, Path(room), library))
    with tempfile.TemporaryDirectory() as room:
        figures.tries("jumps while it serves", partial(_jumps, figures, Path(room), library))
    return figures


def _starts_wrong(figures: Figures, when: str, room: Path, library: Path) -> None:
    site = make_site(room)
    with site.broker(serve(Route(HERE, "x", None, 1).encode())) as broker:
        clock = Clock(room, library)
        clock.set(when)
        took = _stopwatch()
        with ClientProcess(site, broker.port, clock.environment) as device:
            device.wait(0, "clock_doubtful")
            at = device.wait(0, "silent", "untrusted")
            for _ in range(3):
                at = device.wait(at, "connecting")
            assert not [line for line in device.lines if line["event"] == "connected"]
            figures.add(when[:10], "said that the clock is doubtful; tries on, gets in nowhere", took())
            clock.set("+0")
            took = _stopwatch()
            device.wait(at, "alive_sent")
            assert any(line["event"] == "clock_plausible" for line in device.lines)
    figures.add(f"{when[:10]}, then set right", "arrived, by itself", took())


def _jumps(figures: Figures, room: Path, library: Path) -> None:
    site = make_site(room)
    with site.broker(serve(Route(HERE, "x", None, 1).encode())) as broker:
        clock = Clock(room, library)
        clock.set("+0")
        with ClientProcess(site, broker.port, clock.environment) as device:
            at = device.wait(0, "alive_sent")
            links = device.count("connecting")
            took = _stopwatch()
            for when in ("2100-01-01 00:00:00", "1970-01-02 00:00:00", "2037-01-01 00:00:00", "+0") * 3:
                clock.set(when)
                at = device.wait(at, "alive_sent")
            assert device.count("connecting") == links, "it lost its connection by it"
    figures.add("12 jumps, 1970 to 2100", "reports every second, on the same connection", took())


def _stopwatch() -> Callable[[], str]:
    begin = time.monotonic()
    return lambda: f"{time.monotonic() - begin:.1f}"
