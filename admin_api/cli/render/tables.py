"""Tables for people: devices, targets, claims, histories. As many columns as fit; the most telling ones stay.

Without a terminal there is room for all, so that a filter finds what it looks for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from admin_api.cli.bulk import Outcome
from admin_api.cli.follow import Progress, Verdict
from admin_api.cli.render import cells

Device = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """`least` is the width of the terminal, in columns, from which on this one is shown."""

    title: str
    cell: Callable[[Device, datetime], str | Text]
    least: int = 0


COLUMNS: Final = (
    Column("STATE", lambda device, _: cells.state(device["devstate"])),
    Column("NAME", lambda device, _: cells.clean(device["devicename"])),
    Column("FINGERPRINT", lambda device, _: str(device["certid"])[:12]),
    Column("TARGET", lambda device, _: cells.place(device), 70),
    Column("SINCE", lambda device, now: cells.age(device["enteredAt"], now)),
    Column("REASON", lambda device, _: cells.clean(device["reason"]), 90),
    Column("CLAIMED BY", lambda device, _: cells.clean(device["claimedBy"]), 110),
    Column("PROFILE", lambda device, _: cells.clean(device["profile"]), 125),
)


def plain(*titles: str) -> Table:
    """A table without lines: columns are told by their place, and a filter reads them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def columns_for(width: int) -> list[Column]:
    return [column for column in COLUMNS if column.least <= width]


def devices(found: Iterable[Device], now: datetime, width: int) -> Table:
    columns = columns_for(width)
    table = plain(*(column.title for column in columns))
    for device in found:
        table.add_row(*(column.cell(device, now) for column in columns))
    return table


def outcomes(told: Iterable[Outcome], line_title: str) -> Table:
    table = plain(line_title, "", "FINGERPRINT", "TARGET", "STATE")
    for each in told:
        now = cells.state(each.device["devstate"]) if each.ok and each.device else Text(_why(each), "red")
        table.add_row(str(each.row.line), mark(each.ok), each.row.certid[:12], str(each.row.wish.target), now)
    return table


def mark(ok: bool) -> Text:
    return Text("✓", "green") if ok else Text("✗", "bold red")


def progress_line(seen: Progress) -> Text:
    """One change of a device that is being followed."""
    who = cells.name(seen.device) if seen.device else seen.certid[:12]
    line = Text.assemble(f"{cells.seconds(seen.seconds):>8}  {who}  ", cells.state(seen.state))
    if seen.verdict is not Verdict.REACHED and seen.told:
        line.append(f"  {cells.clean(seen.told)}", "red" if seen.verdict is Verdict.LOST else "dim")
    return line


def history(entries: Iterable[Mapping[str, Any]]) -> Table:
    table = plain("#", "WHEN", "EVENT", "CHANGE", "WHO", "TARGET", "WHY")
    for each in entries:
        change = f"{each['before'] or '·'} → {each['after'] or '·'}"
        told = (each["at"], each["event"], change, each["actor"], each["target"], each["reason"])
        table.add_row(str(each["seq"]), *(cells.clean(cell) for cell in told))
    return table


def targets(registered: Sequence[Mapping[str, Any]], now: datetime) -> Table:
    table = plain("TARGET", "NAME", "PROFILES", "CLAIMS NEED", "BY", "SINCE")
    for each in registered:
        table.add_row(
            f"{each['account']}/{each['region']}",
            cells.clean(each["name"]),
            ", ".join(each["profiles"]),
            "the device's code" if each.get("presence") else cells.NONE,
            cells.clean(each["createdBy"]),
            cells.age(each["createdAt"], now),
        )
    return table


def findings(check: Mapping[str, Any]) -> Table:
    table = plain("", "STEP", "FOUND")
    for each in check["findings"]:
        table.add_row(mark(each["ok"]), cells.clean(each["step"]), cells.clean(each["message"]))
    return table


def differences(found: Iterable[Mapping[str, Any]]) -> Table:
    table = plain("", "NAME", "FINGERPRINT", "CODE", "FOUND", "MENDED BY")
    for each in found:
        told = (cells.clean(each["devicename"]), each["certid"][:12], each["code"], cells.clean(each["message"]))
        table.add_row(mark(each["repaired"]), *told, each["repair"] or "–")
    return table


def _why(outcome: Outcome) -> str:
    return f"{outcome.code}: {cells.clean(outcome.message)}"
