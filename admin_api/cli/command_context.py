"""The context of a command: its options, the lobby it uses, the API client, and the screen.

The context locates the lobby and signs the user in when a command first needs them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from admin_api.cli.api.client import Client, Retries, Tokens
from admin_api.cli.api.device_lookup import find_device
from admin_api.cli.api.http import open_http
from admin_api.cli.api.pages import advanced
from admin_api.cli.api.target_lookup import TargetLookup
from admin_api.cli.documents import MAX_ALIASES, Document
from admin_api.cli.documents import devices as documents
from admin_api.cli.environment import Environment
from admin_api.cli.errors import NotSignedIn, Unreachable, usage_error
from admin_api.cli.lobby_location import LobbyChoice, LocalLobby, local_file, read_local
from admin_api.cli.screen import Screen
from admin_api.cli.sign_in.profiles import Profile, Profiles
from admin_api.cli.sign_in.session import PasswordSession, StoredSession
from lobby.chunks import chunks
from lobby.errors import NotFound
from lobby.http_limits import RESPONSE_SECONDS
from lobby.names import Fingerprint

MAX_HISTORY: Final = 1000
PAGE: Final = 100
_NO_LOBBY: Final = (
    "found no lobby: start one with ./deploy.sh local, or sign in to one with lobbyctl login --url https://…"
)


@dataclass(frozen=True)
class Options:
    """The common options."""

    as_json: bool = False
    lobby: Path | None = None
    url: str | None = None
    role: str | None = None


class CommandContext:
    """The context of one command."""

    def __init__(self, options: Options, environment: Environment) -> None:
        self.options, self.environment = options, environment
        self.screen = Screen(options.as_json)
        self.profiles = Profiles(environment.config)
        self.response_seconds = RESPONSE_SECONDS

    @cached_property
    def choice(self) -> LobbyChoice:
        """The lobby that the user named. Raise `InvalidInput`."""
        return LobbyChoice.of(self.options.lobby, self.options.url, self.environment.variables)

    @cached_property
    def lobby(self) -> LocalLobby | Profile:
        """The lobby that the command uses. Raise `NotSignedIn` if there is none, or `InvalidInput`."""
        path = local_file(self.choice, self.environment.directory, self.environment.project)
        if path is not None:
            return read_local(path)
        if self.choice.url is not None:
            return self.profiles.get(self.choice.url)
        latest = self.profiles.latest()
        if latest is None:
            raise NotSignedIn("NOT_SIGNED_IN", _NO_LOBBY)
        return latest

    @cached_property
    def client(self) -> Client:
        """The API client of the signed-in user. Raise as `lobby` does."""
        lobby = self.lobby
        http = open_http(lobby.graphql_url, self.response_seconds)
        tokens: Tokens
        if isinstance(lobby, LocalLobby):
            tokens = PasswordSession(lobby, self.options.role or "operator", http)
        elif self.options.role is not None:
            raise usage_error(f"got --as {self.options.role} for {lobby.url}, want it for a local deployment only")
        else:
            tokens = StoredSession(lobby, self.profiles, http, self.environment.timestamp)
        environment = self.environment
        retries = Retries(environment.sleep, environment.random, lambda reason: self.screen.note(f"note: {reason}"))
        return Client(lobby.graphql_url, tokens, http, retries)

    def execute(self, document: Document, **variables: Any) -> dict[str, Any]:
        """Send a document and return the response's `data`. Raise `ApiRefused`, `NotSignedIn` or `Unreachable`."""
        try:
            return self.client.execute(document, **variables)
        except Unreachable as error:
            if error.sent or not isinstance(self.lobby, LocalLobby):
                raise
            advice = f"is the deployment of {self.lobby.path} running? (./deploy.sh local, or use --url)"
            raise Unreachable(error.code, f"{error.message}: {advice}", sent=False) from error

    @cached_property
    def targets(self) -> TargetLookup:
        """The targets that the user may see."""
        return TargetLookup.of(self.execute(documents.TARGETS)["targets"])

    def pages(self, document: Document, name: str, /, **variables: Any) -> Iterator[dict[str, Any]]:
        """Yield all pages of the list `name`. The document has the variable `after`."""
        after: str | None = None
        while True:
            page: dict[str, Any] = self.execute(document, after=after, **variables)[name]
            yield page
            info = page["pageInfo"]
            after = advanced(after, info["endCursor"], more=info["hasNextPage"])
            if not info["hasNextPage"]:
                return

    def find_device(self, text: str) -> Fingerprint:
        """Return the fingerprint of the device that `text` identifies. Raise `InvalidInput` or `NotFound`."""
        return find_device(text, self.first_devices)

    def first_devices(self, device_filter: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """Return the first `count` devices that match the filter."""
        page = self.execute(documents.DEVICES, filter=device_filter, first=count)["devices"]
        devices: list[dict[str, Any]] = page["nodes"]
        return devices

    def device_pages(self, device_filter: Mapping[str, Any], limit: int | None) -> Iterator[list[dict[str, Any]]]:
        """Yield pages of matching devices, at most `limit` in total. A page may be empty."""
        after, remaining = None, limit
        while remaining is None or remaining > 0:
            first = PAGE if remaining is None else min(PAGE, remaining)
            page = self.execute(documents.DEVICES, filter=device_filter or None, first=first, after=after)["devices"]
            yield page["nodes"]
            remaining = None if remaining is None else remaining - len(page["nodes"])
            after = advanced(after, page["pageInfo"]["endCursor"], more=page["pageInfo"]["hasNextPage"])
            if not page["pageInfo"]["hasNextPage"]:
                return

    def device_total(self, device_filter: Mapping[str, Any]) -> int | None:
        """Return how many devices match, or None if the lobby does not count them."""
        page = self.execute(documents.DEVICES, filter=device_filter or None, first=1, count=True)["devices"]
        total: int | None = page["total"]
        return total

    def device(self, certid: Fingerprint, last: int) -> dict[str, Any]:
        """Return a device with its certificate and the last entries of its history. Raise `NotFound`."""
        device: dict[str, Any] | None = self.execute(documents.DEVICE, certid=certid, last=last)["device"]
        if device is None:
            raise unknown_device(certid)
        return device

    def lookup(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, dict[str, Any]]:
        """Return the devices that have a row in the ledger, `MAX_ALIASES` per request."""
        devices: dict[Fingerprint, dict[str, Any]] = {}
        for chunk in chunks(certids, MAX_ALIASES):
            variables = {f"c{number}": certid for number, certid in enumerate(chunk)}
            data = self.execute(documents.devices_by_fingerprint(len(chunk)), **variables)
            devices |= {certid: data[alias] for alias, certid in variables.items() if data[alias] is not None}
        return devices

    def now(self) -> datetime:
        return self.environment.clock()


def unknown_device(certid: Fingerprint) -> NotFound:
    """Return the error for a fingerprint that has no row in the ledger."""
    return NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device in the ledger")
