"""A client that is killed at one of its file-system calls, as by a power cut, and the next client on the same disk.

`python -m tests.bench.device_faults.kill_points CALL CUT_POINT run …` is `python -m device run …` that gets SIGKILL at
call number CALL. With a negative number it is not killed, and its calls are written to standard error.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from device import runtime
from device.cli import main
from device.disk import Calls
from device.storage import Storage
from lobby.wire import Route
from tests.functional.device.running_device import LOOPBACK, TlsSetup, make_tls_setup
from tests.functional.device.scripted_broker import serve
from tests.unit.device.simulated_disk import CutPoint

_ROOT: Final = Path(__file__).parents[3]
_ROUTE: Final = Route(LOOPBACK, "blue", None, 3).encode()
_CALL_PREFIX: Final = "call:"
_WITH_HANDLE: Final = ("read", "write", "fsync", "close")


class KillingCalls:
    """Real system calls up to the last one, at which the process is killed."""

    def __init__(self, last: int, cut_point: CutPoint) -> None:
        self._last, self._cut_point = last, cut_point
        self._numbers = itertools.count()
        self._names: dict[int, str] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)
        if name in ("fstat", "access"):
            return cast("Callable[..., Any]", real)

        def call(*args: Any) -> Any:
            last = next(self._numbers) == self._last
            if self._last < 0:
                sys.stderr.write(f"{_CALL_PREFIX}{self._describe(name, *args)}\n")
            if last and self._cut_point == "before":
                _kill()
            if last and name == "write" and self._cut_point == "half":
                args = (args[0], args[1][: len(args[1]) // 2])
            try:
                result = real(*args)
            finally:  # a call may also fail: no such file, the folder exists
                if last:
                    _kill()
            if name == "open":
                self._names[result] = "folder" if args[1] & os.O_DIRECTORY else args[0].name
            return result

        return call

    def _describe(self, name: str, *args: Any) -> str:
        if name in _WITH_HANDLE:
            return f"{name} {self._names[args[0]]}"
        if name == "open":
            return "open folder" if args[1] & os.O_DIRECTORY else f"open {args[0].name}"
        return f"{name} {args[0].name}"


def _kill() -> None:
    os.killpg(0, signal.SIGKILL)


@dataclass(frozen=True)
class KillScenario:
    """`prepare` creates the initial state of the disk."""

    name: str
    prepare: Callable[[Path], None]


def _request_reset(state: Path) -> None:
    storage = Storage(state)
    storage.store(Route(LOOPBACK, "old", 1, 1))
    storage.request_reset()


def _old_route(state: Path) -> None:
    """Store a route without a listener: the device falls back to the lobby, and stores the route it receives there."""
    Storage(state).store(Route(LOOPBACK, "old", 1, 1))


SCENARIOS: Final = (
    KillScenario("first route", lambda _: None),
    KillScenario("a newer route", _old_route),
    KillScenario("a reset, then a route", _request_reset),
)


def _run(tls: TlsSetup, port: int, last: int, cut_point: CutPoint) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.bench.device_faults.kill_points", str(last), cut_point, "run"]
    options = {
        "cert": tls.device.cert,
        "key": tls.device.key,
        "ca": tls.ca.cert,
        "lobby": f"{LOOPBACK}:{port}",
        "state-dir": tls.state,
        "retry-base": 0.05,
        "fallback-attempts": 2,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run(
        [*command, *arguments, "--exit-on-arrival"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        start_new_session=True,
    )


def _run_scenario(
    scenario: KillScenario, last: int, cut_point: CutPoint, folder: Path
) -> "tuple[TlsSetup, subprocess.CompletedProcess[str]]":
    tls = make_tls_setup(Path(tempfile.mkdtemp(dir=folder)))
    scenario.prepare(tls.state)
    with tls.broker(serve(_ROUTE)) as broker:
        first = _run(tls, broker.port, last, cut_point)
        if last < 0:
            return tls, first
        assert first.returncode == -signal.SIGKILL, f"got exit {first.returncode}, want SIGKILL: {first.stderr[-300:]}"
        second = _run(tls, broker.port, -1, "before")
    return tls, second


def file_system_calls(scenario: KillScenario, folder: Path) -> list[str]:
    _, done = _run_scenario(scenario, -1, "before", folder)
    assert done.returncode == 0, done.stderr[-600:]
    lines = done.stderr.splitlines()
    return [line.removeprefix(_CALL_PREFIX) for line in lines if line.startswith(_CALL_PREFIX)]


def assert_recovers(scenario: KillScenario, last: int, cut_point: CutPoint, folder: Path) -> None:
    """Kill the client at this call and start it again: it must arrive, and store the route."""
    tls, second = _run_scenario(scenario, last, cut_point, folder)
    assert second.returncode == 0, second.stdout[-400:] + second.stderr[-400:]
    assert "arrived at target" in second.stdout
    assert "route unreadable" not in second.stdout
    loaded = Storage(tls.state).load()
    assert loaded.route is not None, loaded.error
    assert loaded.route.generation == 3
    assert not (tls.state / "reset").exists()
    shutil.rmtree(tls.folder)


if __name__ == "__main__":
    _, _last, _cut_point, *_rest = sys.argv
    _killing = KillingCalls(int(_last), cast(CutPoint, _cut_point))
    vars(runtime)["Storage"] = partial(Storage, calls=cast(Calls, _killing))
    main("python -m device", _rest)
