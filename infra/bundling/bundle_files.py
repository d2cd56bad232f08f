"""This project's files in a bundle: the code of its packages, and the built pages that the Lambda serves. A file of a
page that exceeds Lambda's response limit is rejected. Source maps, build metadata and directories that only run on a
user's machine are excluded.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from infra.errors import BundleFailed

MAX_STATIC: Final = 4 * 1024 * 1024
"""Bytes. A Lambda response has at most 6 MB (quota "Invocation payload"), and base64 enlarges a file to 4/3."""
_CODE: Final = (".py", ".graphql", ".typed")


def read(root: Path, packages: Collection[str], static: Collection[str], excluded: Collection[str]) -> dict[str, bytes]:
    """Return the files by their names relative to `root`. Raise `BundleFailed` FILE_TOO_LARGE.

    Each file is read once, so the hash matches the packed content even if a file is edited in the meantime.
    """
    skipped = {root / folder for folder in excluded}
    code = [path for package in packages for path in _files(root / package, skipped) if path.suffix in _CODE]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in code}
    for folder in static:
        for path in filter(_is_served, _files(root / folder)):
            name = path.relative_to(root).as_posix()
            files[name] = _require_servable(name, path.read_bytes())
    return files


def _files(folder: Path, skipped: Collection[Path] = ()) -> Iterator[Path]:
    """Yield all files below `folder`, without the thousands in `node_modules`."""
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = [each for each in folders if each != "node_modules" and here / each not in skipped]
        yield from (here / each for each in files)


def _is_served(path: Path) -> bool:
    return path.suffix != ".map" and not path.name.startswith(".")


def _require_servable(name: str, content: bytes) -> bytes:
    if len(content) > MAX_STATIC:
        got = f"{name} of {len(content)} bytes"
        raise BundleFailed(
            "FILE_TOO_LARGE", f"got {got}, want at most {MAX_STATIC}: a Lambda response has at most 6 MB"
        )
    return content
