"""`enrolments certificates`: add, list and revoke claim certificates; and `enrolments approve`, for a second key.

The private key of a claim certificate is created on this machine or supplied by the user. The lobby never gets it.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from admin_api.cli.bundle import claim_keys
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.commands.enrolments import Named, find
from admin_api.cli.documents import enrolments as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.input_files import read_content
from admin_api.cli.render import enrolments as render
from lobby.names import parse_enrolment_name, parse_fingerprint, parse_thing_name

app = typer.Typer(no_args_is_help=True)
approve_app = typer.Typer()


@command(app, "add")
def add(
    context: CommandContext,
    name: Named,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Private key for the certificate; created if the file does not exist."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--self-signed", metavar="DAYS", help="With --key: self-signed, valid for this number of days."),
    ] = None,
    csr: Annotated[Path | None, typer.Option(metavar="FILE", help="Existing certificate signing request.")] = None,
    certificate: Annotated[
        Path | None, typer.Option("--supplied", metavar="FILE", help="Existing certificate, in PEM.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the certificate to this file.")
    ] = None,
    creates_keys: Annotated[
        bool, typer.Option("--creates-keys", help="Allow AWS IoT to create the keys of devices.")
    ] = False,
) -> None:
    """Add a claim certificate. By default AWS IoT issues it for a key that is created on this machine."""
    enrolment = parse_enrolment_name(name)
    given = _certificate(f"{enrolment} claim", key, days, csr, certificate)
    result = context.execute(documents.ADD_CLAIM_CERTIFICATE, enrolment=enrolment, createsKeys=creates_keys, **given)
    added: dict[str, Any] = result["addClaimCertificate"]
    if out is not None:
        out.write_text(added["certificatePem"])
    if out is None:
        context.screen.result(added, added["certificatePem"])
    else:
        context.screen.result(added, note=f"Wrote {out}; it expires at {added['expires']}")


@command(app, "list")
def list_certificates(context: CommandContext, name: Named) -> None:
    """List the claim certificates of an enrolment, with their expiry."""
    found = find(context, name)["claimCertificates"]
    context.screen.listing(found, render.certificates, "no claim certificate")


@command(app, "revoke")
def revoke(
    context: CommandContext,
    certificate: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Fingerprint of the claim certificate.")],
    yes: Yes = False,
) -> None:
    """Revoke a claim certificate permanently. Devices that were admitted with it stay."""
    certid = parse_fingerprint(certificate)
    effect = f"{certid} no longer admits devices. Admitted devices stay. This cannot be undone."
    confirmation.confirm(context, [effect], yes)
    revoked = context.execute(documents.REVOKE_CLAIM_CERTIFICATE, certificateId=certid)["revokeClaimCertificate"]
    context.screen.result(revoked, note=f"Revoked {certid}")


@command(approve_app, "approve")
def approve(
    context: CommandContext,
    name: Named,
    serial: Annotated[str, typer.Argument(metavar="SERIAL", help="Serial number of the device.")],
) -> None:
    """Approve another key for a serial number, once: the next device replaces the current one."""
    result = context.execute(
        documents.APPROVE_SERIAL_NUMBER, enrolment=parse_enrolment_name(name), serialNumber=parse_thing_name(serial)
    )
    approved: dict[str, Any] = result["approveSerialNumber"]
    context.screen.result(approved, note=f"Another key may use {serial} until {approved['until']}")


def _certificate(
    name: str, key: Path | None, days: int | None, csr: Path | None, certificate: Path | None
) -> dict[str, str]:
    """Return the argument of the mutation: a request or a certificate."""
    if sum(each is not None for each in (key, csr, certificate)) != 1:
        raise usage_error("got none or several of --key, --csr and --supplied, want one")
    if key is None and days is not None:
        raise usage_error("got --self-signed without --key, want it with a key")
    if key is not None and days is not None:
        lifetime = claim_keys.require_days(days)
        return {"certificatePem": claim_keys.self_signed(claim_keys.key_in(key), name, lifetime)}
    if key is not None:
        return {"csr": claim_keys.request_of(claim_keys.key_in(key), name)}
    if csr is not None:
        return {"csr": _text(csr)}
    assert certificate is not None  # noqa: S101  # one of the three is given
    return {"certificatePem": _text(certificate)}


def _text(file: Path) -> str:
    try:
        return read_content(file).decode("ascii")
    except UnicodeDecodeError:
        raise usage_error(f"got {file}, which is not text, want PEM", "UNREADABLE_FILE") from None
