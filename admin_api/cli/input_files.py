"""Reads files that a user names as input; `-` is standard input."""

import sys
from pathlib import Path

from admin_api.cli.errors import usage_error


def read_content(file: Path) -> bytes:
    """Return the content of a file; `-` is standard input. Raise `InvalidInput` UNREADABLE_FILE."""
    if file == Path("-"):
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise usage_error(f"cannot read {file} ({error.strerror})", "UNREADABLE_FILE") from error
