"""The predicted and the actual results of a change: a table of the devices, or of groups of devices with the same
result."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from admin_api.cli.bulk.change_requests import ChangeOutcome, PreviewedRow
from admin_api.cli.render import cells, tables

_UNCHANGED: Final = "already as requested"
_REMOVED: Final = "removed"


def table(rows: Sequence[PreviewedRow], most: int) -> Table:
    """Return a table of the devices. If there are more than `most`, the table has the number of devices per result."""
    return _devices(rows) if len(rows) <= most else _groups(rows)


def counts(rows: Sequence[PreviewedRow]) -> str:
    """Return how many devices would change, need no change, and are refused, with the reasons."""
    changing, refused = sum(row.changes for row in rows), Counter(row.code for row in rows if row.code)
    parts = [f"{changing} of {len(rows)} device{'s' * (len(rows) != 1)} will be changed"]
    unchanged = len(rows) - changing - refused.total()
    if unchanged:
        parts.append(f"{unchanged} {_UNCHANGED}")
    if refused:
        reasons = ", ".join(f"{count} {cells.clean(code)}" for code, count in refused.most_common())
        parts.append(f"{refused.total()} refused ({reasons})")
    return "; ".join(parts)


def result(row: PreviewedRow) -> Text:
    """Return the predicted result of a device."""
    if row.code is not None:
        return Text(f"{cells.clean(row.code)}: {cells.clean(row.message)}", "red")
    if not row.changes:
        return Text(_UNCHANGED, "dim")
    return Text.assemble("→ ", cells.state(row.state) if row.state else _REMOVED)


def outcome_line(outcome: ChangeOutcome) -> str:
    """Return one line on the result of a device."""
    name = cells.name(outcome.device or outcome.row.shown)
    if outcome.code is not None:
        return f"{name}: {cells.clean(outcome.code)}: {cells.clean(outcome.message)}"
    state = cells.clean(outcome.device["devstate"]) if outcome.device else _REMOVED
    return f"{name}: {state}" if outcome.row.changes else f"{name}: {state}, {_UNCHANGED}"


def _devices(rows: Sequence[PreviewedRow]) -> Table:
    shown = tables.plain("", "NAME", "FINGERPRINT", "STATE", "TARGET", "CLAIM", "RESULT")
    for row in rows:
        device = row.shown
        shown.add_row(
            tables.mark(row.code is None),
            cells.device_name(device),
            row.certid[:12],
            cells.state(device["devstate"]),
            cells.target(device),
            str(row.generation),
            result(row),
        )
    return shown


def _groups(rows: Sequence[PreviewedRow]) -> Table:
    groups: Counter[tuple[str, str, str, bool]] = Counter()
    for row in rows:
        text = cells.clean(row.code) if row.code is not None else result(row).plain
        groups[cells.clean(row.shown["devstate"]), cells.target(row.shown), text, row.code is None] += 1
    shown = tables.plain("", "DEVICES", "STATE", "TARGET", "RESULT")
    for (state, target, text, ok), count in groups.most_common():
        shown.add_row(tables.mark(ok), str(count), cells.state(state), target, Text(text, "" if ok else "red"))
    return shown
