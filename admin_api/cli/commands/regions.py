"""`regions`: show which Region of the lobby is home, make another Region home, and find lost changes.

Each Region has its own API. A promotion uses the API of the Region to promote, because the home may be down: sign in to
it with --url. A local deployment has the addresses of all its Regions.
"""

from dataclasses import replace
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.documents import regions as documents
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status
from admin_api.cli.lobby_location import LocalLobby
from admin_api.cli.render import cells, tables

app = typer.Typer(no_args_is_help=True)
_PAGE: Final = 100
_Region = Annotated[str, typer.Argument(metavar="REGION", help="A Region of the lobby, such as eu-central-1.")]
_At = Annotated[
    str | None,
    typer.Option("--at", metavar="REGION", help="Use the API of this Region of a local deployment; otherwise --url."),
]


@command(app, "list")
def list_regions(context: CommandContext, at: _At = None) -> None:
    """List the Regions of the lobby, which one is home, and whether it accepts changes.

    REPLICATED is the time of the newest change in that Region that was replicated here. While replication works, it is
    at most about a minute ago.
    """
    _use(context, at)
    found = context.execute(documents.LOBBY)["lobby"]
    if context.screen.as_json:
        context.screen.record(found)
        return
    context.screen.show(_table(found["regions"]))
    if found["acceptsChanges"]:
        context.screen.note(f"{cells.clean(found['region'])} accepts changes")
    else:
        why = f"{cells.clean(found['code'])}: {cells.clean(found['message'])}"
        context.screen.note(f"{cells.clean(found['region'])} accepts no changes now: {why}")


@command(app, "promote")
def promote(context: CommandContext, region: _Region, yes: Yes = False) -> None:
    """Make a Region home, with its own API, and wait until it is home.

    If the old home answers, it stops immediately, and the promotion takes a minute, or longer if its last changes have
    not been replicated. Otherwise it takes until the lease of the old home has ended. Both take at most six minutes.
    Changes that were not replicated then are missing afterwards: see `lobbyctl regions check`.
    """
    _use(context, region)
    effect = (
        f"{cells.clean(region)} becomes home. Before that, no Region accepts changes; devices still get their routes."
    )
    confirm(context, [effect], yes)
    while True:
        result = context.execute(documents.PROMOTE, region=region)["promoteRegion"]
        if result["promoted"]:
            break
        context.screen.note(f"waiting {result['waitSeconds']} s for the old home to stop, or for its last changes")
        context.environment.sleep(result["waitSeconds"])
    if context.screen.as_json:
        context.screen.record({"home": region, "promoted": True})
    else:
        context.screen.line(f"{cells.clean(region)} is home. Next: lobbyctl regions check")


@command(app, "without")
def without(context: CommandContext, region: _Region, at: _At = None, yes: Yes = False) -> None:
    """Let the home accept changes while another Region is down, until that Region answers again.

    Needed only if the Regions that answer are not a majority, as in a lobby with two Regions.
    """
    _use(context, at)
    effect = f"The home accepts changes without {cells.clean(region)}. Make sure that nobody promotes that Region."
    confirm(context, [effect], yes)
    found = context.execute(documents.WITHOUT, region=region)["continueWithout"]
    if context.screen.as_json:
        context.screen.record(found)
    else:
        context.screen.line(
            f"{cells.clean(found['home'])} accepts changes without {cells.clean(region)} within a minute"
        )


@command(app, "check")
def check(
    context: CommandContext,
    anchors_of: Annotated[
        str | None,
        typer.Option(
            "--anchors-of", metavar="REGION", help="Compare with the anchors of the old home, once it answers again."
        ),
    ] = None,
    at: _At = None,
) -> Status:
    """Find devices, targets and enrolments whose last changes were not completely replicated. Exits with status 1 if
    there are any.

    Without --anchors-of, compares each row with the last entry of its history. This does not find changes that were not
    replicated at all. The anchors of the old home show such changes of devices.
    """
    _use(context, at)
    findings, checked = list[dict[str, Any]](), 0
    for page in context.pages(documents.CHECK, "regionCheck", first=_PAGE, anchorsOf=anchors_of):
        findings, checked = findings + page["findings"], checked + page["checked"]
    if not context.screen.as_json:
        context.screen.listing(findings, _findings, f"{checked} devices checked; no change is missing")
    settings = _checked_settings(context)
    if context.screen.as_json:
        context.screen.record({"checked": checked, "findings": findings, "settings": settings})
    elif settings is not None:
        context.screen.listing(settings, _settings, "targets and enrolments checked; no change is missing")
    return Status.DONE if not findings and settings == [] else Status.REFUSED


def _checked_settings(context: CommandContext) -> list[dict[str, Any]] | None:
    """Return the settings whose last changes were not replicated; None, with a note, if the API refuses to check them,
    for example because the Region has an earlier version."""
    try:
        found: list[dict[str, Any]] = context.execute(documents.CHECK_SETTINGS)["regionCheck"]["settings"]
    except ApiRefused as refused:
        reason = cells.clean(f"{refused.code}: {refused.message}")
        context.screen.note(f"The settings (targets and enrolments) were not checked: {reason}")
        return None
    return found


def _use(context: CommandContext, region: str | None) -> None:
    """Use the API of a Region, if `lobby.json` has its address."""
    lobby = context.lobby
    place = lobby.regions.get(region) if region and isinstance(lobby, LocalLobby) else None
    if place is not None and isinstance(lobby, LocalLobby):
        context.lobby = replace(lobby, graphql_url=place.graphql_url, client_id=place.client_id)


def _table(found: list[dict[str, Any]]) -> Table:
    table = tables.plain("REGION", "HOME", "ANSWERS", "NEEDED", "REPLICATED")
    for each in found:
        answers = "yes" if each["answers"] else f"no: {cells.clean(each['why'] or '')}"
        marks = ("home" if each["isHome"] else ""), answers, ("yes" if each["isNeeded"] else "no")
        table.add_row(cells.clean(each["name"]), *marks, cells.clean(each["replicatedAt"] or ""))
    return table


def _findings(found: list[dict[str, Any]]) -> Table:
    table = tables.plain("DEVICE", "CODE", "ENTRY", "MESSAGE")
    for each in found:
        table.add_row(
            cells.clean(each["certid"]), cells.clean(each["code"]), str(each["seq"]), cells.clean(each["message"])
        )
    return table


def _settings(found: list[dict[str, Any]]) -> Table:
    table = tables.plain("KIND", "NAME", "CODE", "MESSAGE")
    for each in found:
        table.add_row(*(cells.clean(each[name]) for name in ("kind", "name", "code", "message")))
    return table
