"""Targets: the list of them, adding one, and trying whether everything is there."""

from typing import Annotated, Any

import typer

from admin_api.cli import documents
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.completion import complete_target
from admin_api.cli.errors import wrong_use
from admin_api.cli.exits import Status
from admin_api.cli.render import cells, tables
from lobby.names import parse_target_key

app = typer.Typer(no_args_is_help=True)
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET",
        help="account/Region or name; none where there is but one.",
        autocompletion=complete_target,
    ),
]


@command(app, "list")
def list_targets(desk: CommandContext) -> None:
    """Where devices may be sent."""
    found = desk.ask(documents.TARGETS)["targets"]
    if desk.screen.as_json:
        for each in found:
            desk.screen.record(each)
    elif found:
        desk.screen.show(tables.targets(found, desk.now()))
    else:
        desk.screen.note("no target is registered that you may claim for")


@command(app, "add")
def add(
    desk: CommandContext,
    target: Annotated[str, typer.Argument(metavar="ACCOUNT/REGION", help="Such as 222222222222/eu-west-1.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    profile: Annotated[
        list[str] | None,
        typer.Option(help="A device profile that its stack deploys. May be repeated. [default: default]"),
    ] = None,
    presence: Annotated[
        bool | None,
        typer.Option(
            "--presence/--no-presence",
            help="Whether a claim counts only once somebody has read the code off the device. [default: as it is]",
        ),
    ] = None,
) -> None:
    """Register a target, or rename it and set its profiles. Prints what the account's owner runs to set it up."""
    place = parse_target_key(target)
    found = desk.ask(
        documents.REGISTER_TARGET,
        account=place.account,
        region=place.region,
        name=name,
        profiles=profile or None,
        presence=presence,
    )["registerTarget"]
    if desk.screen.as_json:
        desk.screen.record(found)
        return
    profiles = ", ".join(found["profiles"])
    desk.screen.note(f"{place} is registered as {cells.clean(found['name'])}, with profiles {profiles}")
    if found["presence"]:
        desk.screen.note("Claims for it count once somebody has read the code off the device: lobbyctl confirm")
    if found["setupCommand"]:
        desk.screen.note("Its owner runs, with credentials of that account:")
        desk.screen.say(found["setupCommand"])


@command(app, "check")
def check(
    desk: CommandContext,
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Every target.")] = False,
) -> Status:
    """Try a target's role and each permission, changing nothing. Exits 1 where something is missing."""
    if names and every:
        raise wrong_use("got targets and --all, want one of them")
    asked: tuple[str | None, ...] = tuple(names) if names else (None,)
    known = desk.register.known if every else [desk.register.named(name) for name in asked]
    checks = [
        desk.ask(documents.CHECK_TARGET, account=each.target.account, region=each.target.region)["checkTarget"]
        for each in known
    ]
    for found in checks:
        _show(desk, found)
    return Status.DONE if all(found["ok"] for found in checks) else Status.REFUSED


def _show(desk: CommandContext, found: dict[str, Any]) -> None:
    place = f"{found['account']}/{found['region']}"
    if desk.screen.as_json:
        desk.screen.record(found)
        return
    missing = sum(not each["ok"] for each in found["findings"])
    desk.screen.say(f"{place}: " + ("everything is there" if found["ok"] else f"{missing} missing"))
    desk.screen.show(tables.findings(found))
    if not found["ok"]:
        entry = next((each for each in desk.ask(documents.TARGETS)["targets"] if _is(each, found)), None)
        if entry and entry["setupCommand"]:
            desk.screen.say(f"\nset it up, with credentials of that account:\n{entry['setupCommand']}")


def _is(entry: dict[str, Any], found: dict[str, Any]) -> bool:
    return (entry["account"], entry["region"]) == (found["account"], found["region"])
