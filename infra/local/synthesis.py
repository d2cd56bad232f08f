"""Synthesizes the CDK app for the local deployment, unless nothing has changed.

The app runs in its own process, because it starts Node. The assembly's folder contains a digest of its inputs: sources,
pinned requirements and settings. If the digest has not changed, the existing assembly is used.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.bundling import earlier_console
from infra.local.errors import DeployFailed
from lobby import strict_json
from lobby.deployment import NAMES

ROOT: Final = Path(__file__).resolve().parents[2]
_SOURCES: Final = ("infra", "lobby", "commissioner", "admin_api", "requirements")
_SUFFIXES: Final = (".py", ".txt", ".graphql", ".json", ".typed", ".yaml")
_EXCLUDED: Final = {"local", "console", "node_modules", "__pycache__"}
"""Folders that are not inputs of the assembly. Only the built files of the console are inputs."""
_CONSOLE: Final = (earlier_console.BUILD, earlier_console.DIRECTORY)
_DIGEST: Final = ".made-from"


def synthesize(out: Path, context: Mapping[str, Any]) -> bool:
    """Write the assembly for `context` to `out`, or return False if it is up to date. Raise `DeployFailed`
    BAD_ASSEMBLY."""
    digest = digest_of(context)
    if (out / _DIGEST).exists() and (out / _DIGEST).read_text() == digest and (out / "manifest.json").exists():
        return False
    (out / _DIGEST).unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra.local.synthesis", str(out), json.dumps(dict(context))]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise DeployFailed("BAD_ASSEMBLY", f"the CDK app failed:\n{process.stderr[-3000:]}")
    (out / _DIGEST).write_text(digest)
    return True


def digest_of(context: Mapping[str, Any], root: Path = ROOT) -> str:
    """Return the digest of all inputs of the assembly for `context`: settings, Python version, and files in `root`."""
    settings = json.dumps({"prefix": NAMES.prefix, **context}, sort_keys=True)
    digest = hashlib.sha256(settings.encode() + sys.version.encode())
    for path in _files(root):
        digest.update(f"\n{path.relative_to(root)}\n".encode() + path.read_bytes())
    for path in sorted(Path(context["profiles"]).iterdir()) if context.get("profiles") else ():
        digest.update(f"\n{path.name}\n".encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    yield root / "cdk.json"
    for source in _SOURCES:
        for folder, folders, names in os.walk(root / source):
            folders[:] = sorted(set(folders) - _EXCLUDED)
            yield from (path for name in sorted(names) if (path := Path(folder, name)).suffix in _SUFFIXES)
    for folder in _CONSOLE:
        yield from sorted(path for path in (root / folder).rglob("*") if path.is_file())


def main() -> None:
    """Run the CDK app. Arguments: `OUT CONTEXT`, the context as JSON."""
    from infra.app import synthesize as build  # noqa: PLC0415  # the import starts Node
    from infra.settings import Settings  # noqa: PLC0415

    out, context = sys.argv[1:]
    build(Settings.from_context(strict_json.loads(context).get), Path(out))


if __name__ == "__main__":
    main()
