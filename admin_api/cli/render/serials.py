"""Tables of claims by serial number."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from admin_api.cli.render import cells, tables


def claims(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the claims whose devices have not joined."""
    table = tables.plain("SERIAL", "TARGET", "PROFILE", "CLAIMED", "BY")
    for each in found:
        target = f"{each['account']}/{each['region']}"
        table.add_row(cells.clean(each["serialNumber"]), target, each["profile"], each["claimedAt"], each["claimedBy"])
    return table


def results(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the result for each serial number."""
    table = tables.plain("SERIAL", "", "RESULT")
    for each in found:
        table.add_row(cells.clean(each["serialNumber"]), "✓" if each["ok"] else "✗", _result(each))
    return table


def _result(each: Mapping[str, Any]) -> str:
    if not each["ok"]:
        return cells.clean(f"{each['code']}: {each['message']}")
    if each["device"]:
        return f"{each['device']['devstate']} ({each['device']['certid'][:12]}…)"
    claim = each["claim"]
    return f"claimed for {claim['account']}/{claim['region']} when it joins"
