"""What every command works with: the lobby that is meant, somebody signed in there, and the screen.

Nothing is looked for, and nobody signed in, before a command asks for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from admin_api.cli import documents
from admin_api.cli.client import Client, Patience, Tokens
from admin_api.cli.device_lookup import named_device
from admin_api.cli.documents import MOST_ALIASES, Document
from admin_api.cli.environment import Environment
from admin_api.cli.errors import NotSignedIn, Unreachable, wrong_use
from admin_api.cli.http import ANSWER_SECONDS, open_http
from admin_api.cli.lobby_location import Asked, LocalLobby, local_file, read_local
from admin_api.cli.profiles import Profile, Profiles
from admin_api.cli.screen import Screen
from admin_api.cli.session import KeptSession, PasswordSession
from admin_api.cli.target_lookup import Register
from lobby.errors import NotFound
from lobby.names import Fingerprint

MOST_HISTORY: Final = 1000
PAGE: Final = 100
_NOWHERE: Final = (
    "got no lobby, want one: ./deploy.sh local starts one here, and lobbyctl login --url https://… signs in to another"
)


@dataclass(frozen=True)
class Options:
    """What can be said with every command."""

    as_json: bool = False
    lobby: Path | None = None
    url: str | None = None
    role: str | None = None


class CommandContext:
    """One command's."""

    def __init__(self, options: Options, around: Environment) -> None:
        self.options, self.around = options, around
        self.screen = Screen(options.as_json)
        self.profiles = Profiles(around.config)
        self.answer_seconds = ANSWER_SECONDS

    @cached_property
    def asked(self) -> Asked:
        return Asked.gather(self.options.lobby, self.options.url, self.around.environment)

    @cached_property
    def place(self) -> LocalLobby | Profile:
        """The lobby that is meant. Raises `NotSignedIn` where there is none, `InvalidInput`."""
        path = local_file(self.asked, self.around.directory, self.around.project)
        if path is not None:
            return read_local(path)
        if self.asked.url is not None:
            return self.profiles.get(self.asked.url)
        latest = self.profiles.latest()
        if latest is None:
            raise NotSignedIn("NOT_SIGNED_IN", _NOWHERE)
        return latest

    @cached_property
    def client(self) -> Client:
        place = self.place
        http = open_http(place.graphql_url, self.answer_seconds)
        tokens: Tokens
        if isinstance(place, LocalLobby):
            tokens = PasswordSession(place, self.options.role or "operator", http)
        elif self.options.role is not None:
            raise wrong_use(f"got --as {self.options.role}, want it for a local deployment: at {place.url} you are you")
        else:
            tokens = KeptSession(place, self.profiles, http, self.seconds)
        patience = Patience(self.around.pause, self.around.draw, lambda why: self.screen.note(f"note: {why}"))
        return Client(place.graphql_url, tokens, http, patience)

    def ask(self, document: Document, **variables: Any) -> dict[str, Any]:
        """Raises `ApiRefused`, `NotSignedIn`, `Unreachable`; where a local deployment is not up, it says so."""
        try:
            return self.client.ask(document, **variables)
        except Unreachable as fault:
            if fault.sent or not isinstance(self.place, LocalLobby):
                raise
            advice = f"is the deployment of {self.place.path} up? (./deploy.sh local, or name another lobby with --url)"
            raise Unreachable(fault.code, f"{fault.message}: {advice}", sent=False) from fault

    @cached_property
    def register(self) -> Register:
        return Register.of(self.ask(documents.TARGETS)["targets"])

    def certid(self, text: str) -> Fingerprint:
        """Of a device as somebody names it. Raises `InvalidInput`, `NotFound`."""
        return named_device(text, self.some_devices)

    def some_devices(self, wanted: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """The first devices that a filter lets through."""
        found: list[dict[str, Any]] = self.ask(documents.DEVICES, filter=wanted, first=count)["devices"]["nodes"]
        return found

    def every_device(self, wanted: Mapping[str, Any], limit: int | None) -> Iterator[list[dict[str, Any]]]:
        """Pages, up to `limit` devices. A page may be empty where a filter sifts."""
        after, left = None, limit
        while left is None or left > 0:
            first = PAGE if left is None else min(PAGE, left)
            page = self.ask(documents.DEVICES, filter=wanted or None, first=first, after=after)["devices"]
            yield page["nodes"]
            left = None if left is None else left - len(page["nodes"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return

    def device(self, certid: Fingerprint, last: int) -> dict[str, Any]:
        """Whole. Raises `NotFound` UNKNOWN_DEVICE."""
        found: dict[str, Any] | None = self.ask(documents.DEVICE, certid=certid, last=last)["device"]
        if found is None:
            raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device that the lobby knows")
        return found

    def look(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, dict[str, Any]]:
        """Those of the devices that are known, `MOST_ALIASES` in one request."""
        found: dict[Fingerprint, dict[str, Any]] = {}
        for start in range(0, len(certids), MOST_ALIASES):
            some = certids[start : start + MOST_ALIASES]
            asked = {f"c{number}": certid for number, certid in enumerate(some)}
            data = self.ask(documents.devices_by_fingerprint(len(some)), **asked)
            found |= {certid: data[alias] for alias, certid in asked.items() if data[alias] is not None}
        return found

    def now(self) -> datetime:
        return self.around.clock()

    def seconds(self) -> float:
        """Since 1970."""
        return self.around.clock().timestamp()
