"""Whole files through a power cut, by system calls that can be told apart.

`Calls` is the part of the `os` module that is used, and nothing else touches the disk: a test hands in a double that
loses power, space or patience at any one of them. What stands in a file's place (a link, a pipe, a folder) is never
written through or waited on. Faults are raised as `OSError`.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""A pipe that nobody writes to must not hold the device up."""
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Calls(Protocol):
    """The system calls that a power cut can fall between: the `os` module, or its double."""

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


class NotAFileError(OSError):
    """Something stands where the file should be."""


class Disk:
    """Files and folders, each step on the platter when its method returns."""

    def __init__(self, calls: Calls = os) -> None:
        self._calls = calls

    def read(self, path: Path, limit: int) -> bytes:
        """The first `limit` bytes. Raises `NotAFileError` for a folder, a pipe, a device."""
        handle = self._calls.open(path, _READ)
        try:
            if not stat.S_ISREG(self._calls.fstat(handle).st_mode):
                raise NotAFileError(f"{path} is no file")
            content = b""
            while len(content) < limit and (more := self._calls.read(handle, limit - len(content))):
                content += more
            return content
        finally:
            self._calls.close(handle)

    def write(self, path: Path, content: bytes) -> None:
        """A new file. Readable by the owner only: a config may hold secrets. Where it cannot be written whole, what
        was written is removed, and so gives its room back."""
        self.clear(path)
        handle = self._calls.open(path, _CREATE, 0o600)
        try:
            self._fill(handle, content)
        except OSError:
            with suppress(OSError):
                self._calls.unlink(path)
            raise

    def _fill(self, handle: int, content: bytes) -> None:
        try:
            while content:
                content = content[self._calls.write(handle, content) :]
            self._calls.fsync(handle)
        finally:
            self._calls.close(handle)

    def clear(self, path: Path) -> None:
        """Nothing is at `path` any more; a folder, which may hold anything, is set aside as ``<path>.bad``."""
        try:
            self._calls.unlink(path)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):  # what macOS says of a folder is "not permitted"
            self._calls.replace(path, path.with_name(f"{path.name}.bad"))

    def rename(self, old: Path, new: Path) -> None:
        self._calls.replace(old, new)

    def exists(self, path: Path) -> bool:
        """False also where the disk does not say."""
        try:
            return self._calls.access(path, os.F_OK)
        except OSError:
            return False

    def flush_folder(self, path: Path) -> None:
        """Names that were made, changed or removed in it are, for good."""
        handle = self._calls.open(path, _FOLDER)
        try:
            self._calls.fsync(handle)
        finally:
            self._calls.close(handle)

    def make_folder(self, path: Path) -> None:
        """With its parents, and for good: what is flushed in a folder is lost where the folder's own name is."""
        try:
            self._calls.mkdir(path, 0o700)
        except FileExistsError:
            return
        except FileNotFoundError:
            self.make_folder(path.parent)
            self._calls.mkdir(path, 0o700)
        self.flush_folder(path.parent)
