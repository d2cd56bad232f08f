"""`activity`: the actions of users, campaigns, rules and services on all devices.

The command reads pages from the API until it has the requested number of entries. It rejects options that exclude each
other.
"""

from typing import Annotated, Any, Final

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import webhooks as documents
from admin_api.cli.render import webhooks as render
from lobby.errors import InvalidInput
from lobby.names import ActorKind

app = typer.Typer()
_PAGE: Final = 100


@command(app, "activity")
def activity(
    context: CommandContext,
    user: Annotated[str | None, typer.Option(help="Only actions of this user.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only actions of this actor, such as campaign:<name>.")] = None,
    kind: Annotated[ActorKind | None, typer.Option(help="Only actions of this kind of actor.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Only actions for this target.", autocompletion=complete_target)
    ] = None,
    enrolment: Annotated[str | None, typer.Option(help="Only actions on devices of this enrolment.")] = None,
    since: Annotated[str | None, typer.Option(help="Only entries from this date or time on.")] = None,
    until: Annotated[str | None, typer.Option(help="Only entries before this date or time.")] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of entries.")] = 20,
) -> None:
    """Show the actions of users, campaigns, rules and services on devices, newest first. Entries are kept for 90
    days."""
    if user is not None and actor is not None:
        raise InvalidInput("INVALID_ACTOR", "got both --user and --actor, want one of them")
    where = context.targets.find(target).target if target is not None else None
    wanted = {
        "user": user,
        "actor": actor,
        "kind": kind.name if kind is not None else None,
        "target": {"account": where.account, "region": where.region} if where else None,
        "enrolment": enrolment,
        "since": since,
        "until": until,
    }
    entries = _entries(context, {key: value for key, value in wanted.items() if value is not None}, last)
    context.screen.listing(entries, render.activity, "no activity")


def _entries(context: CommandContext, wanted: dict[str, Any], last: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while len(found) < last:
        first = min(_PAGE, last - len(found))
        page = context.execute(documents.ACTIVITY, filter=wanted, first=first, after=after)["activity"]
        found += page["nodes"]
        after = page["next"]
        if after is None:
            break
    return found
