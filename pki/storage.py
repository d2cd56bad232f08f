"""Files that hold keys and certificates: whole or absent, and never written over by accident.

Each file is written under a temporary name in its own directory, with its final mode from the first byte,
flushed to the disk, and only then linked to its name, which fails where the name is taken. A crash leaves the
old state or the new, and at most a temporary file, which the next run sweeps away under the directory's lock.
Needs POSIX links and locks (Linux, macOS); a file system without hard links is refused, not worked around.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pki.errors import StorageError

SECRET = 0o600
PUBLIC = 0o644
_TEMPORARY = ".tmp~"
_LOCK = ".lock"


def write_new(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Create `path`, whole. Raises `StorageError` EXISTS where the name is taken, whatever is there."""
    temporary = _write_temporary(path, content, mode)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise StorageError("EXISTS", f"got {path}, which exists, want a new name: it is never overwritten") from None
    except OSError as err:
        if err.errno in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise StorageError("NO_LINKS", f"got a file system without hard links at {path.parent}, want one") from err
        raise
    finally:
        temporary.unlink()
    _sync_directory(path.parent)


def write_once(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Like `write_new`, but content with this content already there is success: a rerun after a crash."""
    try:
        write_new(path, content, mode)
    except StorageError as err:
        if err.code != "EXISTS" or not path.is_file() or path.read_bytes() != content:
            raise


def replace(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Put new content in the place of the old in one step. For what is derived or kept up, never for keys."""
    temporary = _write_temporary(path, content, mode)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink()
        raise
    _sync_directory(path.parent)


def read(path: Path, what: str, limit: int = 1 << 20) -> bytes:
    """The content of a file that must be there. `what` names it for the message. Raises `StorageError`."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise StorageError("NOT_FOUND", f"got no file {path}, want {what}") from None
    if len(content) > limit:
        raise StorageError("BROKEN_FILE", f"got more than {limit} bytes in {path}, want {what}")
    return content


def private_directory(path: Path) -> Path:
    """`path`, made with mode 0700 where it was missing. One that exists keeps its mode: it is the user's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise StorageError("NOT_FOUND", f"got {path}, which is a file, want a directory") from None
    return path


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Be the only one who writes in `directory`, and sweep what a crashed run left half-written.

    Raises `StorageError` BUSY at once where another run holds it. The lock goes with the process, so a crash
    frees it; the empty lock file stays.
    """
    handle = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, SECRET)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError("BUSY", f"got another run at work in {directory}, want it finished first") from None
        for leftover in leftovers(directory):
            leftover.unlink()
        yield
    finally:
        os.close(handle)


def leftovers(directory: Path) -> list[Path]:
    """Temporary files in `directory`: while its lock is free, what a crash left, perhaps a part of a key."""
    return sorted(directory.glob(f".*{_TEMPORARY}"))


def _write_temporary(path: Path, content: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink()
        raise
    return temporary


def _sync_directory(directory: Path) -> None:
    """Make the directory's entry durable too: a name can be lost at power failure though the file was synced."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
