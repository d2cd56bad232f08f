"""Files are written atomically, with their final mode from the start, and never overwritten."""

import os
import stat
from pathlib import Path

import pytest

from pki import storage
from pki.errors import StorageError


def test_a_secret_file_is_created_with_mode_0600(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    original_open = os.open

    def recording_open(path: Path, flags: int, mode: int = 0o777) -> int:
        handle = original_open(path, flags, mode)
        if flags & os.O_CREAT:
            modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return handle

    monkeypatch.setattr(os, "open", recording_open)
    before = os.umask(0)
    try:
        storage.write_new(tmp_path / "key", b"secret", storage.SECRET)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("existing", ["file", "directory", "dangling link"])
def test_an_existing_path_is_not_overwritten(tmp_path: Path, existing: str) -> None:
    path = tmp_path / "key"
    if existing == "file":
        path.write_bytes(b"old")
    elif existing == "directory":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="EXISTS"):
        storage.write_new(path, b"new")
    assert storage.leftovers(tmp_path) == []
    assert existing != "file" or path.read_bytes() == b"old"
    assert not (tmp_path / "nowhere").exists()


def test_write_once_accepts_only_the_same_content(tmp_path: Path) -> None:
    path = tmp_path / "cert"
    storage.write_once(path, b"one")
    storage.write_once(path, b"one")
    with pytest.raises(StorageError, match="EXISTS"):
        storage.write_once(path, b"other")
    assert path.read_bytes() == b"one"


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.write_new(tmp_path / "key", b"secret", storage.SECRET)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_replacement_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list").write_bytes(b"old")

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        storage.replace(tmp_path / "list", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["list"]
    assert (tmp_path / "list").read_bytes() == b"old"


def test_a_directory_has_one_lock_holder(tmp_path: Path) -> None:
    with storage.locked(tmp_path), pytest.raises(StorageError, match="BUSY"), storage.locked(tmp_path):
        pytest.fail("two lock holders")
    with storage.locked(tmp_path):
        pass


def test_locking_deletes_temporary_files_of_a_crash(tmp_path: Path) -> None:
    (tmp_path / ".a.key.pem.0123abcd.tmp~").write_bytes(b"half a key")
    (tmp_path / "mine.tmp~").write_bytes(b"another file")
    with storage.locked(tmp_path):
        assert storage.leftovers(tmp_path) == []
    assert (tmp_path / "mine.tmp~").exists()


def test_a_directory_for_keys_is_private(tmp_path: Path) -> None:
    created = storage.private_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE(created.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="directory"):
        storage.private_directory(tmp_path / "file")


def test_a_missing_or_too_large_file_is_rejected_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nothing-here"):
        storage.read(tmp_path / "nothing-here", "a key")
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(StorageError, match="more than 10 bytes"):
        storage.read(tmp_path / "large", "a key", limit=10)
