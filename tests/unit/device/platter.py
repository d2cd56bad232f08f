"""A disk that loses power: what programs were told, and what is on the platter.

The rules are POSIX's, at their worst: content that was not fsynced may be lost, torn or zeros; a name that was made,
changed or removed in a folder that was not fsynced since may or may not be, each on its own and in any order. One
rename is all or nothing. `images` gives every state that the platter can be in when the lights go out.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

How = Literal["before", "half", "after"]
"""When the power goes: before a call has done anything, with half of it done, or done and not yet returned."""
Tree = dict[str, "bytes | Tree"]


class PowerCut(BaseException):
    """The lights go out. No error, and nothing may catch it."""


@dataclass
class File:
    """`said` is what a reader gets; `sure` is what fsync has seen."""

    said: bytes = b""
    sure: bytes = b""

    def images(self) -> list[bytes]:
        if self.said == self.sure:
            return [self.sure]
        torn = self.said[: len(self.said) // 2]
        return [self.sure, torn, b"\0" * len(self.said), self.said]


@dataclass
class Folder:
    """`pending` are changes of names, each at once, that fsync has not seen."""

    said: dict[str, "File | Folder"] = field(default_factory=dict)
    sure: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[dict[str, "File | Folder | None"]] = field(default_factory=list)

    def change(self, change: dict[str, "File | Folder | None"]) -> None:
        _apply(self.said, change)
        self.pending.append(change)

    def flush(self) -> None:
        self.sure, self.pending = dict(self.said), []

    def images(self) -> list[Tree]:
        found: dict[str, Tree] = {}
        for count in range(len(self.pending) + 1):
            for order in itertools.permutations(self.pending, count):
                names = dict(self.sure)
                for change in order:
                    _apply(names, change)
                variants: list[list[bytes | Tree]] = [list(one.images()) for one in names.values()]
                for contents in itertools.product(*variants):
                    tree: Tree = dict(zip(names, contents, strict=True))
                    found[repr(sorted(tree.items()))] = tree
        return list(found.values())


def _apply(names: dict[str, "File | Folder"], change: dict[str, "File | Folder | None"]) -> None:
    for name, node in change.items():
        names.pop(name, None)
        if node is not None:
            names[name] = node


def _planted(tree: Tree) -> Folder:
    nodes = {name: File(one, one) if isinstance(one, bytes) else _planted(one) for name, one in tree.items()}
    return Folder(dict(nodes), dict(nodes))


class Platter:
    """`device.disk.Calls` on a disk in memory, which goes dark at call number `cut` (0 is the first). `calls` are
    the names of the calls so far."""

    def __init__(self, tree: Tree | None = None, cut: int | None = None, how: How = "before") -> None:
        self.root = _planted(tree or {})
        self.calls: list[str] = []
        self._cut, self._how = cut, how
        self._open: dict[int, tuple[File | Folder, Path, int]] = {}
        self._next = 3
        self.dark = False

    def images(self) -> Iterator[Tree]:
        yield from self.root.images()

    def open(self, path: Path, flags: int, _mode: int = 0o777, /) -> int:
        making = bool(flags & os.O_CREAT)
        what = "open folder" if flags & os.O_DIRECTORY else f"{'create' if making else 'open'} {path.name}"
        with self._call(what):
            folder, name = self._at(path)
            if making:
                if name in folder.said:
                    raise FileExistsError(path)
                folder.change({name: File()})
            node = folder.said.get(name) if name else folder
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
        return node.said[at : at + length]

    def write(self, fd: int, content: bytes, /) -> int:
        node, path, _ = self._open[fd]
        assert isinstance(node, File)
        with self._call(f"write {path.name}") as half:
            node.said += content[: len(content) // 2] if half else content
        return len(content)

    def fsync(self, fd: int, /) -> None:
        node, path, _ = self._open[fd]
        with self._call("fsync folder" if isinstance(node, Folder) else f"fsync {path.name}") as half:
            if isinstance(node, Folder):
                node.flush()
            else:
                node.sure = node.said[: len(node.said) // 2] if half else node.said

    def close(self, fd: int, /) -> None:
        node, path, _ = self._open[fd]
        with self._call("close folder" if isinstance(node, Folder) else f"close {path.name}"):
            del self._open[fd]

    def replace(self, old: Path, new: Path, /) -> None:
        with self._call(f"rename {old.name}"):
            folder, name = self._at(old)
            if name not in folder.said:
                raise FileNotFoundError(old)
            folder.change({name: None, new.name: folder.said[name]})

    def unlink(self, path: Path, /) -> None:
        with self._call(f"unlink {path.name}"):
            folder, name = self._at(path)
            if name not in folder.said:
                raise FileNotFoundError(path)
            folder.change({name: None})

    def mkdir(self, path: Path, _mode: int, /) -> None:
        with self._call("mkdir"):
            folder, name = self._at(path)
            if not name or name in folder.said:
                raise FileExistsError(path)
            folder.change({name: Folder()})

    def access(self, path: Path, _mode: int, /) -> bool:
        if self.dark:
            raise PowerCut
        try:
            folder, name = self._at(path)
        except FileNotFoundError:
            return False
        return name in folder.said

    def _at(self, path: Path) -> tuple[Folder, str]:
        folder = self.root
        *way, name = path.parts[1:] or ("",)
        for part in way:
            found = folder.said.get(part)
            if not isinstance(found, Folder):
                raise FileNotFoundError(path)
            folder = found
        return folder, name

    @contextmanager
    def _call(self, name: str) -> Iterator[bool]:
        """Whether half of the call is to be done. The power goes after one that was refused, too."""
        cut = len(self.calls) == self._cut
        self.calls.append(name)
        if self.dark or (cut and self._how == "before"):
            self.dark = True
            raise PowerCut
        try:
            yield cut and self._how == "half"
        finally:
            if cut:
                self.dark = True
                raise PowerCut


def sides(call: str) -> tuple[How, ...]:
    """What can be cut off in the middle: names change all at once, content does not."""
    halves = call.startswith(("write", "fsync")) and call != "fsync folder"
    return ("before", "half", "after") if halves else ("before", "after")
