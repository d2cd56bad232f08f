"""The commands that manage a CA: init, revoke, renew-crl and show.

Each parses its arguments, calls one function and prints the result.
"""

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from rich.console import Console
from rich.table import Table

from lobby.text.label import encode_label, short_form
from pki import terminal
from pki.ca import authority, crl, keys, profile
from pki.ca.certificate_files import read_certificates
from pki.ca.certificates import common_name, fingerprint
from pki.devices import credentials as devices
from pki.lobby_account import admission, registration
from pki.lobby_account.account import Lobby
from pki.lobby_account.lobby_selection import EndpointUrl, LobbySelection, Local, Profile, RegionOption, Yes, in_each
from pki.terminal import CaDirectory, DevicesDirectory, PassphraseFile

app = typer.Typer()

_KEY_URI = (
    "PKCS#11 URI of the {} key, pkcs11:token=…;object=…?module-path=…, created there if it does not exist;"
    " the passphrase is the PIN."
)
CrlDays = Annotated[int, typer.Option(help="Days until the next list is due.")]


@app.command()
def init(  # typer: a parameter is an option
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The CA's directory, which must be new.")],
    organization: Annotated[str, typer.Option(help="The manufacturer's name, in the CA certificates.")],
    key_type: Annotated[keys.KeyType, typer.Option(help=terminal.KEY_TYPE_HELP)] = keys.KeyType.EC_P256,
    passphrase_file: PassphraseFile = None,
    root_years: Annotated[int, typer.Option(help="Validity of the root certificate.")] = profile.ROOT_YEARS,
    intermediate_years: Annotated[
        int, typer.Option(help="Validity of the intermediate certificate; it limits the devices' validity.")
    ] = profile.INTERMEDIATE_YEARS,
    root_key: Annotated[str | None, typer.Option(metavar="URI", help=_KEY_URI.format("root's"))] = None,
    intermediate_key: Annotated[str | None, typer.Option(metavar="URI", help=_KEY_URI.format("intermediate's"))] = None,
) -> None:
    """Create a CA: a root, an intermediate that signs devices, and an empty revocation list."""
    passphrase = terminal.read_passphrase(passphrase_file)
    ca = authority.create_hierarchy(
        directory,
        organization,
        now=terminal.current_time(),
        key_type=key_type,
        passphrase=passphrase,
        root_years=root_years,
        intermediate_years=intermediate_years,
        root_key_uri=root_key,
        intermediate_key_uri=intermediate_key,
    )
    for role, certificate in (("root", ca.root), ("intermediate", ca.intermediate)):
        until = f"{certificate.not_valid_after_utc:%F}"
        terminal.print_result(f"{role:<13}{common_name(certificate)}  until {until}  {fingerprint(certificate)}")
    if passphrase is None:
        terminal.print_note("the CA's keys are not encrypted (mode 0600); use --passphrase-file to encrypt them")
    if root_key is None:
        terminal.print_note(
            f"move {directory / authority.ROOT_KEY} to offline storage: issuing devices does not need it"
        )
    terminal.print_note(
        f"the revocation list is valid for {crl.CRL_DAYS} days: run renew-crl and publish-crl before it expires"
    )


@app.command()
def revoke(  # noqa: PLR0913, PLR0917  # typer: a parameter is an option
    directory: CaDirectory,
    what: Annotated[
        list[str],
        typer.Argument(metavar="WHAT...", help="Thing names, fingerprints, label codes, or certificate files."),
    ],
    reason: Annotated[crl.Reason, typer.Option(help="Reason code in the list.")] = crl.Reason.UNSPECIFIED,
    days: CrlDays = crl.CRL_DAYS,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish the list, to the lobby of the options below.")
    ] = False,
    profile: Profile = None,
    region: RegionOption = None,
    endpoint_url: EndpointUrl = None,
    local: Local = False,
    yes: Yes = False,
    devices_directory: DevicesDirectory = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Revoke devices permanently: record it in the revocation list, and publish the list with --publish.

    A lobby admits the devices until the list is published. Can be repeated: a revoked device stays revoked.
    """
    selection = LobbySelection.of(profile, region, endpoint_url, local, yes) if publish or local else None
    ca = authority.load_authority(directory, terminal.read_passphrase(passphrase_file))
    source = devices_directory or directory / devices.DEVICES_DIRECTORY
    certificates = [devices.find_certificate(ca, source, each) for each in what]
    before = {each.fingerprint: each for each in crl.load_record(directory).revoked}
    issued = ca.revoke(certificates, reason, now=terminal.current_time(), days=days)
    for certificate in certificates:
        known = before.get(fingerprint(certificate))
        done = f"was revoked on {known.at[:10]} ({known.reason})" if known else "revoked"
        terminal.print_result(f"{done}: {common_name(certificate)}  {fingerprint(certificate)}")
    _print_crl(directory, issued)
    if selection is None:
        terminal.print_note(
            f"the lobby admits these devices until this list is published: lobby-pki publish-crl {directory}"
        )
        return

    def publish_in(lobby: Lobby) -> None:
        location = registration.publish_crl(lobby, ca.intermediate, [issued], now=terminal.current_time())
        terminal.print_result(f"published: {location}")

    in_each(selection.connect("publish the revocation list of", ca.intermediate), publish_in)
    terminal.print_note(
        "a device that the lobby has admitted keeps its access until its operator revokes it: lobbyctl revoke"
    )


@app.command()
def renew_crl(directory: CaDirectory, days: CrlDays = crl.CRL_DAYS, passphrase_file: PassphraseFile = None) -> None:
    """Issue the next revocation list with the same revocations. A lobby refuses devices while the list is expired."""
    ca, now = authority.load_authority(directory, terminal.read_passphrase(passphrase_file)), terminal.current_time()
    _print_crl(directory, ca.renew_crl(now=now, days=days))
    for note in admission.notes(ca.intermediate, (), now, [ca.root]):
        terminal.print_note(note)


@app.command()
def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate.")]) -> None:
    """Show a certificate: fingerprint, label code, name, validity and key."""
    certificate = read_certificates(file)[0]
    certid = fingerprint(certificate)
    table = Table(show_header=False, box=None)
    for name, value in (
        ("fingerprint", certid),
        ("short form", short_form(certid)),
        ("label code", encode_label(certid)),
        ("common name", common_name(certificate)),
        ("issuer", certificate.issuer.rfc4514_string()),
        ("serial", f"{certificate.serial_number:x}"),
        ("valid from", f"{certificate.not_valid_before_utc:%F %T}Z"),
        ("valid until", f"{certificate.not_valid_after_utc:%F %T}Z"),
        ("key", keys.describe(certificate.public_key())),
    ):
        table.add_row(name, value)
    # Wide enough for any line: a wrapped fingerprint cannot be copied.
    Console(width=200, markup=False, highlight=False).print(table)


def _print_crl(directory: Path, issued: x509.CertificateRevocationList) -> None:
    terminal.print_result(
        f"list {crl.crl_number(issued)}: {len(issued)} revoked, valid until {issued.next_update_utc:%F},"
        f" {directory / crl.CRL_FILE}"
    )
