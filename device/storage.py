"""The route on disk. It survives a power cut at any time, and a torn or edited file is detected.

A new route is written to a temporary file, flushed, and renamed over the old one (rename(2) is atomic); then the
folder is flushed. A reader gets either the old or the new route. A file that fails its checksum or does not parse is
renamed to ``route.json.bad`` and counts as no route. Disk failures are raised as `OSError`; the client handles them and
continues without a disk: it gets its route from the lobby at each start.
"""

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from device.disk import Calls, Disk
from device.errors import StateDirError
from device.lobby_store import LobbyStore
from device.sealed_files import load, sealed, unsealed
from lobby.errors import InvalidInput
from lobby.wire import Route, parse_message

_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class LoadedRoute:
    """The content of the disk. `error` states why an existing file gives no route."""

    route: Route | None = None
    error: str = ""


class Storage:
    """The route of one device in one folder. `calls` are the system calls to use."""

    def __init__(self, folder: Path, calls: Calls = os) -> None:
        self.folder = folder
        self.route_file = folder / "route.json"
        self.reset_file = folder / "reset"
        self.code_file = folder / "presence-code"
        self._new_code_file = folder / "presence-code.new"
        self._new_route_file = folder / "route.json.new"
        self._bad_route_file = folder / "route.json.bad"
        self._disk = Disk(calls)
        self.lobby = LobbyStore(folder, calls)

    def load(self) -> LoadedRoute:
        """Return the stored route. Never raise: the device must start with any content of the disk."""
        return LoadedRoute(*load(self._disk, self.route_file, _MAX_BYTES, _decode))

    def store(self, route: Route) -> None:
        """Replace the stored route atomically."""
        self._disk.make_folder(self.folder)
        self._disk.write(self._new_route_file, sealed("route", asdict(route)))
        self._disk.rename(self._new_route_file, self.route_file)
        self._disk.flush_folder(self.folder)

    def forget(self) -> None:
        """Remove the route, and its leftover files where possible, because they may contain secrets.

        The reset request is removed last, after the folder was flushed. Removals can reach the disk in any order, and a
        request that disappears before the route would not be carried out.
        """
        self._disk.make_folder(self.folder)
        self._disk.clear(self.route_file)
        for leftover in (self._new_route_file, self._bad_route_file):
            with suppress(OSError):
                self._disk.clear(leftover)
        self._disk.flush_folder(self.folder)
        if self._disk.exists(self.reset_file):
            self._disk.clear(self.reset_file)
            self._disk.flush_folder(self.folder)

    def show_code(self, code: str | None) -> None:
        """Write the presence code as one line to its own file, atomically, for the display driver. None removes it."""
        self._disk.make_folder(self.folder)
        if code is None:
            self._disk.clear(self.code_file)
        else:
            self._disk.write(self._new_code_file, f"{code}\n".encode())
            self._disk.rename(self._new_code_file, self.code_file)
        self._disk.flush_folder(self.folder)

    def request_reset(self) -> None:
        """Store a reset request. The running client carries it out, or the next one at its start."""
        self._disk.make_folder(self.folder)
        self._disk.write(self.reset_file, b"")
        self._disk.flush_folder(self.folder)

    def reset_requested(self) -> bool:
        return self._disk.exists(self.reset_file)


def lock(folder: Path) -> int:
    """Create the folder and lock it until the process ends. Raise `StateDirError`.

    Two clients with one identity would disconnect each other endlessly. The folder itself is locked, not a file in it,
    so that a read-only folder can also be locked.
    """
    try:
        Disk().make_folder(folder)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StateDirError("STATE_DIR_UNUSABLE", f"got {folder} ({error.strerror}), want a writable folder") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StateDirError("STATE_DIR_IN_USE", f"got {folder}, which another running client has locked") from error
    except OSError as error:
        os.close(handle)
        raise StateDirError("STATE_DIR_UNUSABLE", f"got {folder} ({error.strerror}), want a lockable folder") from error
    return handle


def _decode(content: bytes) -> Route:
    """Return the route in the content of a file. Raise `ValueError` if the content is not a stored route."""
    try:
        message = parse_message(json.dumps(unsealed("route", content)).encode())
    except InvalidInput as error:
        raise ValueError(error.message) from None
    if not isinstance(message, Route):
        raise ValueError("got a reset, want a route")  # noqa: TRY004 - wrong content, not a wrong type in the code
    return message
