"""Devices as CSV: the columns of the list, one device per line.

A target is one cell, `account/Region`, so that a spreadsheet does not treat the account as a number and remove its
leading zeros. Texts that a spreadsheet would read as a number or date and change, such as the name ``0012``, are the
formula of a text: ``="0012"``. A cell that a spreadsheet would treat as a formula starts with an apostrophe (OWASP,
"CSV Injection"). `lobbyctl claim --file` and the console accept the file. The console's export has the same rules.
"""

import csv
import io
import re
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
_CHANGED: Final = re.compile(
    r"0\d+|\d{12,}|\d+e\d+|\d{1,4}([-:/])\d{1,4}(?:\1\d{1,4})?|true|false"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*-?\d{1,4}",
    re.IGNORECASE,
)
"""Texts that a spreadsheet reads as another value: with leading zeros, more digits than it keeps, an exponent, or a
date, time or truth value."""
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
"""Not changed for the programs that read the file: no fingerprint consists of digits alone."""


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
    """Return the text of a cell in a form that no spreadsheet changes or treats as a formula."""
    text = "" if value is None or value == "" else cells.clean(value)
    if _CHANGED.fullmatch(text) and not _FINGERPRINT.fullmatch(text):
        return f'="{text}"'
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
