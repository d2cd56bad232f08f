"""`enrolments`: list, show, change, pause, resume and revoke enrolments. `enrolment_creation` creates them."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.commands.signer_options import SignerCa, SignerDays, SignerKey, signer_of
from admin_api.cli.documents import Document
from admin_api.cli.documents import enrolments as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.serial_files import read_serials
from admin_api.cli.render import enrolments as render
from lobby.chunks import chunks
from lobby.errors import NotFound
from lobby.names import ThingName, parse_enrolment_name, shown

app = typer.Typer(no_args_is_help=True)
Named = Annotated[str, typer.Argument(metavar="NAME", help="Name of the enrolment.")]
Repeat = Annotated[
    str | None,
    typer.Option(
        metavar="RULE", help="Door claim: refuse or replace a second key of a serial number, or ask for an approval."
    ),
]
NONE: Final = "none"
_BATCH: Final = 1000


@command(app, "list")
def list_enrolments(context: CommandContext) -> None:
    """List all enrolments with their numbers of admitted and refused devices."""
    found = context.execute(documents.ENROLMENTS)["enrolments"]
    context.screen.listing(
        found, render.table, "no enrolment: every device with a certificate of a registered CA is admitted and waits"
    )


@command(app, "show")
def show(context: CommandContext, name: Named) -> None:
    """Show an enrolment: its conditions, limits, allocation, refusals by reason, and history."""
    enrolment = find(context, name)
    history = context.execute(documents.ENROLMENT_HISTORY, name=name)["enrolmentHistory"]
    context.screen.result({**enrolment, "history": history}, render.details(enrolment, history))


@command(app, "change")
def change(  # noqa: PLR0913, PLR0917  # one parameter per option
    context: CommandContext,
    name: Named,
    limit: Annotated[str | None, typer.Option(help="Maximum number of devices, or none.")] = None,
    starts: Annotated[str | None, typer.Option(help="Date or time at which the enrolment starts, or none.")] = None,
    ends: Annotated[str | None, typer.Option(help="Date or time at which the enrolment ends, or none.")] = None,
    repeat: Repeat = None,
    renew_after: Annotated[
        str | None, typer.Option(metavar="DAYS/GRACE", help="When certificates are renewed, or none.")
    ] = None,
    signer_key: SignerKey = None,
    signer_ca: SignerCa = None,
    signer_days: SignerDays = None,
) -> None:
    """Change the limit, the validity period, the renewal, the signer, or the treatment of a second key.

    Omitted values do not change. `--signer-key none`: AWS IoT signs from now on.
    """
    renewal = renew_after if renew_after == NONE else renewal_of(renew_after)
    signer = NONE if signer_key == NONE else signer_of(signer_key, signer_ca, signer_days)
    limits = {"limit": _number(limit), "starts": starts, "ends": ends}
    entered = limits | {"repeat": repeat, "renewal": renewal, "signer": signer}
    changes = {key: None if value == NONE else value for key, value in entered.items() if value is not None}
    if not changes:
        options = "--limit, --starts, --ends, --repeat, --renew-after or --signer-key"
        raise usage_error(f"got nothing to change, want {options}")
    changed = context.execute(documents.CHANGE_ENROLMENT, name=parse_enrolment_name(name), **changes)
    _report(context, changed["changeEnrolment"], f"Changed {name}")


@command(app, "add")
def add(
    context: CommandContext,
    name: Named,
    serials: Annotated[
        Path, typer.Option("--serials", metavar="FILE", help="Serial numbers, one per line; - for stdin.")
    ],
) -> None:
    """Add serial numbers to the list of an enrolment. Adding a number again changes nothing."""
    added = add_serials(context, parse_enrolment_name(name), read_serials(serials))
    context.screen.result({"enrolment": name, "added": added}, note=f"Added {added} serial numbers to {name}")


@command(app, "pause")
def pause(context: CommandContext, name: Named) -> None:
    """Pause an enrolment: its devices are refused until it is resumed. Admitted devices stay."""
    _set_state(context, name, documents.PAUSE_ENROLMENT, f"Paused {name}: its devices are refused")


@command(app, "resume")
def resume(context: CommandContext, name: Named) -> None:
    """Resume a paused enrolment. To readmit devices that it has refused, use `lobbyctl retry`."""
    _set_state(
        context,
        name,
        documents.RESUME_ENROLMENT,
        f"Resumed {name}; next: lobbyctl retry --state refused --reason ENROLMENT_PAUSED",
    )


@command(app, "revoke")
def revoke(context: CommandContext, name: Named, yes: Yes = False) -> None:
    """Revoke an enrolment permanently: its devices are refused. Admitted devices stay."""
    effect = f"{name} is revoked: it refuses its devices from now on. Admitted devices stay. This cannot be undone."
    confirmation.confirm(context, [effect], yes)
    _set_state(context, name, documents.REVOKE_ENROLMENT, f"Revoked {name}")


def find(context: CommandContext, name: str) -> dict[str, Any]:
    """Return an enrolment. Raise `NotFound` UNKNOWN_ENROLMENT."""
    found: list[dict[str, Any]] = context.execute(documents.ENROLMENTS)["enrolments"]
    enrolment = next((each for each in found if each["name"] == name), None)
    if enrolment is None:
        names = ", ".join(each["name"] for each in found) or "none yet"
        raise NotFound("UNKNOWN_ENROLMENT", f"got {shown(name)}, want one of: {names}")
    return enrolment


def add_serials(context: CommandContext, name: str, serials: list[ThingName]) -> int:
    """Add any number of serial numbers and return how many are new."""
    added = 0
    with context.screen.progress_bar("adding", len(serials)) as bar:
        for batch in chunks(serials, _BATCH):
            result = context.execute(documents.ADD_SERIAL_NUMBERS, enrolment=name, serialNumbers=batch)
            added += result["addSerialNumbers"]["added"]
            bar.advance(len(batch))
    return added


def renewal_of(text: str | None) -> dict[str, int] | None:
    """Return the renewal that `--renew-after` states: days until a certificate is due, and days of grace."""
    if text is None:
        return None
    age, slash, grace = text.partition("/")
    if not slash or not all(each.isascii() and each.isdigit() and len(each) < 5 for each in (age, grace)):
        raise usage_error(f"got --renew-after {shown(text)}, want DAYS/GRACE such as 365/30")
    return {"maximumAge": int(age), "grace": int(grace)}


def _number(limit: str | None) -> int | str | None:
    if limit is None or limit == NONE:
        return limit
    if not limit.isascii() or not limit.isdigit():
        raise usage_error(f"got --limit {shown(limit)}, want a number of devices or {NONE}")
    return int(limit)


def _set_state(context: CommandContext, name: str, document: Document, text: str) -> None:
    changed: dict[str, Any] = context.execute(document, name=parse_enrolment_name(name))
    _report(context, next(iter(changed.values())), text)


def _report(context: CommandContext, enrolment: dict[str, Any], text: str) -> None:
    context.screen.result(enrolment, note=text)
