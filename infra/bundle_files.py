"""What of our own goes into a bundle: the packages' code, and built pages to be answered with.

Refuses a page's file that no Lambda could answer with. Source maps, the build's notes and what a package has only for
people's own machines stay here.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from infra.errors import BundleFailed

MAX_STATIC: Final = 4 * 1024 * 1024
"""Bytes. A Lambda's answer has 6 MB at most (quota "Invocation payload"), and base64 makes 4/3 of a file."""
_CODE: Final = (".py", ".graphql", ".typed")


def read(root: Path, packages: Collection[str], static: Collection[str], apart: Collection[str]) -> dict[str, bytes]:
    """The files by their names below `root`. Read once, so that the hash is that of what is packed even while somebody
    edits. Raises `BundleFailed` FILE_TOO_LARGE."""
    left = {root / folder for folder in apart}
    code = [path for package in packages for path in _files(root / package, left) if path.suffix in _CODE]
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in code}
    for folder in static:
        for path in filter(_is_served, _files(root / folder)):
            name = path.relative_to(root).as_posix()
            found[name] = _answerable(name, path.read_bytes())
    return found


def _files(folder: Path, apart: Collection[Path] = ()) -> Iterator[Path]:
    """All files below, without going into the thousands of `node_modules`."""
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = [each for each in folders if each != "node_modules" and here / each not in apart]
        yield from (here / each for each in files)


def _is_served(path: Path) -> bool:
    return path.suffix != ".map" and not path.name.startswith(".")


def _answerable(name: str, content: bytes) -> bytes:
    if len(content) > MAX_STATIC:
        got = f"{name} of {len(content)} bytes"
        raise BundleFailed("FILE_TOO_LARGE", f"got {got}, want at most {MAX_STATIC}: Lambda's answers end at 6 MB")
    return content
