"""Simulated disk that loses power: the content that programs see, and the content that is durable.

It applies the weakest guarantees that POSIX allows. Content that was not fsynced may be lost, torn or zero. A name
that was created, changed or removed in a folder that was not fsynced since may or may not be durable, each one
independently and in any order. A single rename is atomic. `possible_states` returns every state that the disk can
have after a power cut.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

CutPoint = Literal["before", "half", "after"]
"""When power is lost: before the call has an effect, with half of it done, or after it, before it returns."""
Tree = dict[str, "bytes | Tree"]


class PowerCut(BaseException):
    """Power is lost. A BaseException, so that no error handler of the client catches it."""


@dataclass
class File:
    """`visible` is what a reader gets; `durable` is what was fsynced."""

    visible: bytes = b""
    durable: bytes = b""

    def possible_states(self) -> list[bytes]:
        if self.visible == self.durable:
            return [self.durable]
        torn = self.visible[: len(self.visible) // 2]
        return [self.durable, torn, b"\0" * len(self.visible), self.visible]


@dataclass
class Folder:
    """`pending` are changes of names that were not fsynced. Each one is atomic."""

    visible: dict[str, "File | Folder"] = field(default_factory=dict)
    durable: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[dict[str, "File | Folder | None"]] = field(default_factory=list)

    def change(self, change: dict[str, "File | Folder | None"]) -> None:
        _apply(self.visible, change)
        self.pending.append(change)

    def flush(self) -> None:
        self.durable, self.pending = dict(self.visible), []

    def possible_states(self) -> list[Tree]:
        states: dict[str, Tree] = {}
        for count in range(len(self.pending) + 1):
            for order in itertools.permutations(self.pending, count):
                names = dict(self.durable)
                for change in order:
                    _apply(names, change)
                variants: list[list[bytes | Tree]] = [list(node.possible_states()) for node in names.values()]
                for contents in itertools.product(*variants):
                    tree: Tree = dict(zip(names, contents, strict=True))
                    states[repr(sorted(tree.items()))] = tree
        return list(states.values())


def _apply(names: dict[str, "File | Folder"], change: dict[str, "File | Folder | None"]) -> None:
    for name, node in change.items():
        names.pop(name, None)
        if node is not None:
            names[name] = node


def _build(tree: Tree) -> Folder:
    nodes = {
        name: File(content, content) if isinstance(content, bytes) else _build(content)
        for name, content in tree.items()
    }
    return Folder(dict(nodes), dict(nodes))


class SimulatedDisk:
    """`device.disk.Calls` in memory. Power is lost at call number `cut` (0 is the first). `calls` are the names of the
    calls so far."""

    def __init__(self, tree: Tree | None = None, cut: int | None = None, cut_point: CutPoint = "before") -> None:
        self.root = _build(tree or {})
        self.calls: list[str] = []
        self._cut, self._cut_point = cut, cut_point
        self._open: dict[int, tuple[File | Folder, Path, int]] = {}
        self._next = 3
        self.powered_off = False

    def possible_states(self) -> Iterator[Tree]:
        yield from self.root.possible_states()

    def open(self, path: Path, flags: int, _mode: int = 0o777, /) -> int:
        creating = bool(flags & os.O_CREAT)
        call = "open folder" if flags & os.O_DIRECTORY else f"{'create' if creating else 'open'} {path.name}"
        with self._call(call):
            folder, name = self._at(path)
            if creating:
                if name in folder.visible:
                    raise FileExistsError(path)
                folder.change({name: File()})
            node = folder.visible.get(name) if name else folder
            if node is None:
                raise FileNotFoundError(path)
            self._next += 1
            self._open[self._next] = (node, path, 0)
        return self._next

    def fstat(self, fd: int, /) -> os.stat_result:
        kind = stat.S_IFREG if isinstance(self._open[fd][0], File) else stat.S_IFDIR
        return os.stat_result((kind | 0o600, *[0] * 9))

    def read(self, fd: int, length: int, /) -> bytes:
        node, path, at = self._open[fd]
        assert isinstance(node, File)
        with self._call(f"read {path.name}"):
            self._open[fd] = (node, path, at + length)
        return node.visible[at : at + length]

    def write(self, fd: int, content: bytes, /) -> int:
        node, path, _ = self._open[fd]
        assert isinstance(node, File)
        with self._call(f"write {path.name}") as half:
            node.visible += content[: len(content) // 2] if half else content
        return len(content)

    def fsync(self, fd: int, /) -> None:
        node, path, _ = self._open[fd]
        with self._call("fsync folder" if isinstance(node, Folder) else f"fsync {path.name}") as half:
            if isinstance(node, Folder):
                node.flush()
            else:
                node.durable = node.visible[: len(node.visible) // 2] if half else node.visible

    def close(self, fd: int, /) -> None:
        node, path, _ = self._open[fd]
        with self._call("close folder" if isinstance(node, Folder) else f"close {path.name}"):
            del self._open[fd]

    def replace(self, old: Path, new: Path, /) -> None:
        with self._call(f"rename {old.name}"):
            folder, name = self._at(old)
            if name not in folder.visible:
                raise FileNotFoundError(old)
            folder.change({name: None, new.name: folder.visible[name]})

    def unlink(self, path: Path, /) -> None:
        with self._call(f"unlink {path.name}"):
            folder, name = self._at(path)
            if name not in folder.visible:
                raise FileNotFoundError(path)
            folder.change({name: None})

    def mkdir(self, path: Path, _mode: int, /) -> None:
        with self._call("mkdir"):
            folder, name = self._at(path)
            if not name or name in folder.visible:
                raise FileExistsError(path)
            folder.change({name: Folder()})

    def access(self, path: Path, _mode: int, /) -> bool:
        if self.powered_off:
            raise PowerCut
        try:
            folder, name = self._at(path)
        except FileNotFoundError:
            return False
        return name in folder.visible

    def _at(self, path: Path) -> tuple[Folder, str]:
        folder = self.root
        *parents, name = path.parts[1:] or ("",)
        for part in parents:
            node = folder.visible.get(part)
            if not isinstance(node, Folder):
                raise FileNotFoundError(path)
            folder = node
        return folder, name

    @contextmanager
    def _call(self, name: str) -> Iterator[bool]:
        """Yield whether to do only half of the call. Power can also be lost after a failed call."""
        cut = len(self.calls) == self._cut
        self.calls.append(name)
        if self.powered_off or (cut and self._cut_point == "before"):
            self.powered_off = True
            raise PowerCut
        try:
            yield cut and self._cut_point == "half"
        finally:
            if cut:
                self.powered_off = True
                raise PowerCut


def cut_points(call: str) -> tuple[CutPoint, ...]:
    """Return the possible times of a power cut in this call. Changes of names are atomic, writes are not."""
    halves = call.startswith(("write", "fsync")) and call != "fsync folder"
    return ("before", "half", "after") if halves else ("before", "after")
