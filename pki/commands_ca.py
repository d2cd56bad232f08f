"""The commands that manage a CA: init, revoke, renew-crl and show.

Each parses its arguments, calls one function and prints the result.
"""

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from rich.console import Console
from rich.table import Table

from lobby.errors import InvalidInput
from lobby.label import decode_label, encode_label, short_form
from pki import authority, crl, devices, keys, profile, terminal
from pki.certificates import common_name, fingerprint, load_certificate
from pki.terminal import CaDirectory, DevicesDirectory, PassphraseFile

app = typer.Typer()

CrlDays = Annotated[int, typer.Option(help="Days until the next list is due.")]


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The CA's directory, which must be new.")],
    organization: Annotated[str, typer.Option(help="The manufacturer's name, in the CA certificates.")],
    key_type: Annotated[keys.KeyType, typer.Option(help=terminal.KEY_TYPE_HELP)] = keys.KeyType.EC_P256,
    passphrase_file: PassphraseFile = None,
    root_years: Annotated[int, typer.Option(help="Validity of the root certificate.")] = profile.ROOT_YEARS,
    intermediate_years: Annotated[
        int, typer.Option(help="Validity of the intermediate certificate; it limits the devices' validity.")
    ] = profile.INTERMEDIATE_YEARS,
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
    )
    for role, certificate in (("root", ca.root), ("intermediate", ca.intermediate)):
        until = f"{certificate.not_valid_after_utc:%F}"
        terminal.print_result(f"{role:<13}{common_name(certificate)}  until {until}  {fingerprint(certificate)}")
    if passphrase is None:
        terminal.print_note("the CA's keys are not encrypted (mode 0600); use --passphrase-file to encrypt them")
    terminal.print_note(f"move {directory / authority.ROOT_KEY} to offline storage: issuing devices does not need it")
    terminal.print_note(
        f"the revocation list is valid for {crl.CRL_DAYS} days: run renew-crl and publish-crl before it expires"
    )


@app.command()
def revoke(
    directory: CaDirectory,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="A fingerprint, a label code, or a certificate file.")],
    reason: Annotated[crl.Reason, typer.Option(help="Reason code in the list.")] = crl.Reason.UNSPECIFIED,
    days: CrlDays = crl.CRL_DAYS,
    devices_directory: DevicesDirectory = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Revoke a device permanently and issue the next revocation list. Publish it with publish-crl."""
    ca = authority.load_authority(directory, terminal.read_passphrase(passphrase_file))
    certificate = _find(ca, devices_directory or directory / devices.DEVICES_DIRECTORY, what)
    issued = ca.revoke(certificate, reason, now=terminal.current_time(), days=days)
    terminal.print_result(f"revoked {common_name(certificate)}  {fingerprint(certificate)}")
    _print_crl(directory, issued)


@app.command()
def renew_crl(directory: CaDirectory, days: CrlDays = crl.CRL_DAYS, passphrase_file: PassphraseFile = None) -> None:
    """Issue the next revocation list with the same revocations. A lobby refuses devices while the list is expired."""
    ca = authority.load_authority(directory, terminal.read_passphrase(passphrase_file))
    _print_crl(directory, ca.renew_crl(now=terminal.current_time(), days=days))


@app.command()
def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A PEM certificate.")]) -> None:
    """Show a certificate: fingerprint, label code, name, validity and key."""
    certificate = load_certificate(file)
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


def _find(ca: authority.Authority, directory: Path, what: str) -> x509.Certificate:
    path = Path(what)
    if path.is_file():
        return load_certificate(path)
    try:
        certid = decode_label(what)
    except InvalidInput as err:
        raise InvalidInput(err.code, f"{err.message}, or a file") from None
    return devices.find_certificate(ca, directory, certid)


def _print_crl(directory: Path, issued: x509.CertificateRevocationList) -> None:
    terminal.print_result(
        f"list {crl.crl_number(issued)}: {len(issued)} revoked, valid until {issued.next_update_utc:%F},"
        f" {directory / crl.CRL_FILE}"
    )
