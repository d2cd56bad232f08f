"""What can stand where a device keeps its route: files that are none, folders that are shut, and disks that are full.

Each is made on the real disk. `spoil` gets the device's folder, which holds a sound route.
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

from device.storage import _checksum

Spoil = Callable[[Path], Any]
_DEEP = 990
"""Levels that json reads and does not write again."""


@dataclass(frozen=True)
class Spoilt:
    """`mends` says whether a new route can be kept there; `tells`, that something is found wrong at the start."""

    name: str
    spoil: Spoil
    tells: bool = True
    mends: bool = True
    as_nobody: bool = False
    """Only who is not root meets a refusal here."""


def _content(make: Callable[[bytes], bytes]) -> Spoil:
    return lambda folder: _file(folder).write_bytes(make(_file(folder).read_bytes()))


def _signed(body: object) -> Spoil:
    """A file whose checksum fits, and whose content does not."""
    return _content(lambda _: json.dumps({"format": 1, "sha256": _checksum(body), "route": body}).encode())


def _file(folder: Path) -> Path:
    return folder / "route.json"


def _instead(make: Callable[[Path], object]) -> Spoil:
    """Something else under the file's name."""

    def spoil(folder: Path) -> None:
        _file(folder).unlink()
        make(_file(folder))

    return spoil


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # its name is limited to 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def _full_folder(path: Path) -> None:
    path.mkdir()
    (path / "more").write_text("x")


def _everything_in_the_way(folder: Path) -> None:
    _file(folder).unlink()
    for name in ("route.json", "route.json.bad", "route.json.new", "route.json.new.bad"):
        _full_folder(folder / name)


def _no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _a_file_as_folder(folder: Path) -> None:
    _no_folder(folder)
    folder.write_text("x")


def _torn_and_read_only(folder: Path) -> None:
    _content(lambda whole: whole[:9])(folder)
    _file(folder).chmod(0o400)


def _nest(opening: bytes, closing: bytes) -> bytes:
    return opening * _DEEP + b"1" + closing * _DEEP


_BYTES = random.Random(4).randbytes(4096)  # noqa: S311 - the same in each run
SPOILT: tuple[Spoilt, ...] = (
    Spoilt("empty", _content(lambda _: b"")),
    Spoilt("one byte", _content(lambda whole: whole[:1])),
    Spoilt("half", _content(lambda whole: whole[: len(whole) // 2])),
    Spoilt("all but the last byte", _content(lambda whole: whole[:-1])),
    Spoilt("zeros", _content(lambda whole: b"\0" * len(whole))),
    Spoilt("random bytes", _content(lambda _: _BYTES)),
    Spoilt("not UTF-8", _content(lambda _: b"\xff\xfe{}")),
    Spoilt("another host", _content(lambda whole: whole.replace(b"target", b"tarqet"))),
    Spoilt("another port", _content(lambda whole: whole.replace(b"8883", b"8884"))),
    Spoilt("another format", _content(lambda whole: whole.replace(b'"format": 1', b'"format": 2'))),
    Spoilt("JSON null", _content(lambda _: b"null")),
    Spoilt("JSON number", _content(lambda _: b"7")),
    Spoilt("JSON text", _content(lambda _: b'"route"')),
    Spoilt("JSON list", _content(lambda _: b"[]")),
    Spoilt("a list as checksum", _content(lambda _: b'{"format": 1, "sha256": [], "route": {}}')),
    Spoilt("a number of 5,000 digits", _content(lambda _: b'{"format": ' + b"9" * 5000 + b"}")),
    Spoilt("nested without end", _content(lambda _: b"[" * 100_000)),
    Spoilt("nested to the limit", _content(lambda _: b'{"format":1,"sha256":"","route":' + _nest(b"[", b"]") + b"}")),
    Spoilt("signed: null", _signed(None)),
    Spoilt("signed: a list", _signed([1])),
    Spoilt("signed: a reset", _signed({"config": "factory reset"})),
    Spoilt("signed: no host", _signed({"config": "x", "port": 8883})),
    Spoilt("signed: a host of spaces", _signed({"iotep": "a b", "config": "x"})),
    Spoilt("signed: a port of text", _signed({"iotep": "a.example", "config": "x", "port": "8883"})),
    Spoilt("signed: 40 levels", _signed({"iotep": "a.example", "config": json.loads('{"a":' * 40 + "1" + "}" * 40)})),
    Spoilt("64 MiB", _content(lambda whole: whole * (64 * 1024 * 1024 // len(whole)))),
    Spoilt("1 TiB of nothing", lambda folder: os.truncate(_file(folder), 1 << 40)),
    Spoilt("a folder", _instead(Path.mkdir)),
    Spoilt("a folder with something in it", _instead(_full_folder)),
    Spoilt("a pipe", _instead(os.mkfifo)),
    Spoilt("a socket", _instead(_socket)),
    Spoilt("a link to nowhere", _instead(lambda path: path.symlink_to("nowhere")), tells=False),
    Spoilt("a link to itself", _instead(lambda path: path.symlink_to(path.name))),
    Spoilt("a link to /dev/zero", _instead(lambda path: path.symlink_to("/dev/zero"))),
    Spoilt("a folder where it is written", lambda folder: _full_folder(folder / "route.json.new"), tells=False),
    Spoilt("a pipe where it is written", lambda folder: os.mkfifo(folder / "route.json.new"), tells=False),
    Spoilt("a link where it is written", lambda f: (f / "route.json.new").symlink_to("/dev/full"), tells=False),
    Spoilt("a folder as wish for a reset", lambda folder: _full_folder(folder / "reset"), tells=False),
    Spoilt("folders under every name", _everything_in_the_way, mends=False),
    Spoilt("no folder", _no_folder, tells=False),
    Spoilt("a file as folder", _a_file_as_folder, mends=False),
    Spoilt("a file that may not be read", lambda folder: _file(folder).chmod(0), as_nobody=True),
    Spoilt("a folder that may not be read", lambda folder: folder.chmod(0), mends=False, as_nobody=True),
    Spoilt("a folder that may not be written", lambda folder: folder.chmod(0o500), False, False, as_nobody=True),
    Spoilt("a read-only file, torn", _torn_and_read_only, as_nobody=True),
    Spoilt("a parent that may not be entered", lambda folder: folder.parent.chmod(0), mends=False, as_nobody=True),
)
