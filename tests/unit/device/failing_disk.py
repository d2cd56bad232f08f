"""Failing disks: system calls that return errors, and runs of the device with a corrupt or failing disk."""

import errno
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from device.disk import Calls
from device.machine.plan import Endpoint
from device.storage import LoadedRoute, Storage
from tests.unit.device.corrupt_storage import Corruption
from tests.unit.device.machine_driver import LOBBY, ROUTE
from tests.unit.device.simulated_network import RespondingBroker, SimulatedNetwork

ERRNOS = ("ENOSPC", "EROFS", "EACCES", "EIO", "EDQUOT", "EMFILE", "ELOOP", "ENAMETOOLONG", "ENOTDIR", "ESTALE", "EPERM")
"""Errors that open(2) and related calls can return."""
CALLS = ("open", "read", "write", "fsync", "close", "replace", "unlink", "mkdir", "access")
NEWER_ROUTE = replace(ROUTE, config="red", generation=5)
"""Sent by the lobby and by the target, so that there is a route to store in either."""
_NOBODY = 65534
_DISK_EVENTS = {"route_unreadable", "route_not_stored", "route_stored"}


class FailingCalls:
    """Real system calls, or those of another double, of which the named ones fail up to `times` times."""

    def __init__(self, names: Collection[str], error: str, times: float = float("inf"), real: object = os) -> None:
        self._names, self._errno, self._times, self._real = names, getattr(errno, error), times, real
        self.failed = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._real, name)

        def call(*args: object) -> Any:
            if name in self._names and self.failed < self._times:
                self.failed += 1
                if name == "close":
                    real(*args)  # a failed close releases the handle too
                raise OSError(self._errno, os.strerror(self._errno))
            return real(*args)

        return call

    @property
    def calls(self) -> Calls:
        return cast(Calls, self)

    def repair(self) -> None:
        self._names = ()


class FailingOnce:
    """Real system calls, of which the one with this number fails, if it comes: the first has the number 0. With a
    name, only calls of this name are counted."""

    def __init__(self, number: int, error: str = "EIO", only: str = "") -> None:
        self.left, self._errno, self._only = number, getattr(errno, error), only

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)

        def call(*args: object) -> Any:
            self.left -= self._only in ("", name)
            if self.left == -1 and self._only in ("", name):
                if name == "close":
                    real(*args)
                raise OSError(self._errno, os.strerror(self._errno))
            return real(*args)

        return call

    @property
    def calls(self) -> Calls:
        return cast(Calls, self)


@dataclass(frozen=True)
class DiskFaultRun:
    """Result of a run."""

    arrived_after: float
    """Seconds until the device was in its target with the newer route."""
    disk_events: tuple[str, ...]
    """Logged events about the disk."""
    stored: LoadedRoute


def newer_route_network() -> SimulatedNetwork:
    brokers = {
        LOBBY: RespondingBroker(NEWER_ROUTE.encode()),
        Endpoint(ROUTE.iotep): RespondingBroker(NEWER_ROUTE.encode()),
    }
    return SimulatedNetwork(brokers)


def run_device(folder: Path, calls: Calls = os, seconds: float = 600) -> DiskFaultRun:
    """Run the device. Raise `DeadlineExceededError` if it does not reach its target."""
    network = newer_route_network()
    start = network.now

    def arrivals() -> list[tuple[float, object]]:
        return [(at, fields.get("generation")) for at, event, fields in network.log if event == "arrived_at_target"]

    def settled() -> bool:
        last = [generation for _, generation in arrivals()[-1:]]
        return last == [NEWER_ROUTE.generation] and network.now > start + seconds

    network.run_device(settled, calls, seconds + 600, folder)
    assert not network.counts["fault"], network.log
    arrived_at = next(at for at, generation in arrivals() if generation == NEWER_ROUTE.generation)
    disk_events = tuple(event for _, event, _ in network.log if event in _DISK_EVENTS)
    return DiskFaultRun(arrived_at - start, disk_events, Storage(folder).load())


def run_with_corruption(case: Corruption, parent: Path, seconds: float = 600) -> DiskFaultRun:
    """Run the device with a corrupted state folder below `parent`, on the real disk. A case that is about permissions
    runs as an unprivileged user, because root is not subject to them."""
    folder = parent / "device" / "state"
    folder.mkdir(parents=True)
    Storage(folder).store(ROUTE)
    if case.unprivileged and os.geteuid() == 0:
        for path in (parent, parent / "device", folder, folder / "route.json"):
            os.chown(path, _NOBODY, _NOBODY)
    with _unprivileged_user(case.unprivileged):
        case.corrupt(folder)
        try:
            return run_device(folder, seconds=seconds)
        finally:
            for path in (folder.parent, folder):
                if path.is_dir():
                    path.chmod(0o700)


@contextmanager
def _unprivileged_user(required: bool) -> Iterator[None]:
    previous = os.geteuid()
    if required and previous == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if required:
            os.seteuid(previous)
