"""Files with a checksum: the body as JSON, its format, and the SHA-256 of the body.

If a file was torn by a power cut or edited, loading detects this and sets it aside. Rejects other formats and content
that is not JSON.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from device.disk import Disk
from device.errors import NotAFileError
from lobby import strict_json

_FORMAT: Final = 1
_Content = TypeVar("_Content")


def checksum(body: object) -> str:
    """Return the SHA-256 of the canonical JSON, as hex."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sealed(name: str, body: object) -> bytes:
    """Return a file with this body, its format and its checksum."""
    return json.dumps({"format": _FORMAT, "sha256": checksum(body), name: body}, indent=1).encode()


def unsealed(name: str, content: bytes) -> Any:
    """Return the body of a file. Raise `ValueError` if it is torn or edited."""
    try:
        outer = strict_json.loads(content)
        header, body = (outer["format"], outer["sha256"]), outer[name]
        matches = header == (_FORMAT, checksum(body))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ValueError(f"got no JSON object with format, sha256 and {name}: torn?") from None
    if not matches:
        raise ValueError("the checksum does not match: torn or edited?")
    return body


def load(disk: Disk, path: Path, limit: int, decode: Callable[[bytes], _Content]) -> tuple[_Content | None, str]:
    """Return the decoded content of a file, or None and the reason if an existing file cannot be used. A file that
    `decode` refuses with `ValueError` is set aside; a file that cannot be read now stays. Never raise: the device must
    start with any content of the disk."""
    try:
        return decode(disk.read(path, limit)), ""
    except FileNotFoundError:
        return None, ""
    except NotAFileError as error:
        return None, f"{error}{_set_aside(disk, path)}"
    except OSError as error:
        return None, f"{path}: {error.strerror or error}"
    except ValueError as error:
        return None, f"{path}: {error}{_set_aside(disk, path)}"


def _set_aside(disk: Disk, path: Path) -> str:
    bad = path.with_name(f"{path.name}.bad")
    try:
        disk.rename(path, bad)
    except OSError as error:
        return f"; could not set it aside: {error}"
    return f"; set aside as {bad.name}"
