"""The code of the Lambdas as zip files: our packages and their pinned, hashed dependencies, built without Docker.

One bundle per set of dependencies. A bundle's name carries the hash of all that goes into it, so it is built once and
taken from `.local/bundles` ever after, without network; the same input gives the same bytes. The index that pip or uv
is set up for is used; none is named here. Refuses to build from source: every dependency must have a wheel for the
place where it will run.
"""

import hashlib
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import bundle_files
from infra.errors import BundleFailed

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".local" / "bundles"
LAMBDA_PYTHON: Final = "3.13"
_LAYOUT: Final = "3"
"""Raise it when what this module writes into a bundle changes."""
SHIPPED: Final = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})
"""What Lambda's Python runtimes bring (developer guide, "Runtime dependencies in Python")."""
_KEPT: Final = 3
_DEAD: Final = re.compile(
    r"^\.lock$|(^|/)(__pycache__|tests?|bin)/|\.(pyc|pyi|pyx|pxd|c|h)$"
    r"|\.dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL|direct_url\.json|uv_cache\.json|sboms/.*|licenses/.*)$"
)
_BLOCK: Final = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[.*?\])?==.*(\n[ \t]+.*)*", re.MULTILINE | re.IGNORECASE)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Platform:
    """Where a bundle runs: the Python version, the machine as uname says it, and whether that is this very machine."""

    python: str
    machine: str
    local: bool = False

    def __str__(self) -> str:
        return f"{'local-' if self.local else ''}{self.python}-{self.machine}"


AWS: Final = Platform(LAMBDA_PYTHON, "aarch64")


def this_machine() -> Platform:
    return Platform(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine(), local=True)


@dataclass(frozen=True)
class Bundle:
    """A set of Lambdas' code: the file in `requirements/` and our packages."""

    name: str
    packages: tuple[str, ...]
    static: tuple[str, ...] = ()
    """Directories whose files go along, where they exist: built pages, to be answered with."""
    apart: tuple[str, ...] = ()
    """Directories of the packages that the Lambda does not run."""

    @property
    def requirements(self) -> Path:
        return ROOT / "requirements" / f"{self.name}.txt"


BOUNCER: Final = Bundle("bouncer", ("lobby",))
CORE: Final = Bundle("core", ("lobby", "commissioner"))
ADMIN_API: Final = Bundle(
    "admin_api", ("lobby", "admin_api"), ("admin_api/console/dist",), ("admin_api/cli", "admin_api/console")
)


@dataclass(frozen=True)
class Built:
    """A bundle's zip file, and the SHA-256 of everything that it is made of."""

    path: Path
    sha256: str


def build(bundle: Bundle, where: Platform, cache: Path | None = None) -> Built:
    """The bundle, from `cache` (or `CACHE`) if it is there. Raises `BundleFailed`."""
    cache = cache or CACHE
    ours = bundle_files.read(ROOT, bundle.packages, bundle.static, bundle.apart)
    digest = _digest(bundle, where, ours)
    made = Built(cache / f"{bundle.name}-{where}-{digest[:32]}.zip", digest)
    if not made.path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            partial = Path(work) / made.path.name
            shutil.copyfile(_dependencies(bundle, where, cache), partial)
            _add(partial, ours)
            partial.replace(made.path)
        _forget(cache, f"{bundle.name}-{where}-")
    return made


def _dependencies(bundle: Bundle, where: Platform, cache: Path) -> Path:
    """The installed packages as a zip file: they change seldom, our code often."""
    digest = _digest(bundle, where, {})
    made = cache / f"dependencies-of-{bundle.name}-{where}-{digest[:32]}.zip"
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=cache) as work:
            installed = Path(work) / "installed"
            _install(bundle, where, installed)
            files = {path.relative_to(installed).as_posix(): path for path in installed.rglob("*") if path.is_file()}
            partial = Path(work) / made.name
            _add(partial, {name: path.read_bytes() for name, path in files.items() if not _DEAD.search(name)})
            partial.replace(made)
        _forget(cache, f"dependencies-of-{bundle.name}-{where}-")
    return made


def _forget(cache: Path, prefix: str) -> None:
    """Keep the last few of a kind: another process may be about to read one that is no longer the newest."""
    dated = sorted(((path.stat().st_mtime, path) for path in cache.glob(f"{prefix}*.zip")), reverse=True)
    for _, path in dated[_KEPT:]:
        path.unlink(missing_ok=True)


def _digest(bundle: Bundle, where: Platform, ours: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(f"{_LAYOUT}\n{where}\n{kept_requirements(bundle)}".encode())
    for name, content in sorted(ours.items()):
        digest.update(f"\n{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


def kept_requirements(bundle: Bundle) -> str:
    """The bundle's hashed requirements without what the runtime has. Pip checks the hashes of the rest."""
    text = bundle.requirements.read_text()
    return "\n".join(match[0] for match in _BLOCK.finditer(text) if match["name"].lower() not in SHIPPED) + "\n"


def require_page(bundle: Bundle) -> None:
    """Raises `BundleFailed` NOT_BUILT where the bundle's page is not there to go along."""
    for folder in bundle.static:
        if not (ROOT / folder / "index.html").is_file():
            raise BundleFailed(
                "NOT_BUILT",
                f"got no {folder}/index.html, want the built console (./deploy.sh builds it), or -c console=false",
            )


def _install(bundle: Bundle, where: Platform, into: Path) -> None:
    wanted = into.with_name("requirements.txt")
    wanted.write_text(kept_requirements(bundle))
    command = [*_installer(where), "--target", str(into), "--no-deps", "--require-hashes", "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise BundleFailed("INSTALL_FAILED", f"{bundle.name} for {where}: {command[0]} said:\n{said}")


def _installer(where: Platform) -> list[str]:
    if importlib.util.find_spec("pip"):
        platforms = [f"manylinux{tag}_{where.machine}" for tag in ("_2_34", "_2_28", "2014")]
        foreign = [word for tag in platforms for word in ("--platform", tag)]
        foreign += ["--implementation", "cp", "--python-version", where.python]
        return [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--only-binary=:all:",
            *([] if where.local else foreign),
        ]
    uv = shutil.which("uv")
    if uv is None:
        raise BundleFailed("NO_INSTALLER", f"got neither pip in {sys.executable} nor uv in PATH, want one of them")
    here = ["--python", sys.executable]
    foreign = ["--python-platform", f"{where.machine}-manylinux_2_34", "--python-version", where.python]
    return [uv, "pip", "install", "--quiet", "--only-binary", ":all:", *here, *([] if where.local else foreign)]


def _add(archive: Path, files: Mapping[str, bytes]) -> None:
    """The same bytes for the same files: sorted, undated, of one mode."""
    with zipfile.ZipFile(archive, "a") as opened:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o100644 << 16
            opened.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
