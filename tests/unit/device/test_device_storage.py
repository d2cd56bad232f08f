"""The route on disk, through power cuts, torn files and curious hands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from device.errors import StateFault
from device.storage import PosixDisk, Storage, lock
from lobby.wire import Route

OLD = Route("old.example", "x", 8883, 1)
NEW = Route("new.example", {"led": [1, None]}, 8884, 2)


class PowerCutError(Exception):
    """The lights go out."""


class FailingDisk(PosixDisk):
    """Loses power before step `steps`; of a write that is cut, `torn` bytes are on the platter."""

    def __init__(self, steps: int, torn: int) -> None:
        self.left, self.torn = steps, torn

    def write(self, path: Path, content: bytes) -> None:
        if self.left == 0 and self.torn >= 0:
            path.write_bytes(content[: self.torn])
        self._step()
        super().write(path, content)

    def rename(self, old: Path, new: Path) -> None:
        self._step()
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)

    def flush_folder(self, path: Path) -> None:
        self._step()
        super().flush_folder(path)

    def _step(self) -> None:
        if self.left == 0:
            raise PowerCutError
        self.left -= 1


def test_a_route_comes_back_whole(tmp_path: Path) -> None:
    Storage(tmp_path).store(NEW)
    assert Storage(tmp_path).load().route == NEW
    assert (tmp_path / "route.json").stat().st_mode & 0o777 == 0o600


def test_an_empty_folder_holds_no_route_and_no_fault(tmp_path: Path) -> None:
    loaded = Storage(tmp_path).load()
    assert (loaded.route, loaded.fault) == (None, "")


@pytest.mark.parametrize("torn", [-1, 0, 1, 40, 10_000], ids=["nothing", "empty", "a byte", "half", "all"])
@pytest.mark.parametrize("steps", range(4))
@pytest.mark.parametrize("old", [None, OLD], ids=["first", "second"])
def test_a_power_cut_leaves_the_old_route_or_the_new_and_both_can_be_replaced(
    tmp_path: Path, old: Route | None, steps: int, torn: int
) -> None:
    if old:
        Storage(tmp_path).store(old)
    finished = steps == 3
    try:
        Storage(tmp_path, FailingDisk(steps, torn)).store(NEW)
    except PowerCutError:
        assert not finished
    after = Storage(tmp_path)
    assert after.load().fault == ""
    assert after.load().route == (NEW if steps >= 2 else old)
    after.store(NEW)
    assert after.load().route == NEW


@pytest.mark.parametrize("steps", range(4))
def test_a_reset_cut_by_the_power_is_still_wanted_or_done(tmp_path: Path, steps: int) -> None:
    storage = Storage(tmp_path)
    storage.store(OLD)
    storage.ask_reset()
    try:
        Storage(tmp_path, FailingDisk(steps, 0)).forget()
    except PowerCutError:
        assert steps < 3
    assert storage.reset_asked() or storage.load().route is None
    storage.forget()
    assert not storage.reset_asked()
    assert storage.load().route is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole.replace(b"new.example", b"bad.example"),
        lambda whole: whole.replace(b"8884", b"8885"),
        lambda whole: b"\x00" * len(whole),
        lambda _: b"[]",
        lambda _: b"[" * 100_000,
        lambda _: b'{"format": 1, "sha256": null, "route": null}',
        lambda whole: whole.replace(b'"format": 1', b'"format": 2'),
        lambda _: b"\xff\xfe",
        lambda whole: whole + b" " * 2_000_000 + b"x",
    ],
    ids=["empty", "torn", "host", "port", "zeros", "list", "deep", "null", "format", "binary", "huge"],
)
def test_a_spoilt_file_is_set_aside_and_counts_as_no_route(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    storage = Storage(tmp_path)
    storage.store(NEW)
    spoilt = spoil(storage.route_file.read_bytes())
    storage.route_file.write_bytes(spoilt)
    loaded = storage.load()
    if loaded.route is not None:
        assert loaded.route == NEW  # what follows the bytes that are read does not matter
        return
    assert "route.json" in loaded.fault
    assert (tmp_path / "route.json.bad").read_bytes() == spoilt
    assert storage.load().fault == ""


def test_a_file_that_cannot_be_opened_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "route.json").mkdir()
    loaded = Storage(tmp_path).load()
    assert loaded.route is None
    assert "directory" in loaded.fault


def test_a_folder_serves_one_client_at_a_time(tmp_path: Path) -> None:
    lock(tmp_path / "state")
    with pytest.raises(StateFault, match="STATE_DIR_IN_USE"):
        lock(tmp_path / "state")


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateFault, match=r"STATE_DIR_UNUSABLE.*file/state"):
        lock(tmp_path / "file" / "state")
