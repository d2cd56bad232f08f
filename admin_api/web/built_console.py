"""The built console (Vite's `dist`): which files there are, of what kind, and in which codings each is to be had.

The directory is listed once; a name that is not in that list has no address, so no path leads out of it. A file is
read when it is first asked for. Starlette's StaticFiles is not used: it tells a file's versions apart by date and size,
and in a bundle every date is the same, so a browser would keep an old service worker; nor does it know of files that
are compressed already.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

DIST: Final = Path(__file__).parents[1] / "console" / "dist"
INDEX: Final = "index.html"
NONCE: Final = b"__CSP_NONCE__"
"""What the build leaves in the page for the server to fill in."""
CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""The content codings that the build makes, the smallest first, and how their files' names end."""
_TYPES: Final = {
    ".css": "text/css",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Python's own table depends on its version and on the machine's /etc/mime.types."""
_WEIGHT: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True)
class Variant:
    """A file as it is (`coding` None) or in one of the `CODINGS`."""

    path: Path
    coding: str | None = None

    @cached_property
    def content(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def etag(self) -> str:
        return f'"{sha256(self.content).hexdigest()[:32]}"'


@dataclass(frozen=True)
class BuiltFile:
    """A file with an address of its own. `compressed` is in the order of `CODINGS`."""

    plain: Variant
    compressed: tuple[Variant, ...] = ()

    @property
    def media_type(self) -> str:
        """An unknown kind is nothing that a browser would run."""
        return _TYPES.get(self.plain.path.suffix, "application/octet-stream")

    def variant(self, accept_encoding: str | None) -> Variant:
        """The one that a request with this Accept-Encoding is answered with."""
        wanted = chosen_coding(accept_encoding, [each.coding for each in self.compressed if each.coding])
        return next((each for each in self.compressed if each.coding == wanted), self.plain)


@dataclass(frozen=True)
class BuiltConsole:
    """`files` by their name in the directory, such as ``sw.js`` or ``assets/index-B2x1.js``; without the page."""

    index: Variant
    files: Mapping[str, BuiltFile]

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """None where the console is not built. Hidden files are the build's own notes."""
        found = {
            path.relative_to(directory).as_posix(): path
            for path in sorted(directory.rglob("*"))
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        }
        if INDEX not in found:
            return None
        apart = {INDEX} | {f"{name}{ending}" for name in found for ending in CODINGS.values()}
        files = {name: _with_siblings(name, found) for name in found if name not in apart}
        return cls(Variant(found[INDEX]), files)


def _with_siblings(name: str, found: Mapping[str, Path]) -> BuiltFile:
    siblings = ((coding, found.get(f"{name}{ending}")) for coding, ending in CODINGS.items())
    return BuiltFile(Variant(found[name]), tuple(Variant(path, coding) for coding, path in siblings if path))


def chosen_coding(accept_encoding: str | None, offered: Sequence[str]) -> str | None:
    """Which of the codings `offered`, the best first, a request gets; None: the file as it is (RFC 9110, 12.5.3).
    That is also what a request gets which accepts nothing that there is."""
    weights = _weights(accept_encoding or "")

    def weight(coding: str) -> float:
        return weights.get(coding, weights.get("*", 0.0))

    best = max(offered, key=weight, default=None)
    if best is None or weight(best) == 0 or weight(best) < weights.get("identity", 0.0):
        return None
    return best


def _weights(accept_encoding: str) -> dict[str, float]:
    """Each coding's weight from 0 to 1; one that is malformed counts as not accepted."""
    found: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = (word.strip() for word in part.partition(";"))
        name, _, value = (word.strip() for word in parameter.partition("="))
        well_formed = not parameter or (name == "q" and _WEIGHT.fullmatch(value) is not None)
        found[coding] = float(value or 1) if well_formed else 0.0
    return found
