"""Tables: devices, claim outcomes, histories, targets, findings and differences.

The table of devices has as many columns as fit the terminal. Without a terminal it has all of them, so that a filter
such as `grep` can search them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from admin_api.cli.bulk.claims import Outcome
from admin_api.cli.follow import Progress, Verdict
from admin_api.cli.render import cells

Device = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of the table of devices. It is shown in terminals of at least `min_width` columns."""

    title: str
    cell: Callable[[Device, datetime], str | Text]
    min_width: int = 0


COLUMNS: Final = (
    Column("STATE", lambda device, _: cells.state(device["devstate"])),
    Column("NAME", lambda device, _: cells.device_name(device)),
    Column("FINGERPRINT", lambda device, _: cells.digits(device["certid"])),
    Column("TARGET", lambda device, _: cells.target(device), 70),
    Column("SINCE", lambda device, now: cells.age(device["enteredAt"], now)),
    Column("ONLINE", lambda device, _: cells.online(device), 80),
    Column("REASON", lambda device, _: cells.clean(device["reason"]), 90),
    Column("RENEWAL", lambda device, _: cells.renewal(device), 100),
    Column("CLAIMED BY", lambda device, _: cells.clean(device["claimedBy"]), 110),
    Column("PROFILE", lambda device, _: cells.clean(device["profile"]), 125),
)


def plain(*titles: str) -> Table:
    """Return an empty table without lines, which other programs can parse by position."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def devices(nodes: Iterable[Device], now: datetime, width: int) -> Table:
    columns = [column for column in COLUMNS if column.min_width <= width]
    table = plain(*(column.title for column in columns))
    for device in nodes:
        table.add_row(*(column.cell(device, now) for column in columns))
    return table


def connection_problems(problems: Iterable[Mapping[str, Any]], now: datetime) -> Table:
    table = plain("LAST", "FINGERPRINT", "PLACE", "COUNT", "PROBLEM")
    for problem in problems:
        text = Text.assemble((cells.clean(problem["code"]), "red"), f": {cells.clean(problem['message'])}")
        age, place = cells.age(problem["lastAt"], now), cells.clean(problem["place"])
        table.add_row(f"{age} ago", cells.digits(problem["certid"]), place, str(problem["count"]), text)
    return table


def outcomes(results: Iterable[Outcome], line_title: str) -> Table:
    table = plain(line_title, "", "FINGERPRINT", "TARGET", "STATE")
    for outcome in results:
        failure = f"{cells.clean(outcome.code)}: {cells.clean(outcome.message)}"
        device = outcome.device if outcome.ok else None
        state = cells.state(device["devstate"]) if device else Text(failure, "red")
        target = str(outcome.row.request.target)
        table.add_row(str(outcome.row.line), mark(outcome.ok), outcome.row.certid[:12], target, state)
    return table


def mark(ok: bool) -> Text:
    return Text("✓", "green") if ok else Text("✗", "bold red")


def progress_line(progress: Progress) -> Text:
    """Render one change of a followed device."""
    device = cells.name(progress.device) if progress.device else progress.certid[:12]
    line = Text.assemble(f"{cells.seconds(progress.seconds):>8}  {device}  ", cells.state(progress.state))
    if progress.verdict is not Verdict.REACHED and progress.explanation:
        style = "red" if progress.verdict is Verdict.LOST else "dim"
        line.append(f"  {cells.clean(progress.explanation)}", style)
    return line


def history(entries: Iterable[Mapping[str, Any]]) -> Table:
    table = plain("#", "TIME", "EVENT", "CHANGE", "ACTOR", "TARGET", "REASON")
    for each in entries:
        change = cells.clean(f"{each['before'] or '·'} → {each['after'] or '·'}")
        row = (each["at"], each["event"], change, each["actor"], each["target"], each["reason"])
        table.add_row(str(each["seq"]), *(cells.clean(cell) for cell in row))
    return table


def targets(registered: Sequence[Mapping[str, Any]], now: datetime) -> Table:
    table = plain(
        "TARGET", "NAME", "PROFILES", "PRESENCE", "RATE", "CLONES", "LANE", "STANDBY", "REGISTERED BY", "SINCE"
    )
    for each in registered:
        table.add_row(
            cells.clean(f"{each['account']}/{each['region']}"),
            cells.clean(each["name"]) + (" (archived)" if each.get("archivedAt") else ""),
            cells.clean(", ".join(each["profiles"])),
            "required" if each.get("presence") else cells.NONE,
            f"{each['rate']:g}/s",
            cells.clean((each.get("clones") or "LOBBY").lower()),
            _lane(each["lane"]),
            _standby(each.get("standby")),
            cells.clean(each["createdBy"]),
            cells.age(each["createdAt"], now),
        )
    return table


def target_history(entries: Iterable[Mapping[str, Any]]) -> Table:
    table = plain("TIME", "EVENT", "ACTOR", "DETAIL")
    for each in entries:
        table.add_row(*(cells.clean(each[name]) for name in ("at", "event", "actor", "detail")))
    return table


def _lane(lane: Mapping[str, Any]) -> str:
    """Describe a target's lane: how many devices wait, and why."""
    waiting = f"{lane['waiting']} waiting" if lane["waiting"] else "empty"
    if lane["pausedAt"]:
        return f"{waiting}, paused by {cells.clean(lane['pausedBy'])}"
    return f"{waiting}, no answer since {cells.clean(lane['silentSince'])}" if lane["silentSince"] else waiting


def _standby(standby: Mapping[str, Any] | None) -> str:
    """Describe a target's standby: how many devices are prepared, or the progress of an evacuation."""
    if standby is None:
        return cells.NONE
    place = cells.clean(f"{standby['target']['account']}/{standby['target']['region']}")
    if standby["evacuatedAt"]:
        return f"{place}: evacuated, {standby['away']} there, {standby['left']} left"
    drilled = (standby["campaign"] or "").startswith("drill-")
    away = f", {standby['away']} {'there for a drill' if drilled else 'return'}" if standby["away"] else ""
    asked = f", {cells.clean(standby['askedBy'])} requests an evacuation" if standby["askedBy"] else ""
    return f"{place}: {standby['prepared']} of {standby['placed']} {standby['certificates']}{away}{asked}"


def findings(check: Mapping[str, Any]) -> Table:
    table = plain("", "STEP", "RESULT")
    for each in check["findings"]:
        table.add_row(mark(each["ok"]), cells.clean(each["step"]), cells.clean(each["message"]))
    return table


def differences(nodes: Iterable[Mapping[str, Any]]) -> Table:
    table = plain("", "NAME", "FINGERPRINT", "CODE", "DIFFERENCE", "REPAIR")
    for each in nodes:
        row = (
            cells.clean(each["devicename"]),
            cells.digits(each["certid"]),
            cells.clean(each["code"]),
            cells.clean(each["message"]),
        )
        table.add_row(mark(each["repaired"]), *row, cells.clean(each["repair"]))
    return table
