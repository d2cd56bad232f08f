"""The built console (Vite's `dist`): its files, their media types and their content codings.

The directory is listed once. Only names in that list are served, so no path can leave the directory. The hashed files
of the previous build are also served, for pages that were opened before the deployment. A file is read at its first
use. Starlette's StaticFiles is not used. Its ETag depends on date and size, and in a bundle all dates are equal, so a
browser would keep an old service worker. It also does not serve precompressed files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

DIST: Final = Path(__file__).parents[1] / "console" / "dist"
EARLIER: Final = DIST.with_name("earlier")
"""The files of the previous build, which a deployment keeps (`infra.bundling.earlier_console`)."""
INDEX: Final = "index.html"
NONCE: Final = b"__CSP_NONCE__"
"""The placeholder in the built page that the server replaces."""
CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""The content codings that the build produces, best first, with the suffixes of their files."""
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
"""`mimetypes` is not used: it depends on the Python version and on /etc/mime.types."""
_WEIGHT: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True)
class Variant:
    """A file, uncompressed (`coding` is None) or in one of the `CODINGS`."""

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
    """A served file. `compressed` is in the order of `CODINGS`."""

    plain: Variant
    compressed: tuple[Variant, ...] = ()

    @property
    def media_type(self) -> str:
        """The media type. For an unknown suffix it is a type that browsers do not execute."""
        return _TYPES.get(self.plain.path.suffix, "application/octet-stream")

    def variant(self, accept_encoding: str | None) -> Variant:
        """Return the variant for a request with this Accept-Encoding."""
        coding = chosen_coding(accept_encoding, [each.coding for each in self.compressed if each.coding])
        return next((each for each in self.compressed if each.coding == coding), self.plain)


@dataclass(frozen=True)
class BuiltConsole:
    """`files` by their path in the directory, such as `sw.js` or `assets/index-B2x1.js`, without the page."""

    index: Variant
    files: Mapping[str, BuiltFile]

    @classmethod
    def read(cls, directory: Path, earlier: Path | None = None) -> Self | None:
        """Return None if the console is not built. `earlier` is the previous build, with the same layout. Its files in
        `assets` are also served if `directory` does not have them."""
        paths = _paths(directory)
        if INDEX not in paths:
            return None
        kept = {name: path for name, path in _paths(earlier).items() if name.startswith("assets/")} if earlier else {}
        return cls(Variant(paths[INDEX]), _files(kept) | _files(paths))


def _paths(directory: Path) -> dict[str, Path]:
    """Return the files by their relative path. Hidden files, which the build writes for itself, are skipped."""
    return {
        path.relative_to(directory).as_posix(): path
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    }


def _files(paths: Mapping[str, Path]) -> dict[str, BuiltFile]:
    not_served = {INDEX} | {f"{name}{suffix}" for name in paths for suffix in CODINGS.values()}
    return {name: _built_file(name, paths) for name in paths if name not in not_served}


def _built_file(name: str, paths: Mapping[str, Path]) -> BuiltFile:
    compressed = ((coding, paths.get(f"{name}{suffix}")) for coding, suffix in CODINGS.items())
    return BuiltFile(Variant(paths[name]), tuple(Variant(path, coding) for coding, path in compressed if path))


def chosen_coding(accept_encoding: str | None, offered: Sequence[str]) -> str | None:
    """Return the coding of the response, one of `offered` (best first). Return None for the uncompressed file, also if
    the request accepts none of the available codings (RFC 9110, section 12.5.3)."""
    weights = _weights(accept_encoding or "")

    def weight(coding: str) -> float:
        return weights.get(coding, weights.get("*", 0.0))

    best = max(offered, key=weight, default=None)
    if best is None or weight(best) == 0 or weight(best) < weights.get("identity", 0.0):
        return None
    return best


def _weights(accept_encoding: str) -> dict[str, float]:
    """Return the weight of each coding, from 0 to 1. A malformed coding counts as not accepted."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = (word.strip() for word in part.partition(";"))
        name, _, value = (word.strip() for word in parameter.partition("="))
        well_formed = not parameter or (name == "q" and _WEIGHT.fullmatch(value) is not None)
        weights[coding] = float(value or 1) if well_formed else 0.0
    return weights
