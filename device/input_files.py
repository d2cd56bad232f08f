"""Reads the files that the user names: certificates, keys, settings. Needs only Python, as a bundle does.

A pipe or a device is rejected: reading one could block forever, and the files are read again for each connection. A
file that is too large is also rejected, because the part after the limit would be missing without a message.
"""

import os
import stat
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 1 << 20
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""Non-blocking: opening a pipe that has no writer must not wait."""
_KINDS: Final = {
    stat.S_ISFIFO: "a pipe",
    stat.S_ISDIR: "a folder",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


class UnusableFile(ValueError):
    """The file cannot be used. The text is "got X, want Y"."""


def read_file(path: Path) -> bytes:
    """Return the content of a regular file. Raise `UnusableFile`."""
    try:
        handle = os.open(path, _READ)
        try:
            mode = os.fstat(handle).st_mode
            content = _content(handle) if stat.S_ISREG(mode) else b""
        finally:
            os.close(handle)
    except OSError as error:
        raise UnusableFile(f"got {path} ({error.strerror}), want a readable file") from None
    if not stat.S_ISREG(mode):
        kind = next((name for check, name in _KINDS.items() if check(mode)), "no regular file")
        raise UnusableFile(f"got {path}, which is {kind}, want a file: it is read more than once")
    if len(content) > MAX_BYTES:
        raise UnusableFile(f"got {path} with more than {MAX_BYTES:,} bytes, want a smaller file")
    return content


def _content(handle: int) -> bytes:
    content = b""
    while len(content) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(content))):
        content += more
    return content
