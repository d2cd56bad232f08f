"""One thing, whole: a device with its route, certificate and history; the overview; who is signed in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from admin_api.cli.render import cells, tables

_BAR: Final = 30


def device(found: Mapping[str, Any], now: datetime) -> RenderableType:
    """A device as `devices show` shows it."""
    head = Text.assemble(
        (cells.clean(found["devicename"]), "bold"),
        "  ",
        cells.state(found["devstate"]),
        f"  for {cells.age(found['enteredAt'], now)}",
    )
    facts = pairs((label, value) for label, value in _facts(found) if value is not None)
    return Group(head, facts, Text(), chain(found), tables.history(found["history"] or ()))


def chain(found: Mapping[str, Any]) -> Text:
    """The history's heading, which says whether it can be relied on."""
    if found["historyIntact"]:
        return Text("history (its chain is whole)", "bold")
    return Text("history: ITS CHAIN IS BROKEN: an entry was altered, removed or put elsewhere", "bold red")


def check(found: Mapping[str, Any]) -> Text:
    """One line on a history that was verified."""
    line = Text.assemble(tables.mark(found["ok"]), f"  {found['certid']}  ")
    if not found["ok"]:
        where = "" if found["seq"] is None else f"entry {found['seq']}: "
        return line.append(f"{where}{found['code']}: {cells.clean(found['message'])}", "red")
    late = f", {found['pending']} not yet" if found["pending"] else ""
    return line.append(f"{found['entries']} entries, {found['anchored']} anchored{late}")


def pairs(facts: Iterable[tuple[str, object]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in facts:
        grid.add_row(f"  {label}", value if isinstance(value, Text) else cells.clean(value))
    return grid


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    claimed = found["targetaccount"] is not None
    yield "fingerprint", found["certid"]
    yield "label", found["labelCode"]
    yield "reason", Text(cells.clean(found["reason"]), "red") if found["reason"] else None
    yield "what to do", found["message"]
    yield "target", f"{cells.place(found)}, profile {found['profile']}" if claimed else None
    yield "claim", f"{found['generation']}, by {found['claimedBy']} at {found['claimedAt']}" if claimed else None
    yield "code", _code(found)
    yield "route", found["endpoint"]
    yield "config", found["config"] if claimed else None
    yield "left, not cleared", _places(found["previousTargets"])
    yield "first seen", found["firstSeen"]
    yield "last hello", found["lastSeen"]
    yield "its client", found["clientVersion"]
    yield "lobby", found["lobbyRegion"]
    yield from _certificate(found.get("certificate"))
    actions = [cells.ACTIONS.get(action, action) for action in found["allowedActions"]]
    yield "you can", ", ".join(actions) or "nothing"


def _code(found: Mapping[str, Any]) -> str | None:
    """What is to be done while it waits for the code that it shows."""
    left = found.get("triesLeft")
    if left is None:
        return None
    if found.get("showsCode") is False:
        return "its client shows none"
    seen = "it shows one" if found.get("showsCode") else "it has not said hello yet"
    return f"{seen}; lobbyctl confirm {found['certid'][:12]} CODE ({left} left to try)"


def _places(places: Sequence[Mapping[str, Any]]) -> str | None:
    return ", ".join(f"{each['account']}/{each['region']}" for each in places) or None


def _certificate(facts: Mapping[str, Any] | None) -> Iterator[tuple[str, object]]:
    if facts:
        yield "certificate", facts["subject"]
        yield "  issued by", facts["issuer"]
        yield "  serial", facts["serialNumber"]
        yield "  valid", f"{facts['notBefore']} to {facts['notAfter']}"
        yield "  key", f"{facts['key']}, {facts['signature']}"


def overview(found: Mapping[str, Any]) -> RenderableType:
    """How many devices are where."""
    parts: list[RenderableType] = [Text(f"{found['total']} devices", "bold"), _states(found["states"])]
    if found["targets"]:
        table = tables.plain("TARGET", "DEVICES", "OF THEM")
        for each in found["targets"]:
            of_them = ", ".join(f"{state['count']} {state['state']}" for state in each["states"])
            table.add_row(f"{each['account']}/{each['region']}", str(each["count"]), of_them)
        parts += [Text(), table]
    if found["reasons"]:
        table = tables.plain("STATE", "REASON", "DEVICES")
        for each in found["reasons"]:
            table.add_row(cells.state(each["state"]), cells.clean(each["reason"]), str(each["count"]))
        parts += [Text(), table]
    return Group(*parts)


def _states(states: Sequence[Mapping[str, Any]]) -> Table:
    most = max((each["count"] for each in states), default=0)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column()
    grid.add_column(justify="right")
    grid.add_column()
    for each in states:
        grid.add_row(cells.state(each["state"]), str(each["count"]), bar(each["count"], most))
    return grid


def bar(count: int, most: int) -> Text:
    """Its length is the count's part of the greatest; what is there at all shows."""
    length = round(_BAR * count / most) if most else 0
    return Text("█" * max(length, 1 if count else 0), "dim")
