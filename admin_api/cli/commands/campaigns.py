"""`campaigns`: list, show, approve, pause, resume, cancel and undo campaigns, and the results of each device.

`campaign_creation` creates them.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.campaign_waiting import DEFAULT_TIMEOUT, Timeout, Wait, find, follow
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.documents import Document
from admin_api.cli.documents import campaigns as documents
from admin_api.cli.exits import Status
from admin_api.cli.render import campaigns as render
from admin_api.cli.render.csv_rows import csv_line
from lobby.names import parse_campaign_name

app = typer.Typer(no_args_is_help=True)
Named = Annotated[str, typer.Argument(metavar="NAME", help="Name of the campaign.")]
PAGE: Final = 20
_RESULTS: Final = 500


@command(app, "list")
def list_campaigns(
    context: CommandContext,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of campaigns.")] = PAGE,
) -> None:
    """List campaigns, the newest first, with their progress."""
    found = context.execute(documents.CAMPAIGNS, first=limit, after=None)["campaigns"]["nodes"]
    context.screen.listing(found, render.table, "no campaign yet; create one with lobbyctl campaigns create")


@command(app, "show")
def show(context: CommandContext, name: Named, wait: Wait = False, timeout: Timeout = DEFAULT_TIMEOUT) -> Status | None:
    """Show a campaign: its progress, failures by reason, expected end and history."""
    if wait:
        return follow(context, parse_campaign_name(name), timeout)
    campaign = find(context, parse_campaign_name(name))
    history = context.execute(documents.CAMPAIGN_HISTORY, name=campaign["name"])["campaign"]["history"]
    context.screen.result({**campaign, "history": history}, render.details(campaign, history))
    return None


@command(app, "approve")
def approve(context: CommandContext, name: Named, yes: Yes = False) -> None:
    """Approve a campaign of another user. It then starts."""
    campaign = find(context, parse_campaign_name(name))
    what = f"{campaign['operation'].lower()} of {campaign['changing']} devices, {render.place(campaign['target'])}"
    effect = f"{campaign['name']} by {campaign['createdBy']} starts: {what}."
    confirm(context, [effect], yes)
    _act(context, documents.APPROVE, name)


@command(app, "pause")
def pause(context: CommandContext, name: Named) -> None:
    """Pause a campaign. Changes that have started are completed."""
    _act(context, documents.PAUSE, name)


@command(app, "resume")
def resume(
    context: CommandContext, name: Named, wait: Wait = False, timeout: Timeout = DEFAULT_TIMEOUT
) -> Status | None:
    """Resume a campaign that was paused or has stopped automatically."""
    _act(context, documents.RESUME, name)
    return follow(context, parse_campaign_name(name), timeout) if wait else None


@command(app, "cancel")
def cancel(context: CommandContext, name: Named, yes: Yes = False) -> None:
    """Cancel a campaign. Devices that it has changed stay as they are; `undo` reverses the changes."""
    campaign = find(context, parse_campaign_name(name))
    confirm(context, [f"{campaign['name']} ends: {render.progress(campaign)}. It cannot be resumed."], yes)
    _act(context, documents.CANCEL, name)


@command(app, "undo")
def undo(
    context: CommandContext,
    name: Named,
    new_name: Annotated[
        str | None, typer.Option("--name", help="Name of the new campaign. [default: NAME-undo, NAME-undo-2, …]")
    ] = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status | None:
    """Undo an ended campaign: restore the previous target, profile and config of its devices.

    Devices that were changed since then are listed and skipped. After an undo that was cancelled, another one takes
    back the rest.
    """
    campaign = find(context, parse_campaign_name(name))
    confirm(context, [f"The devices that {campaign['name']} has changed return to their previous places."], yes)
    undone = context.execute(documents.UNDO, **{"name": campaign["name"], "as": new_name})["undoCampaign"]
    _report(context, undone)
    return follow(context, undone["name"], timeout) if wait else None


@command(app, "results")
def results(
    context: CommandContext,
    name: Named,
    outcome: Annotated[
        str | None,
        typer.Option(help="Only pending, waiting, awaited, done, failed, refused, unchanged, superseded or not tried."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the outcome of each device of a campaign."""
    in_table: list[dict[str, Any]] = []
    if as_csv:
        context.screen.line(csv_line(render.RESULT_COLUMNS))
    for page in _pages(context, parse_campaign_name(name), outcome):
        for each in page:
            if as_csv:
                context.screen.line(csv_line(render.result_cells(each)))
            elif context.screen.as_json:
                context.screen.record(each)
            else:
                in_table.append(each)
    if in_table:
        context.screen.show(render.results_table(in_table))


def _pages(context: CommandContext, name: str, outcome: str | None) -> Iterator[list[dict[str, Any]]]:
    pages = context.pages(documents.RESULTS, "campaignResults", name=name, outcome=outcome, first=_RESULTS)
    return (page["nodes"] for page in pages)


def _act(context: CommandContext, document: Document, name: str) -> None:
    changed: dict[str, Any] = context.execute(document, name=parse_campaign_name(name))
    _report(context, next(iter(changed.values())))


def _report(context: CommandContext, campaign: dict[str, Any]) -> None:
    context.screen.result(campaign, note=f"{campaign['name']} is {campaign['state']}: {render.progress(campaign)}")
