"""Corrupt state folders: files that are not a stored route, missing permissions, and full disks.

Each one is created on the real disk. `Corruption.corrupt` gets the device's folder, which contains a valid route.
"""

import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.sealed_files import checksum

Corrupt = Callable[[Path], Any]
_DEPTH = 990
"""Levels of nesting that json parses and cannot serialize again."""


@dataclass(frozen=True)
class Corruption:
    """`logged`: the client logs at its start that the route is unreadable. `storable`: a new route can be stored."""

    name: str
    corrupt: Corrupt
    logged: bool = True
    storable: bool = True
    unprivileged: bool = False
    """Only an unprivileged user gets an error."""


def _change_content(make: Callable[[bytes], bytes]) -> Corrupt:
    return lambda folder: _file(folder).write_bytes(make(_file(folder).read_bytes()))


def _with_checksum(body: object) -> Corrupt:
    """A file with a correct checksum and invalid content."""
    return _change_content(lambda _: json.dumps({"format": 1, "sha256": checksum(body), "route": body}).encode())


def _file(folder: Path) -> Path:
    return folder / "route.json"


def _replace_with(make: Callable[[Path], object]) -> Corrupt:
    """Replace the file with something else of the same name."""

    def corrupt(folder: Path) -> None:
        _file(folder).unlink()
        make(_file(folder))

    return corrupt


def _socket(path: Path) -> None:
    working_dir = Path.cwd()
    os.chdir(path.parent)  # the path of a socket is limited to 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as unix_socket:
            unix_socket.bind(path.name)
    finally:
        os.chdir(working_dir)


def _nonempty_folder(path: Path) -> None:
    path.mkdir()
    (path / "more").write_text("x")


def _folders_at_every_name(folder: Path) -> None:
    _file(folder).unlink()
    for name in ("route.json", "route.json.bad", "route.json.new", "route.json.new.bad"):
        _nonempty_folder(folder / name)


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _file_instead_of_folder(folder: Path) -> None:
    _remove_folder(folder)
    folder.write_text("x")


def _torn_and_read_only(folder: Path) -> None:
    _change_content(lambda content: content[:9])(folder)
    _file(folder).chmod(0o400)


def _nested(opening: bytes, closing: bytes) -> bytes:
    return opening * _DEPTH + b"1" + closing * _DEPTH


_RANDOM_BYTES = random.Random(4).randbytes(4096)  # noqa: S311 - the same in each run
CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("empty", _change_content(lambda _: b"")),
    Corruption("one byte", _change_content(lambda content: content[:1])),
    Corruption("first half", _change_content(lambda content: content[: len(content) // 2])),
    Corruption("all but the last byte", _change_content(lambda content: content[:-1])),
    Corruption("zeros", _change_content(lambda content: b"\0" * len(content))),
    Corruption("random bytes", _change_content(lambda _: _RANDOM_BYTES)),
    Corruption("not UTF-8", _change_content(lambda _: b"\xff\xfe{}")),
    Corruption("another host", _change_content(lambda content: content.replace(b"target", b"tarqet"))),
    Corruption("another port", _change_content(lambda content: content.replace(b"8883", b"8884"))),
    Corruption("another format", _change_content(lambda content: content.replace(b'"format": 1', b'"format": 2'))),
    Corruption("JSON null", _change_content(lambda _: b"null")),
    Corruption("JSON number", _change_content(lambda _: b"7")),
    Corruption("JSON text", _change_content(lambda _: b'"route"')),
    Corruption("JSON list", _change_content(lambda _: b"[]")),
    Corruption("a list as checksum", _change_content(lambda _: b'{"format": 1, "sha256": [], "route": {}}')),
    Corruption("a number of 5,000 digits", _change_content(lambda _: b'{"format": ' + b"9" * 5000 + b"}")),
    Corruption("100,000 levels", _change_content(lambda _: b"[" * 100_000)),
    Corruption(
        "990 levels", _change_content(lambda _: b'{"format":1,"sha256":"","route":' + _nested(b"[", b"]") + b"}")
    ),
    Corruption("valid checksum: null", _with_checksum(None)),
    Corruption("valid checksum: a list", _with_checksum([1])),
    Corruption("valid checksum: a reset", _with_checksum({"config": "factory reset"})),
    Corruption("valid checksum: no host", _with_checksum({"config": "x", "port": 8883})),
    Corruption("valid checksum: a host of spaces", _with_checksum({"iotep": "a b", "config": "x"})),
    Corruption("valid checksum: a port of text", _with_checksum({"iotep": "a.example", "config": "x", "port": "8883"})),
    Corruption(
        "valid checksum: 40 levels",
        _with_checksum({"iotep": "a.example", "config": json.loads('{"a":' * 40 + "1" + "}" * 40)}),
    ),
    Corruption("64 MiB of routes", _change_content(lambda content: content * (64 * 1024 * 1024 // len(content)))),
    Corruption("sparse, 1 TiB", lambda folder: os.truncate(_file(folder), 1 << 40)),
    Corruption("a folder", _replace_with(Path.mkdir)),
    Corruption("a folder that is not empty", _replace_with(_nonempty_folder)),
    Corruption("a pipe", _replace_with(os.mkfifo)),
    Corruption("a socket", _replace_with(_socket)),
    Corruption("a dangling link", _replace_with(lambda path: path.symlink_to("nowhere")), logged=False),
    Corruption("a link to itself", _replace_with(lambda path: path.symlink_to(path.name))),
    Corruption("a link to /dev/zero", _replace_with(lambda path: path.symlink_to("/dev/zero"))),
    Corruption("a folder at route.json.new", lambda folder: _nonempty_folder(folder / "route.json.new"), logged=False),
    Corruption("a pipe at route.json.new", lambda folder: os.mkfifo(folder / "route.json.new"), logged=False),
    Corruption("a link at route.json.new", lambda f: (f / "route.json.new").symlink_to("/dev/full"), logged=False),
    Corruption("a folder at reset", lambda folder: _nonempty_folder(folder / "reset"), logged=False),
    Corruption("folders at every name", _folders_at_every_name, storable=False),
    Corruption("no folder", _remove_folder, logged=False),
    Corruption("a file instead of the folder", _file_instead_of_folder, storable=False),
    Corruption("a file without read permission", lambda folder: _file(folder).chmod(0), unprivileged=True),
    Corruption("a folder without permissions", lambda folder: folder.chmod(0), storable=False, unprivileged=True),
    Corruption(
        "a folder without write permission", lambda folder: folder.chmod(0o500), False, False, unprivileged=True
    ),
    Corruption("a read-only file, torn", _torn_and_read_only, unprivileged=True),
    Corruption(
        "a parent without permissions", lambda folder: folder.parent.chmod(0), storable=False, unprivileged=True
    ),
)
