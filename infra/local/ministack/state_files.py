"""One service's state, written to the file that the emulator reads it from when it starts.

The emulator's own writer encodes value by value in Python: with thousands of devices and log lines that takes
seconds, and by as much the disk is behind. This one encodes at once, and writes only what is not on the disk already;
a file's time tells when its state was last looked at.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any, Final

from infra.local.ministack.patch_points import Seam

_MODULE: Final = "ministack.core.persistence"
ENCODED: Final = Seam(_MODULE, "_json_default", ("obj",))
FORMAT: Final = Seam(_MODULE, "_state_format_version", ("service",))
STATE_DIR: Final = Seam(_MODULE, "STATE_DIR")
SEAMS: Final = (ENCODED, FORMAT, STATE_DIR)
log = logging.getLogger("local.saving")


class Saver:
    """Knows what it wrote."""

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}

    def save(self, service: str, state: Any) -> bool:
        """Whether the state is on the disk now. What keeps it off is logged; the next save tries again."""
        versioned = {"__ministack_format__": FORMAT.found()(service), "payload": state}
        try:
            text = json.dumps(versioned, default=ENCODED.found()).encode()
            print_of_it = hashlib.sha256(text).digest()
            if self._written.get(service) == print_of_it:
                file_of(service).touch()
            else:
                _replace(file_of(service), text)
                self._written[service] = print_of_it
        except (OSError, TypeError, ValueError, RuntimeError) as error:
            log.warning("%s is not saved: %s", service, error)
            return False
        return True


def file_of(service: str) -> Path:
    return Path(STATE_DIR.found()) / f"{service}.json"


def _replace(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".json.tmp")
    beside.write_bytes(text)
    beside.replace(path)
