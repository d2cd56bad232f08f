"""Where a command acts: the options that name a lobby's account, and the confirmation before anything is changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from lobby.errors import InvalidInput
from pki.certificates import common_name
from pki.lobby_account import ConnectionOptions, Lobby, connect
from pki.local_lobby import local_options

Profile = Annotated[str | None, typer.Option(help="AWS profile of the lobby's account.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The lobby's Region.")]
EndpointUrl = Annotated[str | None, typer.Option(help="Custom AWS endpoint.")]
Local = Annotated[bool, typer.Option("--local", help="The local cloud of ./deploy.sh local.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


@dataclass(frozen=True)
class Place:
    """Where the command acts, as the user named it."""

    options: ConnectionOptions
    yes: bool

    @classmethod
    def of(cls, profile: str | None, region: str | None, endpoint_url: str | None, local: bool, yes: bool) -> "Place":
        if not local:
            return cls(ConnectionOptions(profile, region, endpoint_url), yes)
        if profile or region or endpoint_url:
            raise InvalidInput(
                "INVALID_PLACE", "got --local with --profile, --region or --endpoint-url, want one lobby"
            )
        return cls(local_options(Path.cwd()), yes)

    def connect(self, action: str, ca: x509.Certificate) -> Lobby:
        """Return the lobby, after the user has confirmed account and Region."""
        lobby = connect(self.options)
        if not self.yes:
            question = f"{action} {common_name(ca)} in account {lobby.account}, Region {lobby.region}?"
            typer.confirm(question[0].upper() + question[1:], abort=True, err=True)
        return lobby
