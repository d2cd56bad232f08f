"""Reads the devices to create from a CSV file: thing name, serial number, SKU and batch of each.

The header names the columns, in any order: `thing_name` (or `name`), `serial_number`, `sku`, `batch`; only the first is
required. `lobby.text.spreadsheet` reads the formats of spreadsheet programs. Numbers that a spreadsheet has damaged are
refused, because a certificate keeps them. Every row is checked before anything is created, and an error names the line.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.text.damaged_numbers import check_name
from lobby.text.spreadsheet import below_titles, column_name, plain_cell, read_sheet
from pki import storage
from pki.ca.profile import device_name
from pki.devices import details
from pki.devices.credentials import Order, refuse_duplicates
from pki.devices.details import Details

_LIMIT: Final = 1 << 27
_NAMES: Final = ("thing_name", "name")
_DETAILS: Final[Mapping[str, Callable[[object], str]]] = {
    "serial_number": details.serial_number,
    "sku": details.sku,
    "batch": details.batch,
}


def from_csv(path: Path) -> list[Order]:
    """Return an order for each row. Raise `InvalidInput` INVALID_NAMES_FILE, or for a row with its line number."""
    try:
        sheet = below_titles(read_sheet(storage.read(path, "a CSV file of devices", _LIMIT)), _NAMES)
    except InvalidInput as err:
        raise InvalidInput("INVALID_NAMES_FILE", f"{path}: {err.message}") from None
    known = (*_NAMES, *_DETAILS)
    columns = [column_name(cell, known) for cell in sheet.lines[0][1]] if sheet.lines else []
    _check_columns(path, columns)
    orders = [_order(path, number, columns, cells) for number, cells in sheet.lines[1:]]
    if not orders:
        raise _invalid(path, "a header without rows")
    refuse_duplicates(order.name for order in orders)
    return orders


def _check_columns(path: Path, columns: list[str]) -> None:
    unknown = [column for column in columns if column not in {*_NAMES, *_DETAILS}]
    if unknown or len(set(columns)) < len(columns) or len(set(columns) & set(_NAMES)) != 1:
        raise _invalid(path, f"the columns {shown(', '.join(columns))}")


def _order(path: Path, number: int, columns: Sequence[str], cells: Sequence[str]) -> Order:
    try:
        row = _by_column(columns, [plain_cell(cell) for cell in cells])
        for column in ("thing_name", "name", "serial_number"):
            check_name(row.get(column, ""), column)
        known = {name: check(row[name]) for name, check in _DETAILS.items() if row.get(name)}
        return Order(device_name(row.get("thing_name") or row.get("name", "")), details=Details(**known))
    except InvalidInput as err:
        raise InvalidInput(err.code, f"{path} line {number}: {err.message}") from None


def _by_column(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        raise InvalidInput("INVALID_NAMES_FILE", f"got {len(cells)} cells, want {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def _invalid(path: Path, got: str) -> InvalidInput:
    return InvalidInput(
        "INVALID_NAMES_FILE",
        f"got {got} in {path}, want the column thing_name, and optionally serial_number, sku, batch",
    )
