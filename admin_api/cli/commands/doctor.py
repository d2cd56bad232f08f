"""`doctor`: the recent problems of the connections of all devices."""

from typing import Annotated, Final

import typer

from admin_api.cli import documents
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.exits import Status
from admin_api.cli.render import tables

MAX_PROBLEMS: Final = 100
app = typer.Typer()


@command(app, "doctor")
def doctor(
    context: CommandContext,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PROBLEMS, help="Maximum number of problems.")] = 50,
) -> Status:
    """List devices whose connections AWS IoT refused, and identities that two devices use.

    Shows the last week, the latest first, and what to do. Exits with status 1 if there is a problem.
    """
    problems = context.execute(documents.CONNECTION_PROBLEMS, first=limit)["connectionProblems"]
    if not problems:
        context.screen.note("no connection problems in the last week")
        return Status.DONE
    context.screen.listing(problems, lambda found: tables.connection_problems(found, context.now()))
    if len(problems) == limit:
        context.screen.note(f"showing the last {limit}; there may be more")
    return Status.REFUSED
