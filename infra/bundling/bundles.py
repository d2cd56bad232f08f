"""The code of the Lambdas as zip files: this project's packages, their pinned dependencies and byte code, built without
Docker.

One bundle per set of dependencies. Its file name contains the hash of all inputs, so a bundle is built once and then
read from `.local/bundles` without a network. The same inputs give the same bytes. Packages come from the index that pip
or uv is configured for. Every dependency must have a wheel for the platform: none is built from source.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from infra.bundling import bundle_files, bytecode, earlier_console
from infra.bundling.bytecode import Interpreter
from infra.errors import BundleFailed

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = ROOT / ".local" / "bundles"
LAMBDA_PYTHON: Final = "3.13"
_FORMAT: Final = "5"
"""Increase this number when this module changes the content of bundles."""
SDK_PACKAGES: Final = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})
"""The AWS SDK and its dependencies. Lambda's runtimes also include them, but AWS changes their versions without notice,
and PynamoDB uses private names of botocore. The emulator's Lambdas use those of this environment."""
SDK_SERVICES: Final = frozenset(
    {"dynamodb", "events", "iot", "iot-data", "kms", "lambda", "s3", "sns", "sqs", "ssm", "sts"}
)
"""The services whose models are kept, because the models of all services take 30 MB."""
MAX_UNZIPPED: Final = 250 * 1024 * 1024
"""Bytes: Lambda's quota "Deployment package size", unzipped, with layers."""
_MAX_CACHED: Final = 3
_EXCLUDED: Final = re.compile(
    r"^\.lock$|(^|/)(__pycache__|tests?|bin)/|\.(pyc|pyi|pyx|pxd|c|h)$"
    r"|\.dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL|direct_url\.json|uv_cache\.json|sboms/.*|licenses/.*)$"
)
_BLOCK: Final = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[.*?\])?==.*(\n[ \t]+.*)*", re.MULTILINE | re.IGNORECASE)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Platform:
    """Where a bundle runs: the Python version, the machine name as in uname, and whether it is this machine."""

    python: str
    machine: str
    local: bool = False

    def __str__(self) -> str:
        return f"{'local-' if self.local else ''}{self.python}-{self.machine}"


AWS: Final = Platform(LAMBDA_PYTHON, "aarch64")


def this_machine() -> Platform:
    return Platform(f"{sys.version_info.major}.{sys.version_info.minor}", os.uname().machine, local=True)


@dataclass(frozen=True)
class Bundle:
    """The code of a set of Lambdas: our packages and the requirements file of the same name."""

    name: str
    packages: tuple[str, ...]
    static: tuple[str, ...] = ()
    """Directories of built pages to include, if they exist."""
    kept: tuple[str, ...] = ()
    """Directories of files of earlier pages to include, if they exist."""
    excluded: tuple[str, ...] = ()
    """Directories of the packages that the Lambda does not run."""

    @property
    def requirements(self) -> Path:
        return ROOT / "requirements" / f"{self.name}.txt"


BOUNCER: Final = Bundle("bouncer", ("lobby", "commissioner"))
"""With `cryptography`, for the Lambdas that read certificates: the doors, and the Lambdas that check CAs and revocation
lists."""
CORE: Final = Bundle("core", ("lobby", "commissioner"))
ADMIN_API: Final = Bundle(
    "admin_api",
    ("lobby", "admin_api"),
    static=(earlier_console.BUILD,),
    kept=(earlier_console.DIRECTORY,),
    excluded=("admin_api/cli", "admin_api/console"),
)


@dataclass(frozen=True)
class Built:
    """A bundle's zip file, and the SHA-256 of its inputs."""

    path: Path
    sha256: str


def build(
    bundle: Bundle, platform: Platform, cache: Path | None = None, added: Mapping[str, bytes] = MappingProxyType({})
) -> Built:
    """Return the bundle from `cache` (by default `CACHE`), building it if necessary. `added` are further files by their
    name in the bundle. Raise `BundleFailed`."""
    cache = cache or CACHE
    own_files = bundle_files.read(ROOT, bundle.packages, (*bundle.static, *bundle.kept), bundle.excluded) | dict(added)
    interpreter = bytecode.find_interpreter(platform.python)
    digest = _digest(bundle, platform, interpreter, own_files)
    archive = cache / f"{bundle.name}-{platform}-{digest[:32]}.zip"
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            partial = Path(work) / archive.name
            shutil.copyfile(_dependencies(bundle, platform, interpreter, cache), partial)
            _add(partial, own_files, interpreter)
            _require_size(bundle, partial)
            partial.replace(archive)
        _prune(cache, f"{bundle.name}-{platform}-")
    return Built(archive, digest)


