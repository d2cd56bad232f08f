"""Reads files with serial numbers: one in each line, or the first column of a CSV file.

A title in the first line, such as `serial`, is skipped. Every line is checked before anything is sent.
"""

from pathlib import Path
from typing import Final

from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.input_files import read_content
from lobby.errors import InvalidInput
from lobby.names import ThingName, parse_thing_name
from lobby.text.damaged_numbers import check_name
from lobby.text.spreadsheet import plain_cell, read_sheet

_TITLES: Final = frozenset({"serial", "serialnumber", "serial number", "serial_number", "name", "devicename", "thing"})
_SHOWN: Final = 5


def read_serials(file: Path) -> list[ThingName]:
    """Return the serial numbers, each once, in order; `-` is standard input. Raise `InvalidInput` UNREADABLE_FILE, or
    BAD_ROWS with the first invalid lines."""
    found: dict[ThingName, None] = {}
    wrong: list[str] = []
    for position, (line, cells) in enumerate(read_sheet(read_content(file)).lines):
        cell = plain_cell(cells[0]).strip()
        if position == 0 and cell.casefold() in _TITLES:
            continue
        try:
            check_name(cell, "of the serial numbers")
            found[parse_thing_name(cell)] = None
        except InvalidInput as error:
            wrong.append(f"line {line}: {error.message}")
    if wrong:
        shown = "; ".join(wrong[:_SHOWN])
        raise usage_error(f"got {len(wrong)} invalid lines in {file}, want none; nothing was sent: {shown}", "BAD_ROWS")
    if not found:
        raise usage_error(f"got no serial number in {file}, want one in each line", "BAD_ROWS")
    return list(found)
