"""Changes one device or many: looks up the devices, shows the changes, asks once, sends, and reports a result for each.

The output describes one device in a sentence, and several in a table. Devices that are refused or need no change are
not sent, but also have a result. The command writes the results while the change runs, so that it can continue after an
interruption.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from admin_api.cli.bulk.change_requests import (
    BulkChange,
    Change,
    ChangeOutcome,
    ListedDevice,
    PreviewedRow,
    Results,
    not_sent,
    previewed_row,
)
from admin_api.cli.bulk.claims import CHUNK
from admin_api.cli.bulk.results import change_record, change_results, devices_done, summary
from admin_api.cli.bulk.sender import paired
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.confirmation import confirm
from admin_api.cli.commands.selection import Execution, Selection
from admin_api.cli.commands.waiting import follow
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status, of_several
from admin_api.cli.follow import Goal, goal_of
from admin_api.cli.render import changes
from lobby.chunks import chunks
from lobby.errors import LobbyError
from lobby.names import Fingerprint

PAGE: Final = 200
"""Devices that are looked up in one request. The API accepts 1,000; smaller pages show progress."""
MAX_LISTED: Final = 20
"""Up to this number, the output lists each device. For more, it lists the number per result and the failed devices."""


@dataclass(frozen=True)
class Request:
    """The change that a command requests. `effect` describes the effect on a device. `asks` returns whether the change
    of a device needs a confirmation. `goal` is the state to wait for, if it does not depend on the device's state."""

    change: Change
    effect: Callable[[Mapping[str, Any]], str]
    asks: Callable[[Mapping[str, Any]], bool] = lambda _device: True
    goal: Goal | None = None


def carry_out(
    context: CommandContext, request: Request, selection: Selection, execution: Execution, timeout: float | None
) -> Status:
    """Change the selected devices; with a timeout, follow them. Raise the error of a single device."""
    selection.require_one()
    execution.check(selection.file)
    done = devices_done(execution.out) if execution.resume and execution.out else frozenset()
    rows = _selected(context, request.change, selection, done)
    if not rows:
        context.screen.note("no matching devices" if selection.is_filter else "nothing left to change")
        return Status.DONE
    single = rows[0] if len(rows) == 1 and not selection.is_filter and selection.file is None else None
    if single is not None and single.code is not None:
        raise ApiRefused(single.code, single.message or "")
    if execution.dry_run:
        return _show_dry_run(context, request, rows, single)
    _ask(context, request, selection, rows, single, execution.yes)
    outcomes, aborted_by = _send(context, request.change, rows, execution)
    _show(context, outcomes)
    if aborted_by is not None:
        raise aborted_by
    failed = [each for each in outcomes if not each.ok]
    if single is not None and failed:
        raise ApiRefused(failed[0].code or "REFUSED", failed[0].message or "")
    goals = {each.row.certid: request.goal or goal_of(each.device) for each in outcomes if each.ok and each.device}
    followed = follow(context, goals, timeout) if timeout is not None and goals else Status.DONE
    return of_several(len(outcomes) - len(failed), len(failed)) if failed else followed


def _selected(
    context: CommandContext, change: Change, selection: Selection, done: frozenset[Fingerprint]
) -> list[PreviewedRow]:
    """Return the devices with the lobby's prediction for each. The command looks up all devices before it changes
    any."""
    if selection.is_filter:
        wanted = selection.filter(context)
        found = [row for row in _matching(context, change, wanted) if row.certid not in done]
        return [replace(row, line=number) for number, row in enumerate(found, 1)]
    listed = [each for each in selection.listed(context) if each.certid not in done]
    if done:
        context.screen.note(f"skipping {len(done)} devices that were changed before")
    rows: list[PreviewedRow] = []
    with context.screen.progress_bar("looking up", len(listed)) as bar:
        for chunk in chunks(listed, PAGE):
            rows += _previewed(context, change, chunk)
            bar.advance(len(chunk))
    return rows


def _previewed(context: CommandContext, change: Change, chunk: Sequence[ListedDevice]) -> Iterator[PreviewedRow]:
    devices = [{"certid": each.certid} for each in chunk]
    nodes = context.execute(documents.PREVIEW_CHANGE, change=change, devices=devices, first=PAGE)["previewChange"]
    for each, node in paired(chunk, nodes["devices"]):
        yield previewed_row(each.line, node, each.certid)


