"""Wrong wall clocks: the real client under libfaketime, which changes its clock while it runs.

Skipped, with a note, if libfaketime is not installed (Debian: libfaketime).
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from lobby.wire import Route
from tests.bench.device_faults.client_process import ClientProcess
from tests.bench.device_faults.results import BenchResult
from tests.functional.device.running_device import LOOPBACK, make_tls_setup
from tests.functional.device.scripted_broker import serve

_LIBRARIES: Final = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")


class Clock:
    """The clock of libfaketime. It is read at each call, so it can be set at run time. Waits are unaffected."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._time_file = folder / "faketime"
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._time_file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, when: str) -> None:
        """Set the clock to a time such as ``1970-01-02 00:00:00``, or to the correct time: `+0`."""
        new = self._time_file.with_suffix(".new")
        new.write_text(when if when[0] in "+-" else f"@{when}")
        new.replace(self._time_file)


def clocks() -> BenchResult:
    result = BenchResult("wrong wall clock", ("clock", "what happened", "s"))
    library = next((path for pattern in _LIBRARIES for path in Path("/").glob(pattern[1:])), None)
    if library is None:
        result.notes.append("skipped: needs libfaketime (Debian: libfaketime)")
        return result
    for when in ("1970-01-02 00:00:00", "2100-01-01 00:00:00"):
        with tempfile.TemporaryDirectory() as folder:
            result.run_case(f"starts in {when[:4]}", partial(_starts_wrong, result, when, Path(folder), library))
    with tempfile.TemporaryDirectory() as folder:
        result.run_case("jumps while it runs", partial(_jumps, result, Path(folder), library))
    return result


def _starts_wrong(result: BenchResult, when: str, folder: Path, library: Path) -> None:
    tls = make_tls_setup(folder)
    with tls.broker(serve(Route(LOOPBACK, "x", None, 1).encode())) as broker:
        clock = Clock(folder, library)
        clock.set(when)
        took = _stopwatch()
        with ClientProcess(tls, broker.port, clock.environment) as device:
            device.wait(0, "clock_implausible")
            at = device.wait(0, "timeout", "untrusted")
            for _ in range(3):
                at = device.wait(at, "connecting")
            assert not [line for line in device.lines if line["event"] == "connected"]
            result.add(when[:10], "logs the wrong clock, retries, does not connect", took())
            clock.set("+0")
            took = _stopwatch()
            device.wait(at, "alive_sent")
            assert any(line["event"] == "clock_plausible" for line in device.lines)
    result.add(f"{when[:10]}, then corrected", "arrived by itself", took())


def _jumps(result: BenchResult, folder: Path, library: Path) -> None:
    tls = make_tls_setup(folder)
    with tls.broker(serve(Route(LOOPBACK, "x", None, 1).encode())) as broker:
        clock = Clock(folder, library)
        clock.set("+0")
        with ClientProcess(tls, broker.port, clock.environment) as device:
            at = device.wait(0, "alive_sent")
            connections = device.count("connecting")
            took = _stopwatch()
            for when in ("2100-01-01 00:00:00", "1970-01-02 00:00:00", "2037-01-01 00:00:00", "+0") * 3:
                clock.set(when)
                at = device.wait(at, "alive_sent")
            assert device.count("connecting") == connections, "the connection was lost"
    result.add("12 jumps, 1970 to 2100", "reports every second, on the same connection", took())


def _stopwatch() -> Callable[[], str]:
    start = time.monotonic()
    return lambda: f"{time.monotonic() - start:.1f}"
