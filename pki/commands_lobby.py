"""The commands that speak with a lobby's account: register, publish-crl and unregister.

Each says which account and Region it would change and asks first, unless told --yes. None needs the CA's key.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from pki import aws, crl, registration, terminal
from pki.authority import load_certificates
from pki.certificates import common_name
from pki.lobby_account import Lobby
from pki.terminal import CaDirectory

app = typer.Typer()

Profile = Annotated[str | None, typer.Option(help="AWS profile of the lobby's account.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The lobby's Region.")]
EndpointUrl = Annotated[str | None, typer.Option(help="Another AWS endpoint, such as a local lobby's.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True)
class _Subject:
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
    """Let this CA's devices into a lobby: publish the revocation list, then register the CA. May be repeated."""
    published = _load_crl(directory)
    subject = _connect(directory, aws.Access(profile, region, endpoint_url), "register", yes)
    with aws.expected_failures():
        done = registration.register_ca(subject.lobby, subject.ca, published, now=terminal.current_time())
    terminal.say(f"{'registered' if done.created else 'registered before, now active'}: {done.ca_certificate_id}")
    terminal.say(f"revocation list: {done.crl_location}, good until {published.next_update_utc:%F}")


@app.command()
def publish_crl(
    directory: CaDirectory,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    yes: Yes = False,
) -> None:
    """Publish the CA's current revocation list to a lobby that knows the CA."""
    published = _load_crl(directory)
    subject = _connect(directory, aws.Access(profile, region, endpoint_url), "publish the revocation list of", yes)
    with aws.expected_failures():
        location = registration.publish_crl(subject.lobby, subject.ca, published, now=terminal.current_time())
    terminal.say(
        f"list {crl.crl_number(published)} with {len(published)} revoked: {location},"
        f" good until {published.next_update_utc:%F}"
    )


@app.command()
def unregister(
    directory: CaDirectory,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    yes: Yes = False,
) -> None:
    """Take this CA out of a lobby: no new device of it comes in. Devices that are in stay in."""
    subject = _connect(directory, aws.Access(profile, region, endpoint_url), "unregister", yes)
    with aws.expected_failures():
        done = registration.unregister_ca(subject.lobby, subject.ca)
    if done.ca_certificate_id is None:
        terminal.say("not registered: nothing to do")
        return
    terminal.say(f"unregistered: {done.ca_certificate_id}")
    if done.devices_left:
        terminal.note(f"{done.devices_left} device certificates of this CA stay registered and go on working")
    terminal.note(f"the revocation list stays at {done.crl_location}")


def _load_crl(directory: Path) -> x509.CertificateRevocationList:
    load_certificates(directory)
    return crl.load_crl(directory)


def _connect(directory: Path, access: aws.Access, action: str, yes: bool) -> _Subject:
    _, ca = load_certificates(directory)
    lobby = aws.connect(access)
    if not yes:
        question = f"{action} {common_name(ca)} in account {lobby.account}, Region {lobby.region}?"
        typer.confirm(question[0].upper() + question[1:], abort=True, err=True)
    return _Subject(lobby, ca)
