"""The options of a change: its devices (named, in a list with --file, or by a filter) and how to carry it out.

The devices must be given in exactly one way, because a change of the wrong devices may be permanent. A list is read
completely before any device is looked up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from admin_api.cli.bulk.change_requests import ListedDevice
from admin_api.cli.command import DEVICE_HELP, OptionGroup
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.commands.filtering import (
    FingerprintFilter,
    NameFilter,
    OlderThan,
    ReasonFilter,
    RenewalFilter,
    StateFilter,
    device_filter,
)
from admin_api.cli.completion import complete_device, complete_target
from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.csv_claims import RowError
from admin_api.cli.inputs.device_lists import read_device_list
from admin_api.cli.inputs.input_files import read_content


@dataclass(frozen=True)
class Selection(OptionGroup):
    """Which devices to change."""

    devices: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DEVICE]...", help=DEVICE_HELP, autocompletion=complete_device),
    ] = None
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            metavar="CSV",
            help="CSV file with a column certid, fingerprint or label, or one fingerprint per line; - for stdin.",
        ),
    ] = None
    state: StateFilter = None
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TARGET",
            help="Devices that are claimed for this target: account/Region or name.",
            autocompletion=complete_target,
        ),
    ] = None
    name: NameFilter = None
    fingerprint: FingerprintFilter = None
    reason: ReasonFilter = None
    older_than: OlderThan = None
    renewal: RenewalFilter = None

    @property
    def is_filter(self) -> bool:
        given = (self.state, self.source, self.name, self.fingerprint, self.reason, self.older_than, self.renewal)
        return any(each is not None for each in given)

    def require_one(self) -> None:
        """Raise `InvalidInput` unless the options give the devices in exactly one way."""
        ways = {"devices": bool(self.devices), "a file": self.file is not None, "a filter": self.is_filter}
        given = [way for way, used in ways.items() if used]
        if len(given) != 1:
            want = "DEVICE..., --file, or a filter such as --state or --from"
            raise usage_error(f"got {' and '.join(given) or 'no device'}, want one of: {want}")

    def filter(self, context: CommandContext) -> dict[str, Any]:
        return device_filter(context, self, self.source)

    def listed(self, context: CommandContext) -> list[ListedDevice]:
        """Return the devices that are named or in the file, each once. If rows of the file name no device, print them
        and raise `InvalidInput` BAD_ROWS."""
        if self.file is None:
            certids = [context.find_device(text) for text in self.devices or ()]
            return [ListedDevice(number, certid) for number, certid in enumerate(dict.fromkeys(certids), 1)]
        found = read_device_list(read_content(self.file))
        report_invalid_rows(context, found.errors)
        if found.errors:
            count = len(found.errors)
            raise usage_error(f"got {count} invalid row{'s' * (count > 1)}, want none; nothing was sent", "BAD_ROWS")
        return list(found.devices)


@dataclass(frozen=True)
class Execution(OptionGroup):
    """How to carry a change out."""

    yes: Yes = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the predicted changes, and change nothing.")] = False
    out: Annotated[Path | None, typer.Option("--out", metavar="CSV", help="Write the result of each device.")] = None
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip the devices that --out reports as done, and add to it.")
    ] = False

    def check(self, file: Path | None) -> None:
        """Raise `InvalidInput` for options that conflict."""
        if self.resume and self.out is None:
            raise usage_error("got --resume without --out, want the results of the earlier run")
        if self.out and file and file != Path("-") and self.out.resolve() == file.resolve():
            raise usage_error(f"got {self.out} as input and output, want another file for --out")


def report_invalid_rows(context: CommandContext, errors: tuple[RowError, ...]) -> None:
    for error in errors:
        context.screen.note_record({"line": error.line, "code": error.code, "message": error.message}, str(error))
