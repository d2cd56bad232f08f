"""A client that is killed at one of its file-system calls, as a power cut would, and the next one on the same disk.

`python -m tests.bench.device_faults.killed CALL HOW run …` is `python -m device run …` that ends with SIGKILL at call
number CALL. Negative: it is not killed, and its calls are written to standard error.
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
from device.cli import app
from device.disk import Calls
from device.storage import Storage
from lobby.wire import Route
from tests.functional.device.scripted_broker import serve
from tests.functional.device.site import HERE, Site, make_site
from tests.unit.device.platter import How

_ROOT: Final = Path(__file__).parents[3]
_ROUTE: Final = Route(HERE, "blue", None, 3).encode()
_MARK: Final = "call:"
_HANDLES: Final = ("write", "fsync", "close")


class Killing:
    """The system's calls, until the one that is the last."""

    def __init__(self, last: int, how: How) -> None:
        self._last, self._how = last, how
        self._numbers = itertools.count()
        self._names: dict[int, str] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)
        if name in ("fstat", "access"):
            return cast("Callable[..., Any]", real)

        def call(*args: Any) -> Any:
            last = next(self._numbers) == self._last
            if self._last < 0:
                sys.stderr.write(f"{_MARK}{self._said(name, *args)}\n")
            if last and self._how == "before":
                _die()
            if last and name == "write" and self._how == "half":
                args = (args[0], args[1][: len(args[1]) // 2])
            try:
                done = real(*args)
            finally:  # a call may also end with an error: there is no such file, the folder is there
                if last:
                    _die()
            if name == "open":
                self._names[done] = "folder" if args[1] & os.O_DIRECTORY else args[0].name
            return done

        return call

    def _said(self, name: str, *args: Any) -> str:
        if name in _HANDLES or name == "read":
            return f"{name} {self._names[args[0]]}"
        if name == "open":
            return "open folder" if args[1] & os.O_DIRECTORY else f"open {args[0].name}"
        return f"{name} {args[0].name}"


def _die() -> None:
    os.killpg(0, signal.SIGKILL)


@dataclass(frozen=True)
class KnownLife:
    """`before` makes the disk that it begins with."""

    name: str
    before: Callable[[Path], None]


def _reset_wanted(state: Path) -> None:
    storage = Storage(state)
    storage.store(Route(HERE, "old", 1, 1))
    storage.ask_reset()


def _old_route(state: Path) -> None:
    """To where nobody is: the device falls back to the lobby, and stores what that says."""
    Storage(state).store(Route(HERE, "old", 1, 1))


LIVES: Final = (
    KnownLife("first route", lambda _: None),
    KnownLife("a newer route", _old_route),
    KnownLife("a reset, then a route", _reset_wanted),
)


def _run(site: Site, port: int, last: int, how: How) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.bench.device_faults.killed", str(last), how, "run"]
    options = {
        "cert": site.device.cert,
        "key": site.device.key,
        "ca": site.ca.cert,
        "lobby": f"{HERE}:{port}",
        "state-dir": site.state,
        "retry-base": 0.05,
        "fallback-attempts": 2,
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run(
        [*command, *given, "--exit-on-arrival"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        start_new_session=True,
    )


def _lived(known: KnownLife, last: int, how: How, folder: Path) -> "tuple[Site, subprocess.CompletedProcess[str]]":
    site = make_site(Path(tempfile.mkdtemp(dir=folder)))
    known.before(site.state)
    with site.broker(serve(_ROUTE)) as broker:
        first = _run(site, broker.port, last, how)
        if last < 0:
            return site, first
        assert first.returncode == -signal.SIGKILL, f"it was not killed, but {first.returncode}: {first.stderr[-300:]}"
        second = _run(site, broker.port, -1, "before")
    return site, second


def calls_of(known: KnownLife, folder: Path) -> list[str]:
    _, done = _lived(known, -1, "before", folder)
    assert done.returncode == 0, done.stderr[-600:]
    return [line.removeprefix(_MARK) for line in done.stderr.splitlines() if line.startswith(_MARK)]


def outlived(known: KnownLife, last: int, how: How, folder: Path) -> None:
    """Killed there, started again: it arrives, and keeps the route. Fails where it does not."""
    site, second = _lived(known, last, how, folder)
    assert second.returncode == 0, second.stdout[-400:] + second.stderr[-400:]
    assert "arrived at target" in second.stdout
    assert "route unreadable" not in second.stdout
    loaded = Storage(site.state).load()
    assert loaded.route is not None, loaded.fault
    assert loaded.route.generation == 3
    assert not (site.state / "reset").exists()
    shutil.rmtree(site.folder)


if __name__ == "__main__":
    _, _last, _how, *_rest = sys.argv
    vars(runtime)["Storage"] = partial(Storage, calls=cast(Calls, Killing(int(_last), cast(How, _how))))
    app(_rest, prog_name="python -m device")
