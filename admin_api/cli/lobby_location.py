"""Which lobby a command uses, and the `lobby.json` of a local deployment.

The order is: --lobby or --url; LOBBYCTL_LOBBY or LOBBYCTL_URL; a `.local/lobby.json` in the current directory or above
it; the one in this project; the lobby of the last `lobbyctl login`. The first match is used even if that lobby is not
running: falling back to another one could change the wrong devices.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from admin_api.cli.api.http import checked_url, origin_of
from admin_api.cli.errors import NotSignedIn, usage_error
from lobby import strict_json
from lobby.names import shown
from lobby.wire import MQTT_PORT

LOBBY_VARIABLE: Final = "LOBBYCTL_LOBBY"
URL_VARIABLE: Final = "LOBBYCTL_URL"
_NAME: Final = "lobby.json"
_FOLDER: Final = ".local"
PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LocalRegion:
    """The API of one Region of a local deployment."""

    graphql_url: str
    client_id: str


@dataclass(frozen=True)
class LocalLobby:
    """A local deployment's `lobby.json`. `users` maps a role to user name and password."""

    path: Path
    graphql_url: str
    cognito_url: str
    client_id: str
    users: Mapping[str, tuple[str, str]] = field(repr=False)
    endpoint: str | None = None
    """The host that devices connect to."""
    mqtt_port: int = MQTT_PORT
    server_ca: Path | None = None
    """The CA of the server that devices connect to."""
    regions: Mapping[str, LocalRegion] = field(default_factory=dict)
    """The APIs of a lobby with several Regions."""


@dataclass(frozen=True)
class LobbyChoice:
    """The lobby that the user named: a `lobby.json`, an address, or neither."""

    lobby: Path | None = None
    url: str | None = None

    @classmethod
    def of(cls, lobby: Path | None, url: str | None, variables: Mapping[str, str]) -> "LobbyChoice":
        """Return the choice made by options or, without any, by environment variables.

        Raise `InvalidInput` if both a file and an address are given."""
        if lobby is None and url is None:
            path, url = variables.get(LOBBY_VARIABLE), variables.get(URL_VARIABLE)
            lobby, url = Path(path) if path else None, url or None
        if lobby is not None and url is not None:
            raise usage_error(f"got both the file {lobby} and the address {url}, want one lobby")
        return cls(lobby, origin_of(url) if url is not None else None)


def local_file(choice: LobbyChoice, directory: Path, project: Path = PROJECT) -> Path | None:
    """Return the `lobby.json` to use, or None if the lobby has a stored sign-in.

    Raise `InvalidInput` UNREADABLE_FILE if the file that the user named does not exist, FOREIGN_FILE if a file in the
    current directory or above belongs to another user, because it could direct passwords and commands to that user's
    address."""
    if choice.url is not None:
        return None
    if choice.lobby is not None:
        path = choice.lobby / _NAME if choice.lobby.is_dir() else choice.lobby
        if not path.is_file():
            raise usage_error(f"got {path}, want the lobby.json of a local deployment", "UNREADABLE_FILE")
        return path
    found = next(
        (path for above in (directory, *directory.parents) if (path := above / _FOLDER / _NAME).is_file()), None
    )
    own = project / _FOLDER / _NAME
    if found is not None and found != own and not _is_own(found):
        raise usage_error(
            f"got {found}, which belongs to another user, want your own (or --lobby {found}, if you trust it)",
            "FOREIGN_FILE",
        )
    return found or (own if own.is_file() else None)


def _is_own(path: Path) -> bool:
    """Return whether the file, the link in its place and its folder belong to the user. The owner of the folder can
    replace the file at any time, or link to another file of the user."""
    return all(found.st_uid == os.getuid() for found in (path.stat(), path.lstat(), path.parent.stat()))


def read_local(path: Path) -> LocalLobby:
    """Read a `lobby.json`. Raise `InvalidInput` UNREADABLE_FILE or INVALID_URL."""
    try:
        body: dict[str, Any] = strict_json.loads(path.read_text())
        users = {each["role"]: (each["user"], each["password"]) for each in body["operators"]}
        urls = body["graphql_url"], body["aws_endpoint_url"]
        client_id = str(body["user_pool_client_id"])
        endpoint, server_ca = body.get("lobby_endpoint"), body.get("server_ca_path")
        port = int(body.get("mqtt_port", MQTT_PORT))
        regions = {
            str(each["region"]): LocalRegion(str(each["graphql_url"]), str(each["user_pool_client_id"]))
            for each in body.get("regions", ())
        }
    except OSError as error:
        raise usage_error(f"cannot read {path} ({error.strerror})", "UNREADABLE_FILE") from error
    except (ValueError, KeyError, TypeError) as error:
        raise usage_error(
            f"got {path} ({error!r}), want the lobby.json of a local deployment", "UNREADABLE_FILE"
        ) from error
    graphql, cognito = (checked_url(url, f"an address in {path}") for url in urls)
    for region in regions.values():
        checked_url(region.graphql_url, f"an address in {path}")
    ca = Path(server_ca) if server_ca else None
    return LocalLobby(path, graphql, cognito, client_id, users, endpoint, port, ca, regions)


def credentials(lobby: LocalLobby, role: str) -> tuple[str, str]:
    """Return name and password of the user with this role. Raise `NotSignedIn`."""
    if role not in lobby.users:
        roles = ", ".join(sorted(lobby.users)) or "no users"
        raise NotSignedIn("NOT_SIGNED_IN", f"got role {shown(role)}, want a role in {lobby.path}: {roles}")
    return lobby.users[role]
