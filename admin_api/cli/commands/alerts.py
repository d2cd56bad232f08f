"""`alerts`: subscribe e-mail addresses to notices about devices, and list the subscriptions."""

from typing import Annotated, Any

import typer
from rich.table import Table

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import webhooks as documents
from admin_api.cli.render import cells, tables

app = typer.Typer(no_args_is_help=True)


@command(app, "add")
def add(
    context: CommandContext,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail address for the notices.")],
    notices: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="NOTICE,…", help="waiting, failed, refused, suspected, quarantined. [default: all]"
        ),
    ] = None,
) -> None:
    """Subscribe an e-mail address. AWS sends a confirmation to it. Every notice has a link to unsubscribe."""
    names = [name.strip() for name in notices.split(",")] if notices is not None else None
    added = context.execute(documents.ADD_ALERT, email=email, notices=names)["addAlert"]
    context.screen.result(added, note=f"AWS asks {cells.clean(added['email'])} to confirm")


@command(app, "list")
def list_alerts(context: CommandContext) -> None:
    """List the addresses that get notices."""
    found = context.execute(documents.ALERTS)["alerts"]
    context.screen.listing(found, _table, "no address")


def _table(found: list[dict[str, Any]]) -> Table:
    table = tables.plain("EMAIL", "CONFIRMED")
    for each in found:
        table.add_row(cells.clean(each["email"]), "yes" if each["confirmed"] else "not yet")
    return table
