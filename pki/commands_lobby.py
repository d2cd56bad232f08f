"""The commands that change a lobby's account: register, publish-crl and unregister.

Each shows the account and Region and asks for confirmation, unless --yes is given. None needs the CA's key.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from pki import crl, registration, terminal
from pki.authority import load_certificates
from pki.certificates import common_name
from pki.lobby_account import ConnectionOptions, Lobby, connect, translated_aws_errors
from pki.terminal import CaDirectory

app = typer.Typer()

Profile = Annotated[str | None, typer.Option(help="AWS profile of the lobby's account.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The lobby's Region.")]
EndpointUrl = Annotated[str | None, typer.Option(help="Custom AWS endpoint, such as that of a local lobby.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


@dataclass(frozen=True)
class _Connection:
    lobby: Lobby
    ca: x509.Certificate


@app.command()
def register(
    directory: CaDirectory,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    yes: Yes = False,
) -> None:
    """Register this CA with a lobby, with its revocation list, so that its devices are admitted. Can be repeated."""
    published = _load_crl(directory)
    connection = _connect(directory, ConnectionOptions(profile, region, endpoint_url), "register", yes)
    with translated_aws_errors():
        result = registration.register_ca(connection.lobby, connection.ca, published, now=terminal.current_time())
    status = "registered" if result.created else "already registered, now active"
    terminal.print_result(f"{status}: {result.ca_certificate_id}")
    terminal.print_result(f"revocation list: {result.crl_location}, valid until {published.next_update_utc:%F}")


@app.command()
def publish_crl(
    directory: CaDirectory,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    yes: Yes = False,
) -> None:
    """Publish the CA's current revocation list to a lobby where the CA is registered."""
    published = _load_crl(directory)
    options = ConnectionOptions(profile, region, endpoint_url)
    connection = _connect(directory, options, "publish the revocation list of", yes)
    with translated_aws_errors():
        location = registration.publish_crl(connection.lobby, connection.ca, published, now=terminal.current_time())
    terminal.print_result(
        f"list {crl.crl_number(published)} with {len(published)} revoked: {location},"
        f" valid until {published.next_update_utc:%F}"
    )


@app.command()
def unregister(
    directory: CaDirectory,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    yes: Yes = False,
) -> None:
    """Remove this CA from a lobby: it admits no new devices of this CA. Devices already registered stay registered."""
    connection = _connect(directory, ConnectionOptions(profile, region, endpoint_url), "unregister", yes)
    with translated_aws_errors():
        result = registration.unregister_ca(connection.lobby, connection.ca)
    if result.ca_certificate_id is None:
        terminal.print_result("not registered: nothing to do")
        return
    terminal.print_result(f"unregistered: {result.ca_certificate_id}")
    if result.remaining_devices:
        terminal.print_note(
            f"{result.remaining_devices} device certificates of this CA stay registered and keep working"
        )
    terminal.print_note(f"the revocation list stays at {result.crl_location}")


def _load_crl(directory: Path) -> x509.CertificateRevocationList:
    load_certificates(directory)
    return crl.load_crl(directory)


def _connect(directory: Path, options: ConnectionOptions, action: str, yes: bool) -> _Connection:
    _, ca = load_certificates(directory)
    lobby = connect(options)
    if not yes:
        question = f"{action} {common_name(ca)} in account {lobby.account}, Region {lobby.region}?"
        typer.confirm(question[0].upper() + question[1:], abort=True, err=True)
    return _Connection(lobby, ca)
