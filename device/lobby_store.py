"""The lobby that the device has changed to, on disk. It survives a power cut at any time, like the route (`storage`).

A file that is damaged or malformed is set aside and ignored: the device then uses the lobbies of its settings. A file
that cannot be read now is kept, because the lobbies of the settings may refuse the device permanently. Disk failures
are raised as `OSError`, except by `load`.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.disk import Calls, Disk
from device.machine.plan import AdoptedLobby, Endpoint
from device.sealed_files import load, sealed, unsealed

_MAX_BYTES: Final = 64 * 1024
_MAX_LOBBIES: Final = 32
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


@dataclass(frozen=True)
class LoadedLobby:
    """`error` states why an existing file gives no lobby."""

    lobby: AdoptedLobby | None = None
    error: str = ""


class LobbyStore:
    """The file of one device in its folder. `calls` are the system calls to use."""

    def __init__(self, folder: Path, calls: Calls = os) -> None:
        self.folder, self.file = folder, folder / "lobby.json"
        self._new = folder / "lobby.json.new"
        self._disk = Disk(calls)

    def load(self) -> LoadedLobby:
        """Return the stored lobby. Never raise: the device must start with any content of the disk."""
        return LoadedLobby(*load(self._disk, self.file, _MAX_BYTES, _decode))

    def store(self, lobby: AdoptedLobby) -> None:
        """Replace the stored lobby atomically."""
        self._disk.make_folder(self.folder)
        before = [_encode(each) for each in lobby.before]
        self._disk.write(self._new, sealed("lobby", {**_encode(lobby.endpoint), "before": before}))
        self._disk.rename(self._new, self.file)
        self._disk.flush_folder(self.folder)

    def forget(self) -> None:
        """Remove the stored lobby, which belongs to an earlier identity, and its leftover files. Can be repeated."""
        self._disk.make_folder(self.folder)
        for each in (self.file, self._new):
            self._disk.clear(each)
        self._disk.flush_folder(self.folder)


def _encode(endpoint: Endpoint) -> dict[str, Any]:
    return {"iotep": endpoint.host, "port": endpoint.port}


def _decode(content: bytes) -> AdoptedLobby:
    body = unsealed("lobby", content)
    if not isinstance(body, dict) or not isinstance(before := body.get("before"), list) or len(before) > _MAX_LOBBIES:
        raise ValueError("got other fields, want a lobby and the earlier lobbies")
    return AdoptedLobby(_endpoint(body), tuple(_endpoint(each) for each in before))


def _endpoint(body: Any) -> Endpoint:
    host, port = (body.get("iotep"), body.get("port")) if isinstance(body, dict) else (None, None)
    if isinstance(host, str) and _HOST.fullmatch(host) and type(port) is int and 0 < port < 65536:
        return Endpoint(host, port)
    raise ValueError("got no host name and port of a lobby")
