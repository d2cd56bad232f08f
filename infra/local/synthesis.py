"""Synthesizes the CDK app for the local deployment, and does not where nothing has changed.

The app runs in a process of its own, which ends with its Node. The assembly keeps the digest of what it was made from:
sources, pinned requirements and settings; the same digest is the same assembly.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.local.errors import DeployFailed

ROOT: Final = Path(__file__).resolve().parents[2]
_SOURCES: Final = ("infra", "lobby", "commissioner", "admin_api", "requirements")
_SUFFIXES: Final = (".py", ".txt", ".graphql", ".json", ".typed")
_APART: Final = {"local", "console", "node_modules", "__pycache__"}
"""Folders that nothing of the assembly is made from; of the console, only what is built of it goes in."""
_BUILT: Final = Path("admin_api/console/dist")
_DIGEST: Final = ".made-from"


def synthesize(out: Path, context: Mapping[str, Any]) -> bool:
    """An up-to-date assembly for `context` in `out`; False where it was there. Raises `DeployFailed` BAD_ASSEMBLY."""
    digest = digest_of(context)
    if (out / _DIGEST).exists() and (out / _DIGEST).read_text() == digest and (out / "manifest.json").exists():
        return False
    (out / _DIGEST).unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra.local.synthesis", str(out), json.dumps(dict(context))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeployFailed("BAD_ASSEMBLY", f"the CDK app failed:\n{done.stderr[-3000:]}")
    (out / _DIGEST).write_text(digest)
    return True


def digest_of(context: Mapping[str, Any], root: Path = ROOT) -> str:
    """Of all that an assembly for `context` is made from, the project's files in `root` included."""
    digest = hashlib.sha256(json.dumps(dict(context), sort_keys=True).encode() + sys.version.encode())
    for path in _files(root):
        digest.update(f"\n{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    yield root / "cdk.json"
    for source in _SOURCES:
        for folder, folders, names in os.walk(root / source):
            folders[:] = sorted(set(folders) - _APART)
            yield from (path for name in sorted(names) if (path := Path(folder, name)).suffix in _SUFFIXES)
    yield from sorted(path for path in (root / _BUILT).rglob("*") if path.is_file())


def main() -> None:
    """In the process of its own: `OUT CONTEXT`, the latter as JSON."""
    from infra.app import synthesize as build  # noqa: PLC0415  # brings Node up: only here
    from infra.settings import Settings  # noqa: PLC0415

    out, context = sys.argv[1:]
    build(Settings.from_context(json.loads(context).get), Path(out))


if __name__ == "__main__":
    main()
