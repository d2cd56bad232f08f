"""Claiming: devices by name, labels on photographs, or a list of any length.

All of it is checked before anything is sent. A list can be sent again: what is claimed already, for what it asks for,
is done.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from admin_api.cli.claim_requests import Row, Wish, read_config
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.sending import send
from admin_api.cli.commands.waiting import PATIENCE, Timeout, Wait
from admin_api.cli.completion import complete_target
from admin_api.cli.csv_claims import Defaults, Sheet, read_sheet
from admin_api.cli.errors import wrong_use
from admin_api.cli.exits import Status
from admin_api.cli.photos import read_photo
from admin_api.cli.results import Results

app = typer.Typer()


@command(app, "claim")
def claim(  # noqa: PLR0913, PLR0917  # a parameter is an option
    desk: CommandContext,
    devices: Annotated[
        list[str] | None, typer.Argument(metavar="DEVICE", help="Fingerprint, its first digits, label, or name.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            help="account/Region or name; none where there is but one.",
            autocompletion=complete_target,
        ),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Device profile. [default: the target's usual one]")] = None,
    config: Annotated[str | None, typer.Option(help="What the device is told there: text, or a JSON object.")] = None,
    photo: Annotated[
        list[Path] | None, typer.Option("--qr", metavar="PHOTO", help="Every label on it. May be repeated.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            metavar="CSV",
            help="certid (or fingerprint, label), target, profile, config; "
            "the factory's manifest as it is; - for stdin.",
        ),
    ] = None,
    ignore_columns: Annotated[bool, typer.Option("--ignore-columns", help="Pass over columns of other names.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Send the sound rows although others are not.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="CSV", help="What became of each row.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing.")] = False,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
) -> Status:
    """Claim devices for a target, before or after they are first seen. Claiming again for the same is no failure."""
    if bool(file) == bool(devices or photo):
        raise wrong_use(
            "got " + ("two ways to name devices" if file else "no device") + ", want DEVICE..., --qr or --file"
        )
    if not file and (ignore_columns or skip_bad):
        raise wrong_use("got --ignore-columns or --skip-bad without --file, want them with it")
    if out and file and file != Path("-") and out.resolve() == file.resolve():
        raise wrong_use(f"got {out} to read and to write, want another name for --out")
    defaults = Defaults(target, profile, config)
    if file:
        sheet = read_sheet(_content(file), desk.register, defaults, ignore_columns=ignore_columns)
        _require_sound(desk, sheet, skip_bad)
    else:
        sheet = Sheet(tuple(_named(desk, devices or [], photo or [], defaults)), (), ())
    if dry_run:
        return _would(desk, sheet.rows)
    return send(desk, sheet, "LINE" if file else "#", Results(out), timeout if wait else None)


def _content(file: Path) -> bytes:
    if file == Path("-"):
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as fault:
        raise wrong_use(f"got {file} ({fault.strerror}), want to read it", "UNREADABLE_FILE") from fault


def _require_sound(desk: CommandContext, sheet: Sheet, skip_bad: bool) -> None:
    """Names every bad row. Raises `InvalidInput` BAD_ROWS where they may not be skipped, or nothing else is left."""
    for line, earlier in sheet.repeated:
        desk.screen.note(f"note: line {line} says again what line {earlier} says")
    for fault in sheet.faults:
        desk.screen.remark({"line": fault.line, "code": fault.code, "message": fault.message}, str(fault))
    if sheet.faults and not (skip_bad and sheet.rows):
        total = len(sheet.faults)
        hint = "" if skip_bad else " (or --skip-bad)"
        raise wrong_use(f"got {total} bad row{'s' * (total > 1)}, want none{hint}; nothing was sent", "BAD_ROWS")


def _named(desk: CommandContext, devices: Sequence[str], photos: Sequence[Path], defaults: Defaults) -> Sequence[Row]:
    target = desk.register.named(defaults.target)
    if defaults.profile is not None:
        desk.register.require_profile(target, defaults.profile)
    wish = Wish(target.target, defaults.profile, read_config(defaults.config))
    certids = [desk.certid(text) for text in devices]
    for photo in photos:
        labels = read_photo(photo)
        desk.screen.note(f"{photo}: " + ", ".join(f"{certid[:12]}…" for certid in labels.certids))
        if labels.others:
            desk.screen.note(f"note: {photo} has {len(labels.others)} more, which are no device's label")
        certids += labels.certids
    return [Row(number, certid, wish) for number, certid in enumerate(dict.fromkeys(certids), 1)]


def _would(desk: CommandContext, rows: Sequence[Row]) -> Status:
    for row in rows if desk.screen.as_json else ():
        desk.screen.record({"line": row.line, "certid": row.certid, "target": str(row.wish.target), "dryRun": True})
    counts: dict[str, int] = {}
    for row in rows:
        counts[str(row.wish.target)] = counts.get(str(row.wish.target), 0) + 1
    for place, count in counts.items():
        desk.screen.note(f"would claim {count} for {place}")
    return Status.DONE
