"""`doctor`: devices that are suspected to share a certificate, and the recent problems of connections."""

from typing import Annotated, Any, Final

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import devices as documents
from admin_api.cli.exits import Status
from admin_api.cli.render import cells, tables

MAX_PROBLEMS: Final = 100
CLONE_SUSPECTED: Final = "CLONE_SUSPECTED"
_ADVICE: Final = (
    "its certificate seems to be in use twice; see devices show, then quarantine and revoke the device,"
    " or dismiss the suspicion"
)
app = typer.Typer()


@command(app, "doctor")
def doctor(
    context: CommandContext,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PROBLEMS, help="Maximum number of problems.")] = 50,
) -> Status:
    """List devices whose certificates seem to be in use twice, connections that AWS IoT refused, and takeovers.

    Shows problems of the last week, the latest first, and what to do. Exits with status 1 if there is a problem.
    """
    suspected = _suspected(context, limit)
    _show_suspected(context, suspected)
    problems = context.execute(documents.CONNECTION_PROBLEMS, first=limit)["connectionProblems"]
    if not problems:
        context.screen.note("no connection problems in the last week")
        return Status.REFUSED if suspected else Status.DONE
    context.screen.listing(problems, lambda found: tables.connection_problems(found, context.now()))
    if len(problems) == limit:
        context.screen.note(f"showing the last {limit}; there may be more")
    return Status.REFUSED


def _show_suspected(context: CommandContext, suspected: list[dict[str, Any]]) -> None:
    for device in suspected:
        if context.screen.as_json:
            context.screen.record({"code": CLONE_SUSPECTED, **device})
        else:
            context.screen.line(f"{cells.name(device)} ({cells.clean(device['devstate'])}): {_ADVICE}")


def _suspected(context: CommandContext, limit: int) -> list[dict[str, Any]]:
    """Return suspected devices, by their states. The counts of the overview show in which states there are any."""
    counts = context.execute(documents.OVERVIEW)["overview"]["reasons"]
    found: list[dict[str, Any]] = []
    for each in counts:
        if each["reason"] == CLONE_SUSPECTED and len(found) < limit:
            wanted = {"state": each["state"], "reason": CLONE_SUSPECTED}
            page = context.execute(documents.DEVICES, filter=wanted, first=limit - len(found))
            found += page["devices"]["nodes"]
    return found
