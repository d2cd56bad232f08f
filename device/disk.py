"""Crash-safe file operations, built from single system calls.

`Calls` is the part of the `os` module that this package uses; nothing else accesses the disk. Tests pass a double that
fails or loses power at any call. If a link, pipe or folder has the name of a file, it is never followed, written to or
waited on. Failures are raised as `OSError`.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from device.errors import NotAFileError

_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""Non-blocking: opening a pipe that has no writer must not hang."""
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Calls(Protocol):
    """The system calls that `Disk` uses: the `os` module, or a test double."""

    def open(self, path: Path, flags: int, mode: int = ..., /) -> int: ...
    def fstat(self, fd: int, /) -> os.stat_result: ...
    def read(self, fd: int, length: int, /) -> bytes: ...
    def write(self, fd: int, content: bytes, /) -> int: ...
    def fsync(self, fd: int, /) -> None: ...
    def close(self, fd: int, /) -> None: ...
    def replace(self, old: Path, new: Path, /) -> None: ...
    def unlink(self, path: Path, /) -> None: ...
    def mkdir(self, path: Path, mode: int, /) -> None: ...
    def access(self, path: Path, mode: int, /) -> bool: ...


class Disk:
    """File and folder operations."""

    def __init__(self, calls: Calls = os) -> None:
        self._calls = calls

    def read(self, path: Path, limit: int) -> bytes:
        """Return the first `limit` bytes. Raise `NotAFileError` if the path is not a regular file."""
        handle = self._calls.open(path, _READ)
        try:
            if not stat.S_ISREG(self._calls.fstat(handle).st_mode):
                raise NotAFileError(f"got {path}, want a regular file")
            content = b""
            while len(content) < limit and (more := self._calls.read(handle, limit - len(content))):
                content += more
            return content
        finally:
            self._calls.close(handle)

    def write(self, path: Path, content: bytes) -> None:
        """Write and flush a new file with mode 0600, because a config may contain secrets. If that fails, remove the
        partial file to free its space."""
        self.clear(path)
        handle = self._calls.open(path, _CREATE, 0o600)
        try:
            self._write_and_close(handle, content)
        except OSError:
            with suppress(OSError):
                self._calls.unlink(path)
            raise

    def _write_and_close(self, handle: int, content: bytes) -> None:
        try:
            while content:
                content = content[self._calls.write(handle, content) :]
            self._calls.fsync(handle)
        finally:
            self._calls.close(handle)

    def clear(self, path: Path) -> None:
        """Remove the file, link or pipe at `path`. A folder, which may contain other data, is renamed to
        ``<path>.bad``."""
        try:
            self._calls.unlink(path)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):  # macOS reports EPERM for a folder
            self._calls.replace(path, path.with_name(f"{path.name}.bad"))

    def replace(self, path: Path, content: bytes) -> None:
        """Write the file atomically and durably, with its folder. A folder with this name is set aside."""
        new = path.with_name(f"{path.name}.new")
        self.make_folder(path.parent)
        self.write(new, content)
        try:
            self.rename(new, path)
        except IsADirectoryError:
            self.clear(path)
            self.rename(new, path)
        self.flush_folder(path.parent)

    def rename(self, old: Path, new: Path) -> None:
        self._calls.replace(old, new)

    def exists(self, path: Path) -> bool:
        """Return whether the path exists. Return False if the disk reports an error."""
        try:
            return self._calls.access(path, os.F_OK)
        except OSError:
            return False

    def flush_folder(self, path: Path) -> None:
        """Make created, renamed and removed names in the folder durable."""
        handle = self._calls.open(path, _FOLDER)
        try:
            self._calls.fsync(handle)
        finally:
            self._calls.close(handle)

    def make_folder(self, path: Path) -> None:
        """Create the folder and its parents durably, because a flushed file is lost if its folder's entry is lost."""
        try:
            self._calls.mkdir(path, 0o700)
        except FileExistsError:
            return
        except FileNotFoundError:
            self.make_folder(path.parent)
            self._calls.mkdir(path, 0o700)
        self.flush_folder(path.parent)
