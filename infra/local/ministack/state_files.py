"""The state files of `durability`: one JSON file per service, in the format that MiniStack loads at start-up.

MiniStack's own writer encodes value by value in Python, which takes seconds with thousands of devices and log lines.
This writer encodes a service with one call and writes the file only if the content has changed. The modification time
of a file is the time of the last save, even if nothing had changed. Several services can be saved together: after a
kill, either all of these states are on the disk or none.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
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
        try:
            text = _encode(service, state)
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

    def save_together(self, states: Mapping[str, Any]) -> bool:
        """Save the states by service; return whether all are on the disk. A failure is logged and changes nothing."""
        try:
            texts = {service: _encode(service, state) for service, state in states.items()}
            digests = {service: hashlib.sha256(text).digest() for service, text in texts.items()}
            new, committed = _directory("new"), _directory("committed")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            for service, text in texts.items():
                if self._digests.get(service) != digests[service]:
                    (new / file_of(service).name).write_bytes(text)
            new.rename(committed)  # from here on, `finish_saving` completes it
            finish_saving()
        except (OSError, TypeError, ValueError, RuntimeError) as error:
            log.warning("could not save the services together: %s", error)
            return False
        self._digests |= digests
        return True


def finish_saving() -> None:
    """Complete the last `save_together` if it was interrupted after it had written all files. Otherwise undo it."""
    shutil.rmtree(_directory("new"), ignore_errors=True)
    committed = _directory("committed")
    if not committed.exists():
        return
    Path(STATE_DIR.resolve()).mkdir(parents=True, exist_ok=True)
    for file in committed.iterdir():
        file.replace(Path(STATE_DIR.resolve()) / file.name)
    committed.rmdir()


def _directory(kind: str) -> Path:
    return Path(f"{STATE_DIR.resolve()}.{kind}")


def _encode(service: str, state: Any) -> bytes:
    versioned = {"__ministack_format__": FORMAT.resolve()(service), "payload": state}
    return json.dumps(versioned, default=ENCODE.resolve()).encode()


def file_of(service: str) -> Path:
    return Path(STATE_DIR.resolve()) / f"{service}.json"


def _replace(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".json.tmp")
    temporary.write_bytes(text)
    temporary.replace(path)
