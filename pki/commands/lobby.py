"""The commands that change a lobby's account: register, publish-crl and unregister.

Each shows the account and Region and asks for confirmation, unless --yes is given. None of them uses the CA's key, so
they also work with a manufacturer's own CA (--ca).
"""

from pathlib import Path
from typing import Annotated

import typer

from pki import terminal
from pki.ca import crl
from pki.ca.ca_source import CaFile, ChainFiles, CrlFiles, LoadedCa, OptionalCaDirectory, load_ca
from pki.ca.certificate_files import read_certificates
from pki.ca.certificates import common_name
from pki.lobby_account import admission, registration
from pki.lobby_account.account import Lobby
from pki.lobby_account.lobby_selection import (
    EndpointUrl,
    LobbySelection,
    Local,
    Profile,
    RegionOption,
    Yes,
    in_each,
    label,
)
from pki.lobby_account.published_lists import Allowed

app = typer.Typer()

MissingPoints = Annotated[
    bool,
    typer.Option(
        "--allow-missing-points",
        help="Accept lists without a distribution point that is published: the CA no longer issues this list.",
    ),
]
MissingSerials = Annotated[
    bool,
    typer.Option(
        "--allow-missing-serials",
        help="Accept lists without serial numbers that are published as revoked: the CA has removed expired ones.",
    ),
]

Sample = Annotated[
    Path | None,
    typer.Option(
        "--device-cert", metavar="FILE", help="A device's certificate, to prove that the lobby would admit it."
    ),
]


@app.command()
def register(  # noqa: PLR0913, PLR0917  # typer: a parameter is an option
    directory: OptionalCaDirectory = None,
    ca: CaFile = None,
    chain: ChainFiles = None,
    crl_files: CrlFiles = None,
    device_cert: Sample = None,
    missing_points: MissingPoints = False,
    missing_serials: MissingSerials = False,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    local: Local = False,
    yes: Yes = False,
) -> None:
    """Register a CA with a lobby, with its revocation lists, so that its devices are admitted. Can be repeated.

    The CA is one that init created, or your own (--ca, --chain, --crl). Nothing is registered if the lobby would refuse
    its devices.
    """
    loaded, now = load_ca(directory, ca, chain or (), crl_files or ()), terminal.current_time()
    sample = read_certificates(device_cert)[0] if device_cert else None
    allowed = Allowed(missing_points, missing_serials)
    admission.check_admission(loaded.certificate, loaded.lists, now, sample)
    lobbies = LobbySelection.of(profile, region, endpoint_url, local, yes).connect("register", loaded.certificate)

    def register_in(lobby: Lobby) -> None:
        result = registration.register_ca(
            lobby, loaded.certificate, loaded.lists, now=now, sample=sample, allowed=allowed
        )
        status = "registered" if result.created else "already registered, now active"
        terminal.print_result(f"{label(lobby, lobbies)}{status}: {result.ca_certificate_id}")
        _report_lists(loaded, result.crl_location)

    in_each(lobbies, register_in)
    if sample is not None:
        terminal.print_result(f"the lobby would admit {common_name(sample)}")


@app.command()
def publish_crl(  # noqa: PLR0913, PLR0917  # typer: a parameter is an option
    directory: OptionalCaDirectory = None,
    ca: CaFile = None,
    crl_files: CrlFiles = None,
    missing_points: MissingPoints = False,
    missing_serials: MissingSerials = False,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    local: Local = False,
    yes: Yes = False,
) -> None:
    """Publish the CA's current revocation lists to a lobby where the CA is registered.

    Rejects lists that are older than the published ones, or lack a distribution point or a revoked serial number.
    """
    loaded, now = load_ca(directory, ca, (), crl_files or ()), terminal.current_time()
    allowed = Allowed(missing_points, missing_serials)
    lobbies = LobbySelection.of(profile, region, endpoint_url, local, yes).connect(
        "publish the revocation list of", loaded.certificate
    )

    def publish_in(lobby: Lobby) -> None:
        location = registration.publish_crl(lobby, loaded.certificate, loaded.lists, now=now, allowed=allowed)
        _report_lists(loaded, location)

    in_each(lobbies, publish_in)


@app.command()
def unregister(
    directory: OptionalCaDirectory = None,
    ca: CaFile = None,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    local: Local = False,
    yes: Yes = False,
) -> None:
    """Remove this CA from a lobby, which then admits no new devices of it. Registered devices stay registered."""
    loaded = load_ca(directory, ca, with_lists=False)
    lobbies = LobbySelection.of(profile, region, endpoint_url, local, yes).connect("unregister", loaded.certificate)

    def unregister_in(lobby: Lobby) -> None:
        _report_removal(registration.unregister_ca(lobby, loaded.certificate), label(lobby, lobbies))

    in_each(lobbies, unregister_in)


def _report_removal(result: registration.CaRemoval, where: str) -> None:
    if result.ca_certificate_id is None:
        terminal.print_result(f"{where}not registered: nothing to do")
        return
    terminal.print_result(f"{where}unregistered: {result.ca_certificate_id}")
    if result.remaining_devices:
        terminal.print_note(
            f"{where}{result.remaining_devices} device certificates of this CA stay registered and keep working"
        )
    terminal.print_note(f"the revocation list stays at {result.crl_location}")


def _report_lists(loaded: LoadedCa, location: str) -> None:
    for each in loaded.lists:
        until = f"valid until {each.next_update_utc:%F}" if each.next_update_utc else "without end"
        terminal.print_result(f"list {crl.crl_number(each)} with {len(each)} revoked, {until}: {location}")
    for note in admission.notes(loaded.certificate, loaded.lists, terminal.current_time(), loaded.chain):
        terminal.print_note(note)
