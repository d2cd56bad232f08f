"""The file that names the certificates of a device that renews. `renewal_store` writes it.

It is also read for the identity of a provisioned device, because the key of a replaced certificate is removed.
"""

from pathlib import Path
from typing import Any, Final

from device.disk import Disk
from device.errors import NotAFileError
from device.machine.renewal_events import NewHeld
from device.sealed_files import unsealed
from lobby.errors import InvalidInput

RENEWAL_FILE: Final = "renewal.json"
UNUSABLE: Final = (
    FileNotFoundError,
    NotADirectoryError,
    NotAFileError,
    ValueError,
    KeyError,
    TypeError,
    InvalidInput,
)
"""The errors from reading a missing or damaged file."""
_FIELDS: Final = ("configured", "used", "new", "key", "former")
_MAX_BYTES: Final = 1024 * 1024


def read_state(folder: Path, disk: Disk) -> dict[str, Any] | None:
    """Return the content of the file, with the new certificate as `NewHeld`; None if there is none, or it is damaged.
    Raise `OSError` if it cannot be read now."""
    try:
        body = unsealed("renewal", disk.read(folder / RENEWAL_FILE, _MAX_BYTES))
        state = {name: body[name] for name in _FIELDS}
        state["new"] = NewHeld(**state["new"]) if state["new"] else None
    except UNUSABLE:
        return None
    return state


def has_replaced(folder: Path, disk: Disk, certificate: str) -> bool:
    """Return whether the device has renewed this certificate of its settings. Raise `OSError` as `read_state`."""
    state = read_state(folder, disk)
    return state is not None and state["configured"] == certificate and state["used"] is not None
