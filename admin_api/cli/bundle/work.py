"""The folder next to an unfinished bundle. It holds the key of the claim certificate and the request for it.

The lobby returns the same certificate for the same request. If a command is interrupted, a repeated command therefore
continues with the same certificate. Otherwise the first certificate would stay active without a bundle. Only its owner
can read the folder. It is removed when the bundle is complete.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from admin_api.cli.bundle import claim_keys
from admin_api.cli.errors import usage_error

_KEY: Final = "claim.key.pem"
_REQUEST: Final = ".request.pem"


class BundleWork:
    """The work on the bundle `out`. Raise `InvalidInput` FILE_EXISTS if `out` exists, because no other file has its
    key."""

    def __init__(self, out: Path) -> None:
        if out.exists():
            raise usage_error(
                f"got {out}, which exists, want a new file: it may be the only copy of its key", "FILE_EXISTS"
            )
        self._out, self.folder = out, out.with_name(f"{out.name}.part")
        self.resumed = self.folder.exists()

    def key(self) -> Path:
        """Return the key file. Create the key if it does not exist."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        key, new = self.folder / _KEY, self.folder / f"{_KEY}.new"
        if not key.exists():
            new.unlink(missing_ok=True)
            claim_keys.key_in(new)
            self._keep(new, key)
        return key

    def request(self, source: str, create: Callable[[], str]) -> str:
        """Return the request that an earlier run has stored, or store a new one. Raise `InvalidInput` WRONG_USE if an
        earlier run has sent a request for another source."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / f"{source}{_REQUEST}"
        others = [each.name.removesuffix(_REQUEST) for each in self.folder.glob(f"*{_REQUEST}") if each != file]
        if others:
            raise usage_error(f"got source {source}, want {others[0]}, as in the earlier run ({self.folder})")
        if not file.exists():
            self._write(file, create().encode())
        return file.read_text()

    def finish(self, content: bytes) -> None:
        """Write the bundle, readable by its owner only, and remove the folder."""
        self._write(self._out, content)
        shutil.rmtree(self.folder)

    def _write(self, path: Path, content: bytes) -> None:
        new = self.folder / f"{path.name}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        self._keep(new, path)

    def _keep(self, new: Path, path: Path) -> None:
        new.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
