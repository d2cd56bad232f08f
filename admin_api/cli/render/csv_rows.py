"""Devices as CSV: the columns of the list, one device per line.

A target is one cell, `account/Region`, so that a spreadsheet does not treat the account as a number and remove its
leading zeros. A cell that a spreadsheet would treat as a formula starts with an apostrophe (OWASP, "CSV Injection").
`lobbyctl claim --file` and the console accept the file.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from admin_api.cli.render import cells

CSV_COLUMNS: Final = (
    *("certid", "label", "devicename", "expectedname", "devstate", "reason", "target", "profile", "generation"),
    *("claimedby", "claimedat", "enteredat", "firstseen", "lobbyregion", "online", "onlinesince", "expectedat"),
    *("renewal", "renewby"),
)
_FIELDS: Final = {
    "label": "labelCode",
    "expectedname": "expectedName",
    "claimedby": "claimedBy",
    "claimedat": "claimedAt",
    "enteredat": "enteredAt",
    "firstseen": "firstSeen",
    "lobbyregion": "lobbyRegion",
    "onlinesince": "onlineSince",
    "expectedat": "expectedAt",
}
"""The column → the API's field, where their names differ."""


def csv_cells(device: Mapping[str, Any]) -> list[str]:
    """Return the cells of a device in the order of `CSV_COLUMNS`."""
    target = cells.target(device) if device.get("targetaccount") else None
    online = {True: "yes", False: "no", None: None}[device.get("online")]
    found = device.get("renewal")
    renewal = {"renewal": cells.renewal(device).plain if found else None, "renewby": found["by"] if found else None}
    row = {column: device.get(_FIELDS.get(column, column)) for column in CSV_COLUMNS}
    return [safe_cell(value) for value in (row | {"target": target, "online": online} | renewal).values()]


def csv_line(cells_: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells_)
    return out.getvalue()


def safe_cell(value: object) -> str:
    """Return the text of a cell in a form that no spreadsheet treats as a formula."""
    text = "" if value is None or value == "" else cells.clean(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
