"""Files that contain keys and certificates: written atomically, never overwritten by accident.

Each file is written under a temporary name in its directory, with its final mode from the start, synced to disk, and
then linked to its name, which fails if the name exists. After a crash, the file has its old or its new content, and at
most one temporary file is left. The next run deletes the temporary file while it holds the directory's lock. Requires
POSIX links and locks (Linux, macOS); a file system without hard links is rejected.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pki.errors import StorageError

SECRET = 0o600
PUBLIC = 0o644
_TEMPORARY = ".tmp~"
_LOCK = ".lock"


def write_new(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Create `path` atomically. Raise `StorageError` EXISTS if the name exists, as a file or anything else."""
    temporary = _write_temporary(path, content, mode)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise StorageError("EXISTS", f"got {path}, which exists and is never overwritten, want a new name") from None
    except OSError as err:
        if err.errno in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise StorageError(
                "NO_LINKS", f"got a file system without hard links at {path.parent}, want one with hard links"
            ) from err
        raise
    finally:
        temporary.unlink()
    _sync_directory(path.parent)


def write_once(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Create `path` as `write_new` does, but accept an existing file with the same content, for a rerun after a
    crash."""
    try:
        write_new(path, content, mode)
    except StorageError as err:
        if err.code != "EXISTS" or not path.is_file() or path.read_bytes() != content:
            raise


def replace(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Replace the content of `path` atomically. For derived or updated files, never for keys."""
    temporary = _write_temporary(path, content, mode)
    try:
        temporary.replace(path)
    except OSError as err:
        temporary.unlink()
        raise _at(path, err) from None
    _sync_directory(path.parent)


@contextmanager
def replacing(path: Path, mode: int = PUBLIC) -> Iterator[BinaryIO]:
    """Yield a file to write, which replaces `path` atomically at the end. After an exception, `path` is unchanged."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    handle = _open_new(temporary, path, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as err:
        temporary.unlink(missing_ok=True)
        raise _at(path, err) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def read(path: Path, what: str, limit: int = 1 << 20) -> bytes:
    """Return the content of a file; `what` describes it in messages. Raise `StorageError` NOT_FOUND or BROKEN_FILE."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise StorageError("NOT_FOUND", f"got no file {path}, want {what}") from None
    if len(content) > limit:
        raise StorageError("BROKEN_FILE", f"got more than {limit} bytes in {path}, want {what}")
    return content


def private_directory(path: Path) -> Path:
    """Return `path`, created with mode 0700 if it does not exist. An existing directory keeps its mode."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise StorageError("NOT_FOUND", f"got {path}, which is a file, want a directory") from None
    return path


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the exclusive write lock of `directory`, and delete the temporary files of crashed runs.

    Raise `StorageError` BUSY immediately if another process holds the lock. The operating system releases the lock
    when the process ends; the empty lock file stays.
    """
    handle = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, SECRET)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError("BUSY", f"got another command running in {directory}, want it to finish first") from None
        for leftover in leftovers(directory):
            leftover.unlink()
        yield
    finally:
        os.close(handle)


def leftovers(directory: Path) -> list[Path]:
    """Return the temporary files in `directory`. If its lock is free, a crash left them; they may contain key data."""
    return sorted(directory.glob(f".*{_TEMPORARY}"))


def _write_temporary(path: Path, content: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    handle = _open_new(temporary, path, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as err:
        temporary.unlink()
        raise _at(path, err) from None
    return temporary


def _open_new(temporary: Path, path: Path, mode: int) -> int:
    try:
        return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as err:
        raise _at(path, err) from None


def _at(path: Path, err: OSError) -> OSError:
    """Return the error with the file that was to be written: a full disk names none, others name a temporary file."""
    return OSError(err.errno, err.strerror, str(path))


def _sync_directory(directory: Path) -> None:
    """Sync the directory, because after a power failure the name can be missing although the file was synced."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
