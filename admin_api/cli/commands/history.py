"""`history show`, `history verify` and `history export`. `history DEVICE` is short for `history show DEVICE`.

An export is a signed file for recipients without access to the lobby. The command does not overwrite a file.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text
from typer.core import TyperGroup

from admin_api.cli.command import DEVICE_HELP, DeviceArgument, command
from admin_api.cli.command_context import MAX_HISTORY, CommandContext, unknown_device
from admin_api.cli.completion import complete_device
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import cells, details, tables
from admin_api.cli.verification import HistoryVerifier

DEFAULT: Final = "show"
_HELP: Final = ("--help", "-h")


class ShowByDefault(TyperGroup):
    """A group that runs `show` if the first argument is not a subcommand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=ShowByDefault, no_args_is_help=True)


@command(app, DEFAULT)
def show(
    context: CommandContext,
    device: DeviceArgument,
    last: Annotated[int, typer.Option(min=1, max=MAX_HISTORY, help="Maximum number of entries.")] = 100,
) -> None:
    """Show the latest history entries of a device, oldest first."""
    certid = context.find_device(device)
    node = context.execute(documents.HISTORY, certid=certid, last=last)["device"]
    if node is None:
        raise unknown_device(certid)
    if context.screen.as_json:
        for entry in node["history"]:
            context.screen.record({"certid": certid, **entry})
        return
    context.screen.show(Text(f"{cells.clean(node['devicename'])}  {certid}", "bold"))
    context.screen.show(tables.history(node["history"]))
    context.screen.show(details.history_heading(node))


@command(app, "verify")
def verify(
    context: CommandContext,
    devices: Annotated[
        list[str] | None, typer.Argument(metavar="DEVICE", help=DEVICE_HELP, autocompletion=complete_device)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Verify all devices, including those whose row was deleted.")
    ] = False,
) -> Status:
    """Verify histories against the device's row and the notary's anchors.

    Reports the first entry that was altered, removed or replaced. Recent entries may not be anchored yet;
    they are counted and are not an error. Exits with status 1 if a history is invalid.
    """
    if bool(devices) == every:
        raise usage_error(f"got {'devices and --all' if every else 'no device'}, want devices or --all")
    verifier = HistoryVerifier(context)
    if every:
        return verifier.verify_all()
    return verifier.verify([context.find_device(text) for text in dict.fromkeys(devices or ())])


@command(app, "export")
def export(
    context: CommandContext,
    device: DeviceArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this new file. [default: print]")] = None,
) -> None:
    """Export a device's history, signed by the lobby, for verification without a network.

    Anyone can verify the file with `lobby-verify FILE --key SHA256:…`. Give the key's fingerprint, which this command
    prints, to the recipient separately from the file. An existing file is not overwritten.
    """
    certid = context.find_device(device)
    found = context.execute(documents.EXPORT_HISTORY, certid=certid)["exportHistory"]
    if found is None:
        raise unknown_device(certid)
    if out is None:
        context.screen.line(found["content"].rstrip())
    else:
        _write_new(out, found["content"])
        if context.screen.as_json:
            context.screen.record({"certid": certid, "file": str(out), "key": found["key"]})
    if not context.screen.as_json:
        context.screen.note(f"Signed with the key {found['key']}")


def _write_new(path: Path, text: str) -> None:
    """Write a new file. Raise `InvalidInput` FILE_EXISTS, or UNREADABLE_FILE if it cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise usage_error(f"got {path}, which exists, want a new file", "FILE_EXISTS") from error
    except OSError as error:
        raise usage_error(f"cannot write {path} ({error.strerror})", "UNREADABLE_FILE") from error
