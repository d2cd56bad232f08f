"""The lobby on which a command acts: the options that name its account, and the confirmation before anything is
changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from lobby.errors import InvalidInput
from lobby.names import shown
from pki import terminal
from pki.ca.certificates import common_name
from pki.errors import RegistrationError
from pki.lobby_account.account import ConnectionOptions, Lobby, connect, translated_aws_errors
from pki.lobby_account.local_lobby import local_options

Profile = Annotated[str | None, typer.Option(help="AWS profile of the lobby's account.")]
RegionOption = Annotated[
    str | None, typer.Option("--region", help="The lobby's Region, or all its Regions, with commas.")
]
EndpointUrl = Annotated[str | None, typer.Option(help="Custom AWS endpoint.")]
Local = Annotated[bool, typer.Option("--local", help="The local cloud of ./deploy.sh local.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


@dataclass(frozen=True)
class LobbySelection:
    """The lobby as the user has named it."""

    options: ConnectionOptions
    yes: bool

    @classmethod
    def of(
        cls, profile: str | None, region: str | None, endpoint_url: str | None, local: bool, yes: bool
    ) -> "LobbySelection":
        if not local:
            return cls(ConnectionOptions(profile, region, endpoint_url), yes)
        if profile or region or endpoint_url:
            raise InvalidInput(
                "INVALID_PLACE", "got --local with --profile, --region or --endpoint-url, want one lobby"
            )
        return cls(local_options(Path.cwd()), yes)

    def connect(self, action: str, ca: x509.Certificate) -> tuple[Lobby, ...]:
        """Return the lobby in each of its Regions, after the user has confirmed account and Regions. A device can join
        in every Region, so its CA is registered in all of them. Raise `InvalidInput` INVALID_REGION."""
        lobbies = self._connected()
        if not self.yes:
            where = ", ".join(lobby.region for lobby in lobbies)
            word = "Region" if len(lobbies) == 1 else "Regions"
            question = f"{action} {common_name(ca)} in account {lobbies[0].account}, {word} {where}?"
            typer.confirm(question[0].upper() + question[1:], abort=True, err=True)
        return lobbies

    def _connected(self) -> tuple[Lobby, ...]:
        """Return the lobby in each of its Regions. A Region in which AWS does not state the account is a part of the
        account of the others, so that it does not block them. Raise `RegistrationError` if no Region does."""
        places = [replace(self.options, region=each) for each in _regions(self.options.region)]
        found: dict[ConnectionOptions, Lobby] = {}
        failures: list[RegistrationError] = []
        for each in places:
            try:
                found[each] = connect(each)
            except RegistrationError as error:
                failures.append(error)
        if not found:
            raise failures[0]
        account = next(iter(found.values())).account
        return tuple(found.get(each) or connect(each, account) for each in places)


def in_each(lobbies: Sequence[Lobby], act: Callable[[Lobby], None]) -> None:
    """Act on the lobby in each of its Regions. If one fails, the others are still tried. Then raise its
    `RegistrationError`, which names the Region."""
    failures: list[RegistrationError] = []
    for lobby in lobbies:
        try:
            with translated_aws_errors():
                act(lobby)
        except RegistrationError as error:
            failures.append(RegistrationError(error.code, f"{label(lobby, lobbies)}{error.message}"))
    for each in failures[1:]:
        terminal.print_note(str(each))
    if failures:
        raise failures[0]


def _regions(option: str | None) -> list[str | None]:
    """Return the Regions of the option (None: the Region of the AWS configuration)."""
    if option is None:
        return [None]
    named = [each.strip() for each in option.split(",")]
    if len(set(named)) != len(named):
        raise InvalidInput("INVALID_REGION", f"got {shown(option)}, want each Region once")
    return list(named)


def label(lobby: Lobby, lobbies: Sequence[Lobby]) -> str:
    """Return the start of a line about one of several Regions."""
    return f"{lobby.region}: " if len(lobbies) > 1 else ""
