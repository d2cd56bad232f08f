"""Reads files that a user names as input; `-` is standard input."""

import sys
from pathlib import Path
from typing import BinaryIO, Final

from admin_api.cli.errors import usage_error

MAX_BYTES: Final = 100_000_000
"""The maximum size of a file. A list of a million devices is shorter."""


def read_content(file: Path) -> bytes:
    """Return the content of a file; `-` is standard input. Raise `InvalidInput` UNREADABLE_FILE."""
    if file == Path("-"):
        return _limited(sys.stdin.buffer, file)
    try:
        with file.open("rb") as source:
            return _limited(source, file)
    except OSError as error:
        raise usage_error(f"cannot read {file} ({error.strerror})", "UNREADABLE_FILE") from error


def _limited(source: BinaryIO, file: Path) -> bytes:
    """A device or pipe may never end."""
    content = source.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise usage_error(
            f"got {file} with more than {MAX_BYTES // 1_000_000} MB, want a shorter one", "UNREADABLE_FILE"
        )
    return content