def _dependencies(bundle: Bundle, platform: Platform, interpreter: Interpreter | None, cache: Path) -> Path:
    """Return the installed dependencies as a zip file, cached separately because they change less often than our
    code."""
    digest = _digest(bundle, platform, interpreter, {})
    archive = cache / f"dependencies-of-{bundle.name}-{platform}-{digest[:32]}.zip"
    if not archive.exists():
        with tempfile.TemporaryDirectory(dir=cache) as work:
            installed = Path(work) / "installed"
            _install(bundle, platform, installed)
            paths = {path.relative_to(installed).as_posix(): path for path in installed.rglob("*") if path.is_file()}
            partial = Path(work) / archive.name
            files = {name: path.read_bytes() for name, path in paths.items() if is_kept(name)}
            _add(partial, files, interpreter)
            partial.replace(archive)
        _prune(cache, f"dependencies-of-{bundle.name}-{platform}-")
    return archive


def _prune(cache: Path, prefix: str) -> None:
    """Delete all but the newest archives with `prefix`. Several stay, because another process may read one."""
    dated = sorted(((path.stat().st_mtime, path) for path in cache.glob(f"{prefix}*.zip")), reverse=True)
    for _, path in dated[_MAX_CACHED:]:
        path.unlink(missing_ok=True)


def _digest(bundle: Bundle, platform: Platform, interpreter: Interpreter | None, own_files: Mapping[str, bytes]) -> str:
    inputs = f"{_FORMAT}\n{platform}\nbyte code: {interpreter}\n{kept_requirements(bundle, platform)}"
    digest = hashlib.sha256(inputs.encode())
    for name, content in sorted(own_files.items()):
        digest.update(f"\n{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


def kept_requirements(bundle: Bundle, platform: Platform) -> str:
    """Return the bundle's hashed requirements, without the SDK if the bundle is for this machine. Pip checks the
    hashes."""
    text, omitted = bundle.requirements.read_text(), SDK_PACKAGES if platform.local else frozenset()
    kept = (match[0] for match in _BLOCK.finditer(text) if match["name"].lower() not in omitted)
    return "\n".join(kept) + "\n"


def is_kept(name: str) -> bool:
    """Return whether a file of the dependencies is needed in Lambda. `name` is its path in the bundle."""
    parts = name.split("/")
    is_model = parts[:2] == ["botocore", "data"] and len(parts) > 3
    if is_model and (parts[2] not in SDK_SERVICES or parts[-1].startswith("examples-")):
        return False
    return _EXCLUDED.search(name) is None


def require_page(bundle: Bundle) -> None:
    """Raise `BundleFailed` NOT_BUILT if the bundle's page does not exist."""
    for folder in bundle.static:
        if not (ROOT / folder / "index.html").is_file():
            raise BundleFailed(
                "NOT_BUILT",
                f"got no {folder}/index.html, want the built console (./deploy.sh builds it), or -c console=false",
            )


def _require_size(bundle: Bundle, archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        size = sum(entry.file_size for entry in opened.infolist())
    if size > MAX_UNZIPPED:
        raise BundleFailed(
            "BUNDLE_TOO_LARGE", f"got {bundle.name} of {size} bytes unzipped, want at most {MAX_UNZIPPED}"
        )


def _install(bundle: Bundle, platform: Platform, directory: Path) -> None:
    requirements = directory.with_name("requirements.txt")
    requirements.write_text(kept_requirements(bundle, platform))
    command = [*_installer(platform), "--target", str(directory), "--no-deps", "--require-hashes"]
    result = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if result.returncode:
        output = (result.stderr or result.stdout).strip()
        raise BundleFailed("INSTALL_FAILED", f"{bundle.name} for {platform}: output of {command[0]}:\n{output}")


def _installer(platform: Platform) -> list[str]:
    if importlib.util.find_spec("pip"):
        tags = [f"manylinux{tag}_{platform.machine}" for tag in ("_2_34", "_2_28", "2014")]
        cross_options = [option for tag in tags for option in ("--platform", tag)]
        cross_options += ["--implementation", "cp", "--python-version", platform.python]
        return [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--only-binary=:all:",
            *([] if platform.local else cross_options),
        ]
    uv = shutil.which("uv")
    if uv is None:
        raise BundleFailed("NO_INSTALLER", f"got neither pip in {sys.executable} nor uv in PATH, want one of them")
    command = [uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", sys.executable]
    if platform.local:
        return command
    return [*command, "--python-platform", f"{platform.machine}-manylinux_2_34", "--python-version", platform.python]


def _add(archive: Path, files: Mapping[str, bytes], interpreter: Interpreter | None) -> None:
    """Add `files` and their byte code. The same files give the same bytes: they are sorted and have a fixed date and
    mode."""
    compiled = bytecode.compile_files(interpreter, files) if interpreter else {}
    with zipfile.ZipFile(archive, "a") as opened:
        for name, content in sorted({**files, **compiled}.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o100644 << 16
            opened.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
