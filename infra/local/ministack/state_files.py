"""The state files of `durability`: one JSON file per service, in the format that MiniStack loads at start-up.

MiniStack's own writer encodes value by value in Python, which takes seconds with thousands of devices and log lines.
This one encodes a service with one call and writes the file only if the content has changed. The modification time of
a file is the time of the last save, also if nothing had changed.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_MODULE: Final = "ministack.core.persistence"
ENCODE: Final = PatchPoint(_MODULE, "_json_default", ("obj",))
FORMAT: Final = PatchPoint(_MODULE, "_state_format_version", ("service",))
STATE_DIR: Final = PatchPoint(_MODULE, "STATE_DIR")
PATCH_POINTS: Final = (ENCODE, FORMAT, STATE_DIR)
log = logging.getLogger("local.state_files")


class StateWriter:
    """Writes state files and remembers the digest of each."""

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}

    def save(self, service: str, state: Any) -> bool:
        """Return whether the state is on the disk. A failure is logged; the next save tries again."""
        versioned = {"__ministack_format__": FORMAT.resolve()(service), "payload": state}
        try:
            text = json.dumps(versioned, default=ENCODE.resolve()).encode()
            digest = hashlib.sha256(text).digest()
            if self._digests.get(service) == digest:
                file_of(service).touch()
            else:
                _replace(file_of(service), text)
                self._digests[service] = digest
        except (OSError, TypeError, ValueError, RuntimeError) as error:
            log.warning("could not save %s: %s", service, error)
            return False
        return True


def file_of(service: str) -> Path:
    return Path(STATE_DIR.resolve()) / f"{service}.json"


def _replace(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".json.tmp")
    temporary.write_bytes(text)
    temporary.replace(path)
