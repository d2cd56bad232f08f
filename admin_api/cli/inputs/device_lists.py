"""Reads lists of devices to change: the fingerprints in CSV files, or files with one fingerprint per line.

Claim lists, a manufacturer's manifest, the console's exports and files of results are accepted unchanged: other columns
are ignored. The list is checked completely before anything is looked up. Every invalid row is reported with its line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from admin_api.cli.bulk.change_requests import ListedDevice
from admin_api.cli.inputs.csv_claims import IDENTITY, RowError, certid_in
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, shown
from lobby.text.damaged_numbers import check_number
from lobby.text.label import decode_label
from lobby.text.spreadsheet import Sheet, below_titles, column_name, plain_cell, read_sheet, unreadable


@dataclass(frozen=True)
class DeviceList:
    """The devices, each once with the first line that names it, and the rows that name no device."""

    devices: tuple[ListedDevice, ...]
    errors: tuple[RowError, ...] = ()


def read_device_list(content: bytes) -> DeviceList:
    """Read and check a list. Raise `InvalidInput` UNREADABLE_FILE if `content` is not a list of devices."""
    sheet = below_titles(read_sheet(content), IDENTITY)
    if not sheet.lines:
        raise unreadable("an empty file")
    columns, lines = _columns(sheet)
    first: dict[Fingerprint, int] = {}
    errors: list[RowError] = []
    for number, cells in lines:
        try:
            first.setdefault(_certid(cells, columns), number)
        except LobbyError as error:
            errors.append(RowError(number, error.code, error.message))
    if not first and not errors:
        raise unreadable("a header without rows")
    return DeviceList(tuple(ListedDevice(line, certid) for certid, line in first.items()), tuple(errors))


def _columns(sheet: Sheet) -> tuple[list[str], tuple[tuple[int, tuple[str, ...]], ...]]:
    """Return the columns and the lines below the header. A file without a header has one column of fingerprints."""
    header = [column_name(cell, IDENTITY) for cell in sheet.lines[0][1]]
    if set(IDENTITY) & set(header):
        repeated = sorted(name for name in IDENTITY if header.count(name) > 1)
        if repeated:
            raise unreadable(f"column {repeated[0]} twice", "it once")
        return header, sheet.lines[1:]
    if len(header) == 1 and _is_device(header[0]):
        return ["certid"], sheet.lines
    raise unreadable(f"columns {shown(', '.join(header))}", f"one of {', '.join(IDENTITY)} among them")


def _is_device(text: str) -> bool:
    try:
        return bool(decode_label(text))
    except InvalidInput:
        return False


def _certid(cells: Sequence[str], columns: Sequence[str]) -> Fingerprint:
    if len(cells) != len(columns):
        raise InvalidInput("INVALID_ROW", f"got {len(cells)} cells, want {len(columns)} as in the header")
    row = {column: plain_cell(cell) for column, cell in zip(columns, cells, strict=True) if column in IDENTITY}
    for column, text in row.items():
        check_number(text, column)
    return certid_in(row)
