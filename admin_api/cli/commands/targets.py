"""`targets`: list, register, check, pause and resume targets. `target_changes` has the commands that change one.

The lobby checks the targets and creates the setup command; this module only shows them. `check` rejects targets
together with --all.
"""

from enum import StrEnum
from typing import Annotated, Any

import typer

from admin_api.cli.command import TARGET_HELP, command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import Document
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import cells, tables
from lobby.names import parse_target_key


class Clones(StrEnum):
    """The policy of a target for copied certificates."""

    LOBBY = "lobby"
    FLAG = "flag"
    QUARANTINE = "quarantine"


app = typer.Typer(no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(metavar="TARGET", help=TARGET_HELP, autocompletion=complete_target)]


@command(app, "list")
def list_targets(
    context: CommandContext,
    archived: Annotated[bool, typer.Option("--archived", help="Also list archived targets.")] = False,
) -> None:
    """List the targets that you may claim devices for."""
    targets = context.execute(documents.TARGETS)["targets"]
    registered = [each for each in targets if archived or each["archivedAt"] is None]
    context.screen.listing(
        registered, lambda found: tables.targets(found, context.now()), "no target that you may claim for"
    )


@command(app, "add")
def add(
    context: CommandContext,
    target: Annotated[str, typer.Argument(metavar="ACCOUNT/REGION", help="Such as 222222222222/eu-west-1.")],
    name: Annotated[str, typer.Option(help="Display name.")],
    profile: Annotated[
        list[str] | None,
        typer.Option(help="A device profile that the target's stack deploys. Repeatable. [default: default]"),
    ] = None,
    presence: Annotated[
        bool | None,
        typer.Option(
            "--presence/--no-presence",
            help="Whether claims require proof of presence at the device. [default: unchanged]",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Maximum number of devices that are commissioned per second. Must be below the target's quota for"
            " RegisterCertificateWithoutCA. [default: unchanged; 9 for a new target]"
        ),
    ] = None,
    clones: Annotated[
        Clones | None,
        typer.Option(
            help="Policy for devices whose certificates seem to be in use twice; `lobby`: the lobby's policy."
            " [default: unchanged; lobby for a new target]"
        ),
    ] = None,
) -> None:
    """Register a target or update its name, profiles and rate, and print the setup command for the account's owner."""
    key = parse_target_key(target)
    registered = context.execute(
        documents.REGISTER_TARGET,
        account=key.account,
        region=key.region,
        name=name,
        profiles=profile or None,
        presence=presence,
        rate=rate,
        clones=clones.name if clones else None,
    )["registerTarget"]
    if context.screen.as_json:
        context.screen.record(registered)
        return
    profiles = ", ".join(registered["profiles"])
    context.screen.note(f"Registered {key} as {cells.clean(registered['name'])} with profiles {profiles}")
    context.screen.note(f"Up to {registered['rate']:g} devices per second are commissioned there")
    if registered["presence"]:
        context.screen.note("Claims for it need the code that the device shows: lobbyctl confirm")
    if registered["setupCommand"]:
        context.screen.note("The target's owner runs, with credentials of that account:")
        context.screen.line(registered["setupCommand"])


Name = Annotated[str | None, typer.Argument(metavar="TARGET", help=TARGET_HELP, autocompletion=complete_target)]


@command(app, "pause")
def pause(context: CommandContext, name: Name = None) -> None:
    """Pause a target: claims are accepted, but no further device is commissioned or cleared there."""
    _set_paused(context, name, documents.PAUSE_TARGET, "Paused {}: its devices wait until you run targets resume")


@command(app, "resume")
def resume(context: CommandContext, name: Name = None) -> None:
    """Resume a paused target."""
    _set_paused(context, name, documents.RESUME_TARGET, "Resumed {}: its devices continue within half a minute")


def _set_paused(context: CommandContext, name: str | None, document: Document, message: str) -> None:
    key = context.targets.find(name).target
    changed = context.execute(document, account=key.account, region=key.region)
    context.screen.result(next(iter(changed.values())), note=message.format(key))


@command(app, "check")
def check(
    context: CommandContext,
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Check every target.")] = False,
) -> Status:
    """Check a target's role and permissions. Changes nothing.

    Exits with status 1 if something is missing.
    """
    if names and every:
        raise usage_error("got targets and --all, want one of them")
    if every:
        targets = list(context.targets.open)
    else:
        targets = [context.targets.find(name) for name in names] if names else [context.targets.find(None)]
    checks = [
        context.execute(documents.CHECK_TARGET, account=each.target.account, region=each.target.region)["checkTarget"]
        for each in targets
    ]
    for result in checks:
        _show(context, result)
    return Status.DONE if all(result["ok"] for result in checks) else Status.REFUSED


def _show(context: CommandContext, result: dict[str, Any]) -> None:
    if context.screen.as_json:
        context.screen.record(result)
        return
    missing = sum(not each["ok"] for each in result["findings"])
    summary = "everything is in place" if result["ok"] else f"{missing} missing"
    context.screen.line(f"{result['account']}/{result['region']}: {summary}")
    context.screen.show(tables.findings(result))
    if not result["ok"]:
        targets = context.execute(documents.TARGETS)["targets"]
        registered = next((each for each in targets if _same_target(each, result)), None)
        if registered and registered["setupCommand"]:
            context.screen.line(f"\nTo set it up, run with credentials of that account:\n{registered['setupCommand']}")


def _same_target(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["account"], one["region"]) == (other["account"], other["region"])
