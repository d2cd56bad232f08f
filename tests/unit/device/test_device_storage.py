"""The route on disk: what is kept comes back, whatever the power does; two clients are kept apart."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.disk import Calls
from device.errors import StateFault
from device.storage import Storage, lock
from lobby.wire import Route
from tests.unit.device.platter import Platter, PowerCut, Tree, sides
from tests.unit.device.refusals import Refusals
from tests.unit.device.world import STATE

OLD = Route("old.example", "x", 8883, 1)
NEW = Route("new.example", {"led": [1, None]}, 8884, 2)
EMPTY: Tree = {"device": {"state": {}}}


def kept(route: Route, *, reset: bool = False) -> Tree:
    """A platter that holds a route."""
    platter = Platter(EMPTY)
    Storage(STATE, platter).store(route)
    if reset:
        Storage(STATE, platter).ask_reset()
    (image,) = platter.images()
    return image


def cut_everywhere(tree: Tree, act: Callable[[Storage], None]) -> Iterator[tuple[bool, Tree]]:
    """Every state that `act` can leave on the platter, and whether it had returned."""
    whole = Platter(tree)
    act(Storage(STATE, whole))
    yield from ((True, image) for image in whole.images())
    for number, call in enumerate(whole.calls):
        for how in sides(call):
            platter = Platter(tree, number, how)
            with pytest.raises(PowerCut):
                act(Storage(STATE, platter))
            yield from ((False, image) for image in platter.images())


def test_a_route_comes_back_whole(tmp_path: Path) -> None:
    Storage(tmp_path).store(NEW)
    assert Storage(tmp_path).load().route == NEW
    assert (tmp_path / "route.json").stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["route.json"]


def test_an_empty_folder_holds_no_route_and_no_fault(tmp_path: Path) -> None:
    loaded = Storage(tmp_path).load()
    assert (loaded.route, loaded.fault) == (None, "")


def test_a_folder_that_was_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "some" / "where")
    storage.store(OLD)
    (tmp_path / "some" / "where" / "route.json").unlink()
    (tmp_path / "some" / "where").rmdir()
    storage.store(NEW)
    assert storage.load().route == NEW
    assert (tmp_path / "some" / "where").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("old", [None, OLD], ids=["first", "second"])
def test_a_power_cut_leaves_the_old_route_or_the_new_and_the_new_once_it_was_said_to_be_kept(old: Route | None) -> None:
    before: Tree = kept(old) if old else {"device": {}}
    seen = set()
    for returned, image in cut_everywhere(before, lambda storage: storage.store(NEW)):
        platter = Platter(image)
        loaded = Storage(STATE, platter).load()
        assert loaded.fault == ""
        assert loaded.route in ((NEW,) if returned else (old, NEW))
        seen.add(loaded.route == NEW)
        Storage(STATE, platter).store(NEW)
        assert Storage(STATE, platter).load().route == NEW
    assert seen == {True, False}


def test_a_reset_cut_by_the_power_is_still_wanted_or_done() -> None:
    for returned, image in cut_everywhere(kept(OLD, reset=True), Storage.forget):
        storage = Storage(STATE, Platter(image))
        loaded = storage.load()
        assert loaded.route is None or (storage.reset_asked() and not returned)
        assert loaded.fault == ""
        storage.forget()
        assert not storage.reset_asked()
        assert storage.load().route is None


class _NoFsync(Platter):
    """A program that forgot to flush files."""

    def fsync(self, fd: int, /) -> None:
        if self.calls[-1].startswith("write"):
            return
        super().fsync(fd)


def test_the_platter_would_notice_a_file_that_was_not_flushed() -> None:
    platter = _NoFsync(EMPTY)
    Storage(STATE, platter).store(NEW)
    faults = {Storage(STATE, Platter(image)).load().fault != "" for image in platter.images()}
    assert faults == {True, False}


def test_a_reset_leaves_nothing_of_a_route(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for name in ("route.json", "route.json.new", "route.json.bad"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "reset").touch()
    storage.forget()
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_before_the_disk_was_full_gives_its_room_back(tmp_path: Path) -> None:
    refusals = Refusals(["fsync"], "ENOSPC", times=1)
    with pytest.raises(OSError, match="No space left"):
        Storage(tmp_path, refusals.calls).store(NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_takes_a_part_is_gone_on_with(tmp_path: Path) -> None:
    class Little(Refusals):
        def write(self, fd: int, content: bytes) -> int:
            return os.write(fd, content[:7])

    little: Calls = Little([], "EIO").calls
    Storage(tmp_path, little).store(NEW)
    assert Storage(tmp_path).load().route == NEW


def test_a_folder_serves_one_client_at_a_time(tmp_path: Path) -> None:
    lock(tmp_path / "state")
    with pytest.raises(StateFault, match="STATE_DIR_IN_USE"):
        lock(tmp_path / "state")


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateFault, match=r"STATE_DIR_UNUSABLE.*file/state"):
        lock(tmp_path / "file" / "state")
