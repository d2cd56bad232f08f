"""Reads the devices to create from a CSV file: thing name, serial number, SKU and batch of each.

The header names the columns, in any order: `thing_name` (or `name`), `serial_number`, `sku`, `batch`; only the first is
required. The formats of spreadsheet programs are accepted: comma, semicolon or tab, a line `sep=`, UTF-8 or UTF-16.
Every row is checked before anything is created, and an error names the line.
"""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown
from pki import details, storage
from pki.details import Details
from pki.devices import Order, refuse_duplicates
from pki.profile import device_name

_LIMIT: Final = 1 << 27
_DELIMITERS: Final = ",;\t"
_NAMES: Final = ("thing_name", "name")
_DETAILS: Final[Mapping[str, Callable[[object], str]]] = {
    "serial_number": details.serial_number,
    "sku": details.sku,
    "batch": details.batch,
}


def from_csv(path: Path) -> list[Order]:
    """Return an order for each row. Raise `InvalidInput` INVALID_NAMES_FILE, or for a row with its line number."""
    lines = _text(path).splitlines()
    skipped = 0
    if lines and lines[0].lower().startswith("sep="):
        delimiter, skipped = lines[0][4:5] or ",", 1
    else:
        delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
    reader = csv.reader(lines[skipped:], delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num + skipped, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as err:
        raise _invalid(path, f"line {reader.line_num + skipped} that is not CSV ({err})") from None
    columns = [cell.lower() for cell in rows[0][1]] if rows else []
    _check_columns(path, columns)
    orders = [_order(path, number, columns, cells) for number, cells in rows[1:] if any(cells)]
    if not orders:
        raise _invalid(path, "a header without rows")
    refuse_duplicates(order.name for order in orders)
    return orders


def _text(path: Path) -> str:
    content = storage.read(path, "a CSV file of devices", _LIMIT)
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as err:
        raise _invalid(path, f"a file that is not UTF-8 or UTF-16 ({err.reason})") from None


def _check_columns(path: Path, columns: list[str]) -> None:
    unknown = [column for column in columns if column not in {*_NAMES, *_DETAILS}]
    if unknown or len(set(columns)) < len(columns) or len(set(columns) & set(_NAMES)) != 1:
        raise _invalid(path, f"the columns {shown(', '.join(columns))}")


def _order(path: Path, number: int, columns: list[str], cells: list[str]) -> Order:
    try:
        row = _by_column(columns, cells)
        known = {name: check(row[name]) for name, check in _DETAILS.items() if row.get(name)}
        return Order(device_name(row.get("thing_name") or row.get("name", "")), details=Details(**known))
    except InvalidInput as err:
        raise InvalidInput(err.code, f"{path} line {number}: {err.message}") from None


def _by_column(columns: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        raise InvalidInput("INVALID_NAMES_FILE", f"got {len(cells)} cells, want {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def _invalid(path: Path, got: str) -> InvalidInput:
    return InvalidInput(
        "INVALID_NAMES_FILE",
        f"got {got} in {path}, want the column thing_name, and optionally serial_number, sku, batch",
    )
