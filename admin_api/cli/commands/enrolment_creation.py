"""`enrolments create`: conditions, limits, and the target of the claims. The command creates an enrolment with a list
as paused, and resumes it when the list is complete. So no device is refused because of an incomplete list. The command
can be repeated after an interruption.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from admin_api.cli.bulk.claim_requests import read_config
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.enrolments import Named, Repeat, add_serials, renewal_of
from admin_api.cli.commands.signer_options import SignerCa, SignerDays, SignerKey, signer_of
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import enrolments as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.serial_files import read_serials
from admin_api.cli.render import enrolments as render
from lobby.names import parse_enrolment_name, parse_fingerprint, shown

app = typer.Typer()


@command(app, "create")
def create(  # noqa: PLR0913, PLR0917  # one parameter per option
    context: CommandContext,
    name: Named,
    ca: Annotated[str | None, typer.Option(help="AWS IoT's id of the CA that signed the certificates.")] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="Field of the subject: C, ST, L, O, OU, serialNumber. Repeatable."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option("--names", metavar="PATTERN", help="Pattern of thing names: * for any characters, ? for one."),
    ] = None,
    serials: Annotated[
        Path | None, typer.Option("--serials", metavar="FILE", help="Serial numbers (thing names), one per line.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Maximum number of devices. [default: any]")] = None,
    starts: Annotated[
        str | None, typer.Option(help="Date or time at which the enrolment starts. [default: now]")
    ] = None,
    ends: Annotated[str | None, typer.Option(help="Date or time at which the enrolment ends. [default: never]")] = None,
    model: Annotated[str | None, typer.Option(help="Product model, shown with each device.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="TARGET[=WEIGHT]",
            help="Claim the devices for this target. Repeatable, with weights.",
            autocompletion=complete_target,
        ),
    ] = None,
    function: Annotated[
        str | None, typer.Option(help="Lambda function that chooses the target: device-lobby-allocation-…")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Profile of the claims. [default: the target's default]")] = None,
    config: Annotated[str | None, typer.Option(help="Config of the claims: text or a JSON object.")] = None,
    presence: Annotated[
        bool, typer.Option("--presence", help="Claims require proof of presence, even if the target does not.")
    ] = False,
    renew_after: Annotated[
        str | None,
        typer.Option(metavar="DAYS/GRACE", help="When certificates are renewed. [default: the profile's policy]"),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Attribute of the devices' things in targets. Repeatable."),
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Thing group of the devices' things in targets. Repeatable.")
    ] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Admit no device until the enrolment is resumed.")] = False,
    door: Annotated[str, typer.Option(help="Door of the devices: registration, claim or token.")] = "registration",
    repeat: Repeat = None,
    signer_key: SignerKey = None,
    signer_ca: SignerCa = None,
    signer_days: SignerDays = None,
) -> None:
    """Create an enrolment: devices that meet all conditions are admitted up to a limit, and claimed for a target."""
    allocation = _allocation(context, target or [], function, profile, config, presence)
    listed = read_serials(serials) if serials else None
    match = {
        "ca": parse_fingerprint(ca) if ca is not None else None,
        "subject": [_field(each) for each in subject or ()],
        "namePattern": pattern,
        "listed": listed is not None,
    }
    created = context.execute(
        documents.CREATE_ENROLMENT,
        name=parse_enrolment_name(name),
        match=match,
        limit=limit,
        starts=starts,
        ends=ends,
        model=model,
        allocation=allocation,
        paused=paused or listed is not None,
        door=door,
        repeat=repeat,
        renewal=renewal_of(renew_after),
        attributes=[_attribute(each) for each in attribute or ()] or None,
        thingGroups=group or None,
        signer=signer_of(signer_key, signer_ca, signer_days),
    )["createEnrolment"]
    if listed is not None:
        added = add_serials(context, name, listed)
        context.screen.note(f"Added {added} serial numbers")
        if not paused:
            created = context.execute(documents.RESUME_ENROLMENT, name=name)["resumeEnrolment"]
    context.screen.result(created, render.table([created]), note="It applies within half a minute")


def _field(text: str) -> dict[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise usage_error(f"got --subject {shown(text)}, want FIELD=VALUE such as O=Acme")
    return {"field": field, "value": value}


def _attribute(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise usage_error(f"got --attribute {shown(text)}, want NAME=VALUE such as site=berlin")
    return {"name": name, "value": value}


def _allocation(
    context: CommandContext,
    targets: Sequence[str],
    function: str | None,
    profile: str | None,
    config: str | None,
    presence: bool,
) -> dict[str, Any] | None:
    if not targets and function is None and profile is None and config is None and not presence:
        return None
    return {
        "targets": [_share(context, each) for each in targets] or None,
        "function": function,
        "profile": profile,
        "config": read_config(config),
        "presence": presence,
    }


def _share(context: CommandContext, text: str) -> dict[str, Any]:
    name, equals, weight = text.rpartition("=")
    if equals and not (weight.isascii() and weight.isdigit()):
        raise usage_error(f"got --target {shown(text)}, want TARGET or TARGET=WEIGHT with a whole number")
    found = context.targets.find(name if equals else text).target
    return {"target": {"account": found.account, "region": found.region}, "weight": int(weight) if equals else 1}
