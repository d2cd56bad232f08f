"""The route on disk: atomic updates, power cuts, resets, and the lock against a second client."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.disk import Calls
from device.errors import StateDirError
from device.storage import LoadedRoute, Storage, lock
from lobby.wire import Route, StandbyEndpoint
from tests.unit.device.failing_disk import FailingCalls
from tests.unit.device.simulated_disk import PowerCut, SimulatedDisk, Tree, cut_points
from tests.unit.device.simulated_network import STATE_DIR

OLD = Route("old.example", "x", 8883, 1)
NEW = Route("new.example", {"led": [1, None]}, 8884, 2)
EMPTY: Tree = {"device": {"state": {}}}


def disk_with(route: Route, *, reset: bool = False) -> Tree:
    """A disk that contains a route."""
    disk = SimulatedDisk(EMPTY)
    Storage(STATE_DIR, disk).store(route)
    if reset:
        Storage(STATE_DIR, disk).request_reset()
    (tree,) = disk.possible_states()
    return tree


def states_after_cuts(tree: Tree, act: Callable[[Storage], None]) -> Iterator[tuple[bool, Tree]]:
    """Yield every state that `act` can leave on the disk, and whether it had returned."""
    uncut = SimulatedDisk(tree)
    act(Storage(STATE_DIR, uncut))
    yield from ((True, state) for state in uncut.possible_states())
    for number, call in enumerate(uncut.calls):
        for cut_point in cut_points(call):
            disk = SimulatedDisk(tree, number, cut_point)
            with pytest.raises(PowerCut):
                act(Storage(STATE_DIR, disk))
            yield from ((False, state) for state in disk.possible_states())


def test_a_stored_route_is_loaded_unchanged(tmp_path: Path) -> None:
    Storage(tmp_path).store(NEW)
    assert Storage(tmp_path).load().route == NEW
    assert (tmp_path / "route.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["route.json"]


def test_a_stored_route_keeps_its_standby(tmp_path: Path) -> None:
    route = Route("target.example", "blue", 8883, 4, StandbyEndpoint("standby.example", 443))
    Storage(tmp_path).store(route)
    assert Storage(tmp_path).load() == LoadedRoute(route)


def test_an_empty_folder_gives_no_route_and_no_error(tmp_path: Path) -> None:
    loaded = Storage(tmp_path).load()
    assert (loaded.route, loaded.error) == (None, "")


def test_a_removed_folder_is_created_again(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "some" / "where")
    storage.store(OLD)
    (tmp_path / "some" / "where" / "route.json").unlink()
    (tmp_path / "some" / "where").rmdir()
    storage.store(NEW)
    assert storage.load().route == NEW
    assert (tmp_path / "some" / "where").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("old", [None, OLD], ids=["first", "second"])
def test_a_power_cut_leaves_the_old_or_the_new_route_and_the_new_one_after_store_returns(old: Route | None) -> None:
    before: Tree = disk_with(old) if old else {"device": {}}
    new_route_stored = set()
    for returned, state in states_after_cuts(before, lambda storage: storage.store(NEW)):
        disk = SimulatedDisk(state)
        loaded = Storage(STATE_DIR, disk).load()
        assert loaded.error == ""
        assert loaded.route in ((NEW,) if returned else (old, NEW))
        new_route_stored.add(loaded.route == NEW)
        Storage(STATE_DIR, disk).store(NEW)
        assert Storage(STATE_DIR, disk).load().route == NEW
    assert new_route_stored == {True, False}


def test_after_a_power_cut_a_reset_is_done_or_still_requested() -> None:
    for returned, state in states_after_cuts(disk_with(OLD, reset=True), Storage.forget):
        storage = Storage(STATE_DIR, SimulatedDisk(state))
        loaded = storage.load()
        assert loaded.route is None or (storage.reset_requested() and not returned)
        assert loaded.error == ""
        storage.forget()
        assert not storage.reset_requested()
        assert storage.load().route is None


class _DiskWithoutFsync(SimulatedDisk):
    """A disk whose fsync does nothing for files."""

    def fsync(self, fd: int, /) -> None:
        if self.calls[-1].startswith("write"):
            return
        super().fsync(fd)


def test_the_simulated_disk_detects_a_missing_fsync() -> None:
    disk = _DiskWithoutFsync(EMPTY)
    Storage(STATE_DIR, disk).store(NEW)
    unreadable = {Storage(STATE_DIR, SimulatedDisk(state)).load().error != "" for state in disk.possible_states()}
    assert unreadable == {True, False}


def test_a_reset_removes_every_file(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for name in ("route.json", "route.json.new", "route.json.bad"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "reset").touch()
    storage.forget()
    assert list(tmp_path.iterdir()) == []


def test_a_partial_file_is_removed_when_the_disk_is_full(tmp_path: Path) -> None:
    failing = FailingCalls(["fsync"], "ENOSPC", times=1)
    with pytest.raises(OSError, match="No space left"):
        Storage(tmp_path, failing.calls).store(NEW)
    assert list(tmp_path.iterdir()) == []


def test_partial_writes_are_continued(tmp_path: Path) -> None:
    class PartialWrites(FailingCalls):
        def write(self, fd: int, content: bytes) -> int:
            return os.write(fd, content[:7])

    calls: Calls = PartialWrites([], "EIO").calls
    Storage(tmp_path, calls).store(NEW)
    assert Storage(tmp_path).load().route == NEW


def test_a_folder_is_locked_by_one_client(tmp_path: Path) -> None:
    lock(tmp_path / "state")
    with pytest.raises(StateDirError, match="STATE_DIR_IN_USE"):
        lock(tmp_path / "state")


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateDirError, match=r"STATE_DIR_UNUSABLE.*file/state"):
        lock(tmp_path / "file" / "state")
