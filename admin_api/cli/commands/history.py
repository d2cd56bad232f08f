"""What befell a device, and whether the record of it is what it was. `history DEVICE` is `history show DEVICE`."""

from typing import Annotated, Any, Final

import typer
from rich.text import Text
from typer.core import TyperGroup

from admin_api.cli import documents
from admin_api.cli.command import command
from admin_api.cli.command_context import MOST_HISTORY, CommandContext
from admin_api.cli.errors import wrong_use
from admin_api.cli.exits import Status
from admin_api.cli.render import cells, details, tables
from admin_api.cli.verification import Verifying
from lobby.errors import NotFound

DEFAULT: Final = "show"
_HELP: Final = ("--help", "-h")


class ShowByDefault(TyperGroup):
    """A group whose first word may be left out where it is `show`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=ShowByDefault, no_args_is_help=True)


@command(app, DEFAULT)
def show(
    desk: CommandContext,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Fingerprint, its first digits, label, or name.")],
    last: Annotated[int, typer.Option(min=1, max=MOST_HISTORY, help="At most so many entries, the newest.")] = 100,
) -> None:
    """Everything that befell a device, oldest first. With --json one entry a line."""
    certid = desk.certid(device)
    found = desk.ask(documents.HISTORY, certid=certid, last=last)["device"]
    if found is None:
        raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device that the lobby knows")
    if desk.screen.as_json:
        for entry in found["history"]:
            desk.screen.record({"certid": certid, **entry})
        return
    desk.screen.show(Text(f"{cells.clean(found['devicename'])}  {certid}", "bold"))
    desk.screen.show(tables.history(found["history"]))
    desk.screen.show(details.chain(found))


@command(app, "verify")
def verify(
    desk: CommandContext,
    devices: Annotated[
        list[str] | None, typer.Argument(metavar="[DEVICE]...", help="Fingerprint, first digits, label, or name.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that ever were, also those whose row is gone.")] = False,
) -> Status:
    """Is a history what it was? Its entries are held against each other, the device's row, and the notary's anchors.

    Names the first entry that was altered, removed, cut off, rewritten or put over. Entries of the last minutes may not
    be anchored yet; that is said, and no fault. Exit status 1: one at least is not whole. With --json one a line.
    """
    if bool(devices) == every:
        raise wrong_use(f"got {'devices and --all' if every else 'no device'}, want devices or --all")
    work = Verifying(desk)
    if every:
        return work.all()
    return work.these([desk.certid(text) for text in dict.fromkeys(devices or ())])
