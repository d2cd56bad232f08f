"""The route on disk: survives a power cut at any moment, and notices when it was torn or edited.

A new route is written beside the old one, flushed, and renamed over it (rename(2) is atomic), then the folder is
flushed: whoever reads finds the old route or the new one. A file that fails its checksum or does not parse is set
aside as ``route.json.bad`` and counts as no route. Faults of the disk are raised as `OSError`, for the client to
outlive: it runs with no disk at all, and asks the lobby at each start.
"""

import fcntl
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from device.disk import Calls, Disk, NotAFileError
from device.errors import StateFault
from lobby.errors import InvalidInput
from lobby.wire import Route, parse_message

_FORMAT: Final = 1
_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Loaded:
    """What was on disk. `fault` says why there is no route although there was something."""

    route: Route | None = None
    fault: str = ""


class Storage:
    """The route of one device, in one folder. `calls` are those of the system, or a test's."""

    def __init__(self, folder: Path, calls: Calls = os) -> None:
        self.folder = folder
        self.route_file = folder / "route.json"
        self.reset_mark = folder / "reset"
        self.code_file = folder / "presence-code"
        self._new_code = folder / "presence-code.new"
        self._new = folder / "route.json.new"
        self._bad = folder / "route.json.bad"
        self._disk = Disk(calls)

    def load(self) -> Loaded:
        """The stored route, if there is a sound one. Never raises: a device must start whatever the disk says."""
        try:
            return Loaded(_decode(self._disk.read(self.route_file, _MAX_BYTES)))
        except FileNotFoundError:
            return Loaded()
        except NotAFileError as error:
            return Loaded(fault=f"{error}{self._set_aside()}")
        except OSError as error:
            return Loaded(fault=f"{self.route_file}: {error.strerror or error}")
        except ValueError as error:
            return Loaded(fault=f"{self.route_file}: {error}{self._set_aside()}")

    def store(self, route: Route) -> None:
        self._disk.make_folder(self.folder)
        self._disk.write(self._new, _encode(route))
        self._disk.rename(self._new, self.route_file)
        self._disk.flush_folder(self.folder)

    def forget(self) -> None:
        """No route, nor, where they can be removed, the leftovers of one, which may hold secrets. The wish for a reset
        goes last, and by itself: removals reach the platter in any order, and a wish that is gone before the route is
        never fulfilled."""
        self._disk.make_folder(self.folder)
        self._disk.clear(self.route_file)
        for leftover in (self._new, self._bad):
            with suppress(OSError):
                self._disk.clear(leftover)
        self._disk.flush_folder(self.folder)
        if self._disk.exists(self.reset_mark):
            self._disk.clear(self.reset_mark)
            self._disk.flush_folder(self.folder)

    def show(self, code: str | None) -> None:
        """The code as a line in a file by itself, for whatever drives the display: it is whole, or not there."""
        self._disk.make_folder(self.folder)
        if code is None:
            self._disk.clear(self.code_file)
        else:
            self._disk.write(self._new_code, f"{code}\n".encode())
            self._disk.rename(self._new_code, self.code_file)
        self._disk.flush_folder(self.folder)

    def ask_reset(self) -> None:
        """A wish that the running client, or else the next one, fulfils."""
        self._disk.make_folder(self.folder)
        self._disk.write(self.reset_mark, b"")
        self._disk.flush_folder(self.folder)

    def reset_asked(self) -> bool:
        return self._disk.exists(self.reset_mark)

    def _set_aside(self) -> str:
        try:
            self._disk.rename(self.route_file, self._bad)
        except OSError as error:
            return f"; could not set it aside: {error}"
        return f"; set aside as {self._bad.name}"


def lock(folder: Path) -> int:
    """Makes the folder and holds it until the process ends: two clients with one identity would throw each other
    off the broker without end. Raises `StateFault`. It is the folder itself that is held, so that one which cannot be
    written to can be."""
    try:
        Disk().make_folder(folder)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StateFault("STATE_DIR_UNUSABLE", f"got {folder} ({error.strerror}), want a folder to write to") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StateFault("STATE_DIR_IN_USE", f"got {folder}, which another running client holds") from error
    except OSError as error:
        os.close(handle)
        raise StateFault("STATE_DIR_UNUSABLE", f"got {folder} ({error.strerror}), want one that can be held") from error
    return handle


def _encode(route: Route) -> bytes:
    body = asdict(route)
    return json.dumps({"format": _FORMAT, "sha256": _checksum(body), "route": body}, indent=1).encode()


def _decode(content: bytes) -> Route:
    """Raises `ValueError` with what is wrong."""
    try:
        outer = json.loads(content)
        found, body = (outer["format"], outer["sha256"]), outer["route"]
        fits = found == (_FORMAT, _checksum(body))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ValueError("got no JSON object with format, sha256 and route: torn?") from None
    if not fits:
        raise ValueError("the checksum does not fit: torn or edited?")
    try:
        message = parse_message(json.dumps(body).encode())
    except InvalidInput as error:
        raise ValueError(error.message) from None
    if not isinstance(message, Route):
        raise ValueError("got a reset, want a route")  # noqa: TRY004 - a wrong file, not a wrong type in the code
    return message


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
