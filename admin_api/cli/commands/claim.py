"""`claim`: claim devices by name, by the labels in photos, by a claim list of any length, or by serial number.

The command checks all input before it sends anything. A list can be sent again: a device that already has the requested
claim counts as claimed.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from admin_api.cli.bulk.claim_requests import ClaimRequest, ClaimRow, read_config
from admin_api.cli.bulk.claims import Device, predict
from admin_api.cli.bulk.results import claim_results, record_of
from admin_api.cli.command import DEVICE_HELP, TARGET_HELP, command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.selection import report_invalid_rows
from admin_api.cli.commands.sending import send_claims
from admin_api.cli.commands.serial_claims import claim_serials
from admin_api.cli.commands.waiting import DEFAULT_TIMEOUT, Timeout, Wait
from admin_api.cli.completion import complete_device, complete_target
from admin_api.cli.documents import MAX_ALIASES
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status, of_several
from admin_api.cli.inputs.csv_claims import ClaimList, Defaults, read_claim_list
from admin_api.cli.inputs.input_files import read_content
from admin_api.cli.inputs.photos import read_photo
from admin_api.cli.inputs.serial_files import read_serials
from admin_api.cli.render import tables
from lobby.chunks import chunks
from lobby.names import Fingerprint, parse_thing_name

app = typer.Typer()
_FILE_HELP = (
    "Claim list with a column certid, fingerprint or label, and optionally target, profile and config; "
    "a manifest; - for stdin."
)


@command(app, "claim")
def claim(  # noqa: PLR0913, PLR0917  # one parameter per option
    context: CommandContext,
    devices: Annotated[
        list[str] | None, typer.Argument(metavar="DEVICE", help=DEVICE_HELP, autocompletion=complete_device)
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help=TARGET_HELP, autocompletion=complete_target)
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Device profile. [default: the target's default]")] = None,
    config: Annotated[str | None, typer.Option(help="Config for the device: text or a JSON object.")] = None,
    photo: Annotated[
        list[Path] | None,
        typer.Option("--qr", metavar="PHOTO", help="Claim every device label in a photo. Repeatable."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="CSV", help=_FILE_HELP)] = None,
    serial: Annotated[
        list[str] | None,
        typer.Option("--serial", metavar="SERIAL", help="Claim by serial number, before the device joins. Repeatable."),
    ] = None,
    serials: Annotated[
        Path | None,
        typer.Option("--serials", metavar="FILE", help="Serial numbers to claim, one per line; - for stdin."),
    ] = None,
    ignore_columns: Annotated[bool, typer.Option("--ignore-columns", help="Ignore unknown columns.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip invalid rows and send the others.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="CSV", help="Write the result of each row.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the list and the ledger, send nothing.")] = False,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Claim devices for a target.

    Devices can be claimed before or after they first connect. Repeating a claim is not an error.
    """
    by_serial = bool(serial or serials)
    if sum((bool(file), bool(devices or photo), by_serial)) != 1:
        got = "several of them" if file or devices or photo or by_serial else "no device"
        raise usage_error(f"got {got}, want DEVICE... and --qr, or --file, or --serial and --serials")
    if by_serial:
        if out or dry_run or wait or ignore_columns or skip_bad:
            raise usage_error("got --serial with another option, want only --target, --profile and --config")
        named = [parse_thing_name(each) for each in serial or ()] + (read_serials(serials) if serials else [])
        return claim_serials(context, list(dict.fromkeys(named)), _request(context, Defaults(target, profile, config)))
    if not file and (ignore_columns or skip_bad):
        raise usage_error("got --ignore-columns or --skip-bad without --file, want them with it")
    if out and file and file != Path("-") and out.resolve() == file.resolve():
        raise usage_error(f"got {out} as input and output, want another file for --out")
    defaults = Defaults(target, profile, config)
    if file:
        claims = read_claim_list(read_content(file), context.targets, defaults, ignore_columns=ignore_columns)
        _report_invalid_rows(context, claims, skip_bad)
    else:
        claims = ClaimList(tuple(_rows(context, devices or [], photo or [], defaults)))
    line_title = "LINE" if file else "#"
    if dry_run:
        return _show_dry_run(context, claims, line_title)
    return send_claims(context, claims, line_title, claim_results(out), timeout if wait else None)


def _report_invalid_rows(context: CommandContext, claims: ClaimList, skip_bad: bool) -> None:
    """Print every duplicate and invalid row.

    Raise `InvalidInput` BAD_ROWS for invalid rows, unless `--skip-bad` permits skipping them and valid rows remain."""
    for line, earlier in claims.duplicates:
        context.screen.note(f"note: line {line} repeats line {earlier}")
    report_invalid_rows(context, claims.errors)
    if claims.errors and not (skip_bad and claims.rows):
        count = len(claims.errors)
        hint = "" if skip_bad else " (or use --skip-bad)"
        raise usage_error(f"got {count} invalid row{'s' * (count > 1)}, want none{hint}; nothing was sent", "BAD_ROWS")


def _rows(
    context: CommandContext, devices: Sequence[str], photos: Sequence[Path], defaults: Defaults
) -> Sequence[ClaimRow]:
    request = _request(context, defaults)
    certids = [context.find_device(text) for text in devices]
    for photo in photos:
        labels = read_photo(photo)
        context.screen.note(f"{photo}: " + ", ".join(f"{certid[:12]}…" for certid in labels.certids))
        if labels.other_codes:
            context.screen.note(f"note: ignored {len(labels.other_codes)} codes in {photo} that are not device labels")
        certids += labels.certids
    return [ClaimRow(number, certid, request) for number, certid in enumerate(dict.fromkeys(certids), 1)]


def _request(context: CommandContext, defaults: Defaults) -> ClaimRequest:
    target = context.targets.find(defaults.target)
    if defaults.profile is not None:
        context.targets.require_profile(target, defaults.profile)
    return ClaimRequest(target.target, defaults.profile, read_config(defaults.config))


def _show_dry_run(context: CommandContext, claims: ClaimList, line_title: str) -> Status:
    """Compare the rows with the ledger, and show the predicted outcomes. Invalid rows count as failed."""
    with context.screen.progress_bar("checking", len(claims.rows)) as bar:
        devices: dict[Fingerprint, Device] = {}
        for chunk in chunks(claims.rows, MAX_ALIASES):
            devices |= context.lookup([row.certid for row in chunk])
            bar.advance(len(chunk))
    outcomes = [predict(row, devices.get(row.certid)) for row in claims.rows]
    for outcome in outcomes if context.screen.as_json else ():
        context.screen.record(record_of(outcome) | {"dryRun": True})
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if failed and not context.screen.as_json:
        context.screen.show(tables.outcomes(failed, line_title))
    for target, count in Counter(str(outcome.row.request.target) for outcome in outcomes if outcome.ok).items():
        context.screen.note(f"would claim {count} device{'s' * (count > 1)} for {target}")
    if failed:
        codes = Counter(str(outcome.code) for outcome in failed)
        reasons = ", ".join(f"{count} {code}" for code, count in codes.items())
        context.screen.note(f"would refuse {len(failed)} ({reasons})")
    return of_several(len(outcomes) - len(failed), len(failed) + len(claims.errors))
