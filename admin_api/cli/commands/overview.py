"""How many devices are where."""

import typer

from admin_api.cli import documents
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.render import details

app = typer.Typer()


@command(app, "overview")
def overview(desk: CommandContext) -> None:
    """How many devices are in which state and target, and why devices fail."""
    found = desk.ask(documents.OVERVIEW)["overview"]
    if desk.screen.as_json:
        desk.screen.record(found)
    else:
        desk.screen.show(details.overview(found))
