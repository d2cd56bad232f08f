"""`enrolments bundle`: a client with a new claim certificate, for devices that have only Python.

The command creates the key on this machine and stores it only in the bundle. An interrupted command reports that a
claim certificate may exist without a bundle. A repeated command continues with this certificate.
"""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from admin_api.cli.bundle import claim_keys, root_cas
from admin_api.cli.bundle.content import Bundle, packed
from admin_api.cli.bundle.work import BundleWork
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.enrolments import Named, find
from admin_api.cli.documents import enrolments as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.input_files import read_content
from admin_api.cli.lobby_location import LocalLobby
from lobby.names import parse_enrolment_name, shown
from lobby.wire import MQTT_PORT

app = typer.Typer()
DAYS: Final = 365
_ACTIVE: Final = "active"


class Source(StrEnum):
    """Who issues the claim certificate."""

    AWS = "aws"
    SELF_SIGNED = "self-signed"
    FILES = "files"


@command(app, "bundle")
def bundle(  # noqa: PLR0913, PLR0917  # one parameter per option
    context: CommandContext,
    name: Named,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Zip file to write. It must not exist.")],
    source: Annotated[
        Source, typer.Option(help="Issuer of the claim certificate: AWS IoT, its own key, or your files.")
    ] = Source.AWS,
    days: Annotated[
        int | None, typer.Option(help=f"Lifetime of a self-signed certificate in days. [default: {DAYS}]")
    ] = None,
    cert: Annotated[Path | None, typer.Option(metavar="FILE", help="With --source files: the certificate.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="With --source files: its private key.")] = None,
    host: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="HOST", help="Host name of the lobby. [default: the lobby's endpoint]"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"MQTT port of the lobby. [default: {MQTT_PORT}]")
    ] = None,
    root_ca: Annotated[
        Path | None, typer.Option("--root-cas", metavar="FILE", help="CAs of the lobby's server. [default: Amazon's]")
    ] = None,
) -> None:
    """Write a zip file with a client and a new claim certificate. The client needs only Python 3.11 and a serial
    number."""
    _check(source, days, cert, key)
    work = BundleWork(out)
    prepared = _prepared(context, parse_enrolment_name(name), host, port, root_ca)
    if work.resumed:
        context.screen.note(f"Continuing with the key in {work.folder}, from an interrupted run")
    key_file = key or work.key()
    request = _request(work, prepared.enrolment, source, DAYS if days is None else days, key_file, cert)
    try:
        added = _added(context, prepared.enrolment, request)
        complete = replace(
            prepared,
            certificate=added["certificatePem"],
            expires=added["expires"],
            key=claim_keys.pem_of(claim_keys.key_in(key_file)),
        )
        work.finish(packed(complete, context.now()))
    except BaseException:
        context.screen.note(
            f"note: no bundle was written. If `lobbyctl enrolments certificates list {name}` shows a new claim"
            " certificate, it is in no bundle: repeat this command to continue with it, or revoke it"
        )
        raise
    _report(context, out, added)


def _check(source: Source, days: int | None, cert: Path | None, key: Path | None) -> None:
    if (source is Source.FILES) != (cert is not None and key is not None) or (cert is None) != (key is None):
        raise usage_error("want both --cert and --key with --source files, and none of them otherwise")
    if days is not None and source is not Source.SELF_SIGNED:
        raise usage_error(f"got --days {days}, want it only with --source self-signed")
    claim_keys.require_days(DAYS if days is None else days)


def _prepared(context: CommandContext, name: str, host: str | None, port: int | None, root_ca: Path | None) -> Bundle:
    """Return the bundle without its claim certificate."""
    enrolment = find(context, name)
    local = context.lobby if isinstance(context.lobby, LocalLobby) else None
    endpoint = host or enrolment["endpoint"] or (local.endpoint if local else None)
    template = enrolment["provisioningTemplate"]
    if template is None:
        raise usage_error(f"got {name}, which has the door {enrolment['door']}, want an enrolment with the door claim")
    if endpoint is None:
        raise usage_error(f"got no endpoint from the lobby of {name}, want --endpoint HOST")
    roots = root_ca or (local.server_ca if local else None)
    return Bundle(
        enrolment=name,
        endpoint=endpoint,
        port=port or (local.mqtt_port if local else MQTT_PORT),
        template=template,
        certificate="",
        expires="",
        key="",
        root_cas=root_cas.in_file(roots) if roots else root_cas.of_aws(),
    )


def _request(
    work: BundleWork, enrolment: str, source: Source, days: int, key_file: Path, cert: Path | None
) -> dict[str, str]:
    """Return the argument of the mutation, the same when the command is repeated."""
    key, name = claim_keys.key_in(key_file), f"{enrolment} claim"
    if cert is not None:
        pem = read_content(cert).decode("ascii", errors="replace")
        claim_keys.require_key_of(key, pem, cert)
        return {"certificatePem": work.request(source, lambda: pem)}
    if source is Source.SELF_SIGNED:
        return {"certificatePem": work.request(source, lambda: claim_keys.self_signed(key, name, days))}
    return {"csr": work.request(source, lambda: claim_keys.request_of(key, name))}


def _added(context: CommandContext, enrolment: str, request: dict[str, str]) -> dict[str, Any]:
    result = context.execute(documents.ADD_CLAIM_CERTIFICATE, enrolment=enrolment, createsKeys=False, **request)
    added: dict[str, Any] = result["addClaimCertificate"]
    if added["state"] != _ACTIVE:
        context.screen.note(
            f"note: the claim certificate {added['certificateId']} is {shown(added['state'])}: it admits no device now"
        )
    return added


def _report(context: CommandContext, out: Path, added: dict[str, Any]) -> None:
    context.screen.result(
        {**added, "bundle": str(out)},
        note=f"Wrote {out}. Its claim certificate {added['certificateId']} expires at {added['expires']}",
    )
