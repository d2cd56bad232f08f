"""`users`: block users immediately, for example when a phone was stolen, and list those that are blocked."""

from typing import Annotated, Any

import typer
from rich.table import Table

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import users as documents
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from admin_api.cli.render import cells, tables
from admin_api.cli.render import users as render

app = typer.Typer(no_args_is_help=True)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="User name as histories show it, without user:.")]


@command(app, "block")
def block(context: CommandContext, name: _Name) -> None:
    """Refuse all requests of a user, within 5 seconds, even if the user's token is still valid.

    Running campaigns that the user has created or approved stop, with the reason USER_BLOCKED. `campaigns resume` by
    another user continues one. Then lists what the user has created and that still works, with the command that ends
    it. Repeat the command to see what is left.

    Also disable the user in Cognito. Otherwise they can sign in again when you unblock them.
    """
    blocked = context.execute(documents.BLOCK_USER, name=name)["blockUser"]
    screen = context.screen
    if not screen.as_json:
        screen.note(f"Blocked {cells.clean(blocked['name'])}")
    left = _left_by(context, blocked["name"])
    if screen.as_json:
        screen.record({**blocked, **left})
        return
    for campaign in left.get("campaigns", blocked["campaigns"]):
        screen.note(render.campaign_line(campaign))
    if left["created"]:
        screen.show(render.created(left["created"]))
        screen.note(render.created_note(left["created"]))


def _left_by(context: CommandContext, name: str) -> dict[str, Any]:
    """Return the unfinished campaigns of a blocked user and what the user has created. If they cannot be read, the user
    is blocked nevertheless: print a note, and return None as `created`."""
    try:
        found = context.execute(documents.LEFT_BY_USERS)["blockedUsers"]
    except (ApiRefused, NotSignedIn, Unreachable) as error:
        reason = cells.clean(f"{error.code}: {error.message}")
        context.screen.note(f"The user is blocked. What they have created could not be read ({reason}): run this again")
        return {"created": None}
    nothing: dict[str, Any] = {"campaigns": [], "created": []}
    left = next((each for each in found if each["name"] == name), nothing)
    for each in left["created"]:
        each["command"] = render.end_of(each)
    return left


@command(app, "unblock")
def unblock(context: CommandContext, name: _Name) -> None:
    """Accept the requests of a user again."""
    unblocked = context.execute(documents.UNBLOCK_USER, name=name)["unblockUser"]
    context.screen.result(unblocked, note=f"Unblocked {cells.clean(unblocked['name'])}")


@command(app, "list")
def list_blocked(context: CommandContext) -> None:
    """List the blocked users."""
    found = context.execute(documents.BLOCKED_USERS)["blockedUsers"]
    context.screen.listing(found, _table, "no blocked user")


def _table(found: list[dict[str, Any]]) -> Table:
    table = tables.plain("USER", "BLOCKED BY", "AT")
    for each in found:
        table.add_row(*(cells.clean(each[name]) for name in ("name", "by", "at")))
    return table
