"""Which lobby is meant, and how one signs in there.

In this order: what --lobby or --url names, what LOBBYCTL_LOBBY or LOBBYCTL_URL names, a `.local/lobby.json` in this
directory or above it, the one of the project that this command is of, and last the lobby that `lobbyctl login` went to
most recently. The first one found counts, also where it is not up: to go on to another would be a guess.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from admin_api.cli.errors import NotSignedIn, wrong_use
from admin_api.cli.http import checked_url, origin_of
from lobby.names import shown

LOBBY_VARIABLE: Final = "LOBBYCTL_LOBBY"
URL_VARIABLE: Final = "LOBBYCTL_URL"
_NAME: Final = "lobby.json"
_FOLDER: Final = ".local"
PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LocalLobby:
    """A local deployment's `lobby.json`: whoever can read it can sign in. `people` is role → user and password."""

    path: Path
    graphql_url: str
    cognito_url: str
    client_id: str
    people: Mapping[str, tuple[str, str]] = field(repr=False)


@dataclass(frozen=True)
class Asked:
    """What was said about which lobby is meant: by options, then by the environment."""

    lobby: Path | None = None
    url: str | None = None

    @classmethod
    def gather(cls, lobby: Path | None, url: str | None, environment: Mapping[str, str]) -> "Asked":
        """Raises `InvalidInput` where two lobbies are named at once."""
        if lobby is None and url is None:
            named, url = environment.get(LOBBY_VARIABLE), environment.get(URL_VARIABLE)
            lobby, url = Path(named) if named else None, url or None
        if lobby is not None and url is not None:
            raise wrong_use(f"got both the file {lobby} and the address {url}, want one lobby")
        return cls(lobby, origin_of(url) if url is not None else None)


def local_file(asked: Asked, directory: Path, project: Path = PROJECT) -> Path | None:
    """The `lobby.json` that counts; None where a signed-in lobby does. Raises `InvalidInput` where it is missing."""
    if asked.url is not None:
        return None
    if asked.lobby is not None:
        path = asked.lobby / _NAME if asked.lobby.is_dir() else asked.lobby
        if not path.is_file():
            raise wrong_use(f"got {path}, want the lobby.json of a local deployment", "UNREADABLE_FILE")
        return path
    places = [*(above / _FOLDER / _NAME for above in (directory, *directory.parents)), project / _FOLDER / _NAME]
    return next((path for path in places if path.is_file()), None)


def read_local(path: Path) -> LocalLobby:
    """Raises `InvalidInput` UNREADABLE_FILE or INVALID_URL."""
    try:
        body: dict[str, Any] = json.loads(path.read_text())
        people = {each["role"]: (each["user"], each["password"]) for each in body["operators"]}
        urls = body["graphql_url"], body["aws_endpoint_url"]
        client = str(body["user_pool_client_id"])
    except OSError as fault:
        raise wrong_use(f"got {path} ({fault.strerror}), want to read it", "UNREADABLE_FILE") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise wrong_use(
            f"got {path} ({fault!r}), want the lobby.json of a local deployment", "UNREADABLE_FILE"
        ) from fault
    graphql, cognito = (checked_url(url, f"an address in {path}") for url in urls)
    return LocalLobby(path, graphql, cognito, client, people)


def person(lobby: LocalLobby, role: str) -> tuple[str, str]:
    """User and password of the one with this role. Raises `NotSignedIn`."""
    if role not in lobby.people:
        known = ", ".join(sorted(lobby.people)) or "nobody"
        raise NotSignedIn("NOT_SIGNED_IN", f"got role {shown(role)}, want one that {lobby.path} has: {known}")
    return lobby.people[role]
