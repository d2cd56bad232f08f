"""`targets rename`, `archive`, `restore`, `remove` and `history`: changes of a registered target, and their history.

An archived target accepts no new claims; its devices stay. Only an archived target without devices can be removed. The
commands that take a target out of service ask for confirmation first.
"""

from typing import Annotated, Any

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import Document
from admin_api.cli.documents import devices as documents
from admin_api.cli.render import cells, tables
from lobby.names import Target, parse_target_key

app = typer.Typer()
Named = Annotated[
    str, typer.Argument(metavar="TARGET", help="Target as account/Region or name.", autocompletion=complete_target)
]


@command(app, "rename")
def rename(context: CommandContext, target: Named, name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Rename a target. Names that could be mistaken for another target's are rejected."""
    found = context.targets.find(target)
    changed = _change(context, documents.RENAME_TARGET, "renameTarget", found.target, name=name)
    _show(context, changed, f"{found.target} is now {cells.clean(changed['name'])}")


@command(app, "archive")
def archive(context: CommandContext, target: Named, yes: Yes = False) -> None:
    """Stop new claims for a target. Its devices stay and can be moved, released and retried."""
    found = context.targets.find(target)
    effect = f"Devices can no longer be claimed for {found.target} ({cells.clean(found.name)}). Its devices stay."
    confirmation.confirm(context, [effect], yes)
    changed = _change(context, documents.ARCHIVE_TARGET, "archiveTarget", found.target)
    _show(context, changed, f"{found.target} is archived")


@command(app, "restore")
def restore(context: CommandContext, target: Named) -> None:
    """Allow claims for an archived target again."""
    found = context.targets.find(target)
    changed = _change(context, documents.RESTORE_TARGET, "restoreTarget", found.target)
    _show(context, changed, f"{found.target} accepts claims again")


@command(app, "remove")
def remove(context: CommandContext, target: Named, yes: Yes = False) -> None:
    """Remove an archived target without devices. Its account is not changed: see `deploy.sh destroy target`."""
    found = context.targets.find(target)
    effect = f"{found.target} ({cells.clean(found.name)}) is removed from this lobby. Its stack stays in its account."
    confirmation.confirm(context, [effect], yes)
    changed = _change(context, documents.REMOVE_TARGET, "removeTarget", found.target)
    _show(context, changed, f"{found.target} is removed")


@command(app, "history")
def history(
    context: CommandContext,
    target: Annotated[str, typer.Argument(metavar="ACCOUNT/REGION", help="The target, registered or removed.")],
) -> None:
    """Show the changes of a target, with time and user."""
    key = parse_target_key(target) if "/" in target else context.targets.find(target).target
    entries = context.execute(documents.TARGET_HISTORY, account=key.account, region=key.region)["targetHistory"]
    context.screen.listing(entries, tables.target_history)


def _change(context: CommandContext, document: Document, field: str, target: Target, **more: str) -> dict[str, Any]:
    changed: dict[str, Any] = context.execute(document, account=target.account, region=target.region, **more)[field]
    return changed


def _show(context: CommandContext, changed: dict[str, Any], text: str) -> None:
    context.screen.result(changed, line=text)
