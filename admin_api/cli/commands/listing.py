"""`devices list`: the devices that match a filter as a table, as CSV or as JSON, and how many there are.

The command prints JSON and CSV page by page as the pages arrive. A note states how many devices are not shown, so that
users notice an incomplete list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from admin_api.cli.command import OptionGroup, TargetFilter
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.filtering import (
    FingerprintFilter,
    NameFilter,
    OlderThan,
    ReasonFilter,
    RenewalFilter,
    StateFilter,
    device_filter,
)
from admin_api.cli.render import tables
from admin_api.cli.render.csv_rows import CSV_COLUMNS, csv_cells, csv_line

_PREFIXES: Final = frozenset({"namePrefix", "fingerprintPrefix"})


@dataclass(frozen=True)
class ListFilters(OptionGroup):
    """Which devices to list."""

    state: StateFilter = None
    target: TargetFilter = None
    name: NameFilter = None
    fingerprint: FingerprintFilter = None
    reason: ReasonFilter = None
    older_than: OlderThan = None
    renewal: RenewalFilter = None

    def filter(self, context: CommandContext) -> dict[str, Any]:
        return device_filter(context, self, self.target)


def show_list(context: CommandContext, wanted: Mapping[str, Any], limit: int | None, *, as_csv: bool) -> None:
    """Print at most `limit` devices. Print JSON and CSV page by page, as the pages arrive."""
    in_table: list[Mapping[str, Any]] = []
    count = 0
    if as_csv:
        context.screen.line(csv_line(CSV_COLUMNS))
    for page in context.device_pages(wanted, limit):
        count += len(page)
        if context.screen.as_json or as_csv:
            _print_each(context, page, as_csv=as_csv)
        else:
            in_table += page
    if in_table:
        context.screen.show(tables.devices(in_table, context.now(), context.screen.width))
    _note_rest(context, wanted, count, limit)


def _print_each(context: CommandContext, page: list[dict[str, Any]], *, as_csv: bool) -> None:
    for device in page:
        if as_csv:
            context.screen.line(csv_line(csv_cells(device)))
        else:
            context.screen.record(device)


def _note_rest(context: CommandContext, wanted: Mapping[str, Any], count: int, limit: int | None) -> None:
    """State that nothing matches, or how many devices are not shown, if the lobby counts them."""
    if not count:
        starts = "; --name and --fingerprint match the start" if _PREFIXES & set(wanted) else ""
        context.screen.note(f"no matching devices{starts}")
    elif count == limit:
        total = context.device_total(wanted)
        if total is None or total > count:
            of_all = "" if total is None else f" of {total:,}"
            context.screen.note(f"showing the first {limit:,}{of_all}; use --all or a higher --limit for more")