def _matching(context: CommandContext, change: Change, wanted: Mapping[str, Any]) -> Iterator[PreviewedRow]:
    """Yield the devices that match a filter, each once. A device that changes during the query can be on two pages."""
    seen = set[Fingerprint]()
    for page in context.pages(documents.PREVIEW_CHANGE, "previewChange", change=change, filter=wanted, first=PAGE):
        for node in page["devices"]:
            certid = Fingerprint(node["certid"])
            if certid not in seen:
                seen.add(certid)
                yield previewed_row(0, node, certid)


def _ask(
    context: CommandContext,
    request: Request,
    selection: Selection,
    rows: Sequence[PreviewedRow],
    single: PreviewedRow | None,
    yes: bool,
) -> None:
    """Show the changes and ask for confirmation, once for all devices. A list or a filter can contain more devices than
    the user expects, so it always needs a confirmation. Raise as `confirm`."""
    changing = [row for row in rows if row.changes]
    is_bulk = selection.is_filter or selection.file is not None
    if not changing or not (is_bulk or any(request.asks(row.shown) for row in changing)):
        return
    if single is not None:
        confirm(context, [request.effect(single.shown)], yes)
        return
    context.screen.note_table(changes.table(rows, MAX_LISTED))
    confirm(context, [changes.counts(rows)], yes)


def _show_dry_run(
    context: CommandContext, request: Request, rows: Sequence[PreviewedRow], single: PreviewedRow | None
) -> Status:
    outcomes = [not_sent(row) for row in rows]
    if context.screen.as_json:
        for outcome in outcomes:
            prediction = {"changes": outcome.row.changes, "state": outcome.row.state, "dryRun": True}
            context.screen.record(change_record(outcome) | prediction)
    elif single is not None:
        context.screen.line(request.effect(single.shown) if single.changes else changes.result(single).plain)
    else:
        context.screen.show(changes.table(rows, MAX_LISTED))
    context.screen.note(changes.counts(rows))
    failed = sum(not outcome.ok for outcome in outcomes)
    return of_several(len(outcomes) - failed, failed)


def _send(
    context: CommandContext, change: Change, rows: Sequence[PreviewedRow], execution: Execution
) -> tuple[list[ChangeOutcome], LobbyError | None]:
    """Send the rows that change. Return all outcomes, and the error that aborted the sending."""
    bulk = BulkChange(_call(context, change), CHUNK)
    changing = [row for row in rows if row.changes]
    outcomes = [not_sent(row) for row in rows if not row.changes]
    file = change_results(execution.out, append=execution.resume)
    try:
        with file, context.screen.progress_bar("changing", len(changing)) as bar:
            file.add(outcomes)
            _record(context, outcomes)
            for chunk in bulk.send(changing):
                file.add(chunk)
                _record(context, chunk)
                outcomes += chunk
                bar.advance(len(chunk))
    except KeyboardInterrupt:
        sent = len(outcomes) - (len(rows) - len(changing))
        context.screen.note(f"{sent} of {len(changing)} devices sent; run the same command again to continue")
        raise
    return sorted(outcomes, key=lambda outcome: outcome.row.line), bulk.aborted_by


def _call(context: CommandContext, change: Change) -> Callable[[Sequence[PreviewedRow]], Results]:
    def call(rows: Sequence[PreviewedRow]) -> Results:
        devices = [
            {"certid": row.certid, "generation": row.generation, "devstate": row.shown["devstate"]} for row in rows
        ]
        results: Results = context.execute(documents.CHANGE, change=change, devices=devices)["changeDevices"]["results"]
        return results

    return call


def _record(context: CommandContext, outcomes: Sequence[ChangeOutcome]) -> None:
    for outcome in outcomes if context.screen.as_json else ():
        context.screen.record(change_record(outcome))


def _show(context: CommandContext, outcomes: Sequence[ChangeOutcome]) -> None:
    if context.screen.as_json:
        return
    for outcome in outcomes:
        if len(outcomes) <= MAX_LISTED or not outcome.ok:
            context.screen.line(changes.outcome_line(outcome))
    if len(outcomes) > 1:
        context.screen.line(summary(outcomes))
