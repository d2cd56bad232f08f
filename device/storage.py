"""The route on disk: survives a power cut at any moment, and notices when it was torn or edited.

A new route is written beside the old one, flushed, and renamed over it (rename(2) is atomic), then the folder is
flushed: whoever reads finds the old route or the new one. A file that fails its checksum or does not parse is set
aside as ``route.json.bad`` and counts as no route. Faults of the disk are raised as `OSError`, for the client to
outlive.
"""

import fcntl
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from device.errors import StateFault
from lobby.errors import InvalidInput
from lobby.wire import Route, parse_message

_FORMAT: Final = 1
_MAX_BYTES: Final = 1024 * 1024


class Disk(Protocol):
    """The four steps that a power cut can fall between."""

    def write(self, path: Path, content: bytes) -> None: ...
    def rename(self, old: Path, new: Path) -> None: ...
    def remove(self, path: Path) -> None: ...
    def flush_folder(self, path: Path) -> None: ...


class PosixDisk:
    """The real one."""

    def write(self, path: Path, content: bytes) -> None:
        """Content on the platter when this returns. Readable by the owner only: a config may hold secrets."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def flush_folder(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True)
class Loaded:
    """What was on disk. `fault` says why there is no route although there was a file."""

    route: Route | None = None
    fault: str = ""


class Storage:
    """The route of one device, in one folder."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self.route_file = folder / "route.json"
        self.reset_mark = folder / "reset"
        self._disk = disk or PosixDisk()

    def load(self) -> Loaded:
        """The stored route, if there is a sound one. Never raises: a device must start whatever the disk says."""
        try:
            with self.route_file.open("rb") as file:
                content = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return Loaded()
        except OSError as error:
            return Loaded(fault=f"{self.route_file}: {error.strerror or error}")
        try:
            return Loaded(_decode(content))
        except ValueError as error:
            return Loaded(fault=f"{self.route_file}: {error}{self._set_aside()}")

    def store(self, route: Route) -> None:
        new = self.route_file.with_suffix(".json.new")
        self._disk.write(new, _encode(route))
        self._disk.rename(new, self.route_file)
        self._disk.flush_folder(self.folder)

    def forget(self) -> None:
        """No route, and no wish for a reset left open."""
        self._disk.remove(self.route_file)
        self._disk.remove(self.reset_mark)
        self._disk.flush_folder(self.folder)

    def ask_reset(self) -> None:
        """A wish that the running client, or else the next one, fulfils."""
        self._disk.write(self.reset_mark, b"")
        self._disk.flush_folder(self.folder)

    def reset_asked(self) -> bool:
        try:
            return self.reset_mark.exists()
        except OSError:  # a failing disk asks for nothing
            return False

    def _set_aside(self) -> str:
        bad = self.route_file.with_suffix(".json.bad")
        try:
            self._disk.rename(self.route_file, bad)
        except OSError as error:
            return f"; could not set it aside: {error}"
        return f"; set aside as {bad.name}"


def lock(folder: Path) -> int:
    """Makes the folder and holds it until the process ends: two clients with one identity would throw each other
    off the broker without end. Raises `StateFault`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateFault("STATE_DIR_UNUSABLE", f"got {folder} ({error.strerror}), want a folder to write to") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StateFault("STATE_DIR_IN_USE", f"got {folder}, which another running client holds") from error
    return handle


def _encode(route: Route) -> bytes:
    body = asdict(route)
    return json.dumps({"format": _FORMAT, "sha256": _checksum(body), "route": body}, indent=1).encode()


def _decode(content: bytes) -> Route:
    """Raises `ValueError` with what is wrong."""
    try:
        outer = json.loads(content)
        found, body = (outer["format"], outer["sha256"]), outer["route"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ValueError("got no JSON object with format, sha256 and route: torn?") from None
    if found != (_FORMAT, _checksum(body)):
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
