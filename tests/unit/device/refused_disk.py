"""How a device fares whose disk is spoilt or refuses: some time of it, and what its log and its folder then say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from device.disk import Calls
from device.machine.plan import Endpoint
from device.storage import Loaded, Storage
from tests.unit.device.spoilt import Spoilt
from tests.unit.device.walk import LOBBY, ROUTE
from tests.unit.device.world import Saying, World

NEWS = replace(ROUTE, config="red", generation=5)
"""What lobby and target both say, so that there is something to store in either."""
_NOBODY = 65534


@dataclass(frozen=True)
class Stay:
    """What came of it."""

    arrived_after: float
    """Seconds until the device served in its target, knowing the news."""
    told: tuple[str, ...]
    """The log's lines about the disk."""
    kept: Loaded


_ABOUT_DISK = {"route_unreadable", "route_not_stored", "route_stored"}


def world() -> World:
    return World({LOBBY: Saying(NEWS.encode()), Endpoint(ROUTE.iotep): Saying(NEWS.encode())})


def stay(folder: Path, calls: Calls = os, seconds: float = 600) -> Stay:
    """Raises `NotWithinError` where the device does not get to its target."""
    there = world()
    begin = there.now

    def home() -> bool:
        """Here by the newest route."""
        last = [told.get("generation") for _, event, told in there.log if event == "arrived_at_target"][-1:]
        return last == [NEWS.generation]

    there.live(lambda: home() and there.now > begin + seconds, calls, seconds + 600, folder)
    assert not there.counts["fault"], there.log
    at = [at for at, event, told in there.log if (event, told.get("generation")) == ("arrived_at_target", 5)]
    told = tuple(event for _, event, _ in there.log if event in _ABOUT_DISK)
    return Stay(at[0] - begin, told, Storage(folder).load())


def spoilt_stay(case: Spoilt, room: Path, seconds: float = 600) -> Stay:
    """In a folder of its own in `room`, on the real disk; as nobody, where root would meet no refusal."""
    folder = room / "device" / "state"
    folder.mkdir(parents=True)
    Storage(folder).store(ROUTE)
    if case.as_nobody and os.geteuid() == 0:
        for path in (room, room / "device", folder, folder / "route.json"):
            os.chown(path, _NOBODY, _NOBODY)
    with _as_nobody() if case.as_nobody else _as_i_am():
        case.spoil(folder)
        try:
            return stay(folder, seconds=seconds)
        finally:
            for path in (folder.parent, folder):
                if path.is_dir():
                    path.chmod(0o700)


@contextmanager
def _as_nobody() -> Iterator[None]:
    before = os.geteuid()
    if before == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def _as_i_am() -> Iterator[None]:
    yield
