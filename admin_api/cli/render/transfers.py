"""Tables of transfers: the devices in a transfer, and the results of offers, withdrawals, acceptances and
completions."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from admin_api.cli.render import cells, tables


def devices(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the devices in a transfer."""
    table = tables.plain("OFFER", "DEVICE", "NAME", "STATE", "LOBBY", "AT", "BY", "UNTIL")
    for each in found:
        transfer = each["transfer"]
        texts = (each["devicename"], each["devstate"], transfer["partner"], transfer["at"], transfer["by"])
        table.add_row(
            cells.clean(transfer["offer"]), cells.digits(each["certid"]), *map(cells.clean, texts), _until(transfer)
        )
    return table


def results(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the result for each device."""
    table = tables.plain("DEVICE", "NAME", "STATE", "RESULT")
    for each in found:
        result = "done" if each["ok"] else f"{each['code']}: {each['message']}"
        table.add_row(cells.digits(each["certid"]), *map(cells.clean, (each["devicename"], each["devstate"], result)))
    return table


def _until(transfer: Mapping[str, Any]) -> str:
    """Return the end of an offer, or of the time for which this lobby answers the device."""
    if transfer["step"] == "accepted":
        return cells.NONE
    over = transfer["expired"] or transfer["ended"]
    return cells.clean(transfer["until"] or transfer["expires"]) + (" (over)" if over else "")
