"""CSV files as spreadsheets save them, read into lines of cells.

Accepts UTF-8 and UTF-16 with or without a byte order mark, Windows code pages, commas, semicolons, tabs and bars, a
first line ``sep=;``, cells such as ``="0012"`` and ``'0012``, and empty columns at the right. Rejects workbooks, other
binary files, and numbers that a spreadsheet has damaged (``1.23457E+11``): their digits are lost.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

_SEPARATORS: Final = (",", ";", "\t", "|")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks. That of UTF-16 is the start of UTF-32's, so UTF-32 comes first."""
_OTHER_FILES: Final = (
    (b"PK\x03\x04", "a workbook or archive (.xlsx, .ods, .zip)"),
    (b"\xd0\xcf\x11\xe0", "a workbook (.xls)"),
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_SEPARATOR_LINE: Final = re.compile(r"\"?sep=(.)\"?\r?\n?", re.IGNORECASE)
_FORMULA: Final = re.compile(r"=\"((?:[^\"]|\"\")*)\"")
_SHORTENED: Final = re.compile(r"[+-]?\d([.,]\d{1,15})?E[+-]?\d{1,3}", re.IGNORECASE)
CODE_PAGE: Final = "cp1252"
"""The encoding of a file that is not Unicode. Its characters outside ASCII are not certain."""


@dataclass(frozen=True)
class Sheet:
    """The lines of a file: the number of each record's first line in the file, and its cells as they stand there.
    `certain` is False if the encoding is a guess, so that characters outside ASCII may be wrong."""

    lines: tuple[tuple[int, tuple[str, ...]], ...]
    certain: bool = True


def read_sheet(content: bytes) -> Sheet:
    """Return the records that are not blank. Raise `InvalidInput` UNREADABLE_FILE."""
    text, certain = _decoded(content)
    separator, first, body = _separator(text)
    lines = [(number + first, cells) for number, cells in _records(body, separator, first)]
    width = max((len(_trimmed(cells)) for _, cells in lines), default=0)
    return Sheet(tuple((number, _without_empty_columns(cells, width)) for number, cells in lines), certain)


def plain_cell(cell: str) -> str:
    """Return a cell's text without the notation that keeps a spreadsheet from changing it: ``="0012"``, ``'0012``."""
    text = cell.strip()
    formula = _FORMULA.fullmatch(text)
    if formula is not None:
        return formula[1].replace('""', '"').strip()
    return text[1:].strip() if re.match(r"'[=+\-@\d\t]", text) else text


def check_number(text: str, column: str) -> None:
    """Raise `InvalidInput` DAMAGED_NUMBER if a spreadsheet has replaced digits of `text` by an exponent."""
    if _SHORTENED.fullmatch(text):
        want = f"the digits: format the column {column} as text before you fill it"
        raise InvalidInput(
            "DAMAGED_NUMBER", f"got {shown(text)}, a number that a spreadsheet has shortened, want {want}"
        )


def unreadable(got: str, want: str = "a CSV file whose first line names its columns") -> InvalidInput:
    """Return the error for a file that is no list."""
    return InvalidInput("UNREADABLE_FILE", f"got {got}, want {want}")


def _decoded(content: bytes) -> tuple[str, bool]:
    for start, kind in _OTHER_FILES:
        if content.startswith(start):
            raise unreadable(kind, "a CSV file (in a spreadsheet: Save as, CSV UTF-8)")
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", _guessed(content)))
    certain = True
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark or encoding != "utf-8":
            raise unreadable(f"bytes that are not {encoding.upper()} (at {error.start})") from None
        text, certain = content.decode(CODE_PAGE, errors="replace"), False
    if "\0" in text:
        raise unreadable("zero bytes", "a CSV file (in a spreadsheet: Save as, CSV UTF-8)")
    return text, certain


def _guessed(content: bytes) -> str:
    """UTF-16 without a mark has zero bytes at every other place, because the header is ASCII."""
    head = content[:64]
    if len(head) >= 4 and not any(head[1::2]) and all(head[0::2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[0::2]) and all(head[1::2]):
        return "utf-16-be"
    return "utf-8"


def _separator(text: str) -> tuple[str, int, str]:
    """Return the separator, the number of lines before the header, and the text from the header on."""
    named = _SEPARATOR_LINE.match(text)
    if named is not None and (named.end() == len(text) or text[named.end() - 1] in "\r\n"):
        return named[1], 1, text[named.end() :]
    header = next((line for line in text.splitlines() if line.strip()), "")
    outside_quotes = re.sub(r'"[^"]*"', "", header)
    return max(_SEPARATORS, key=outside_quotes.count), 0, text


def _records(text: str, separator: str, skipped: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    first_line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield first_line, tuple(cells)
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise unreadable(f"line {first_line + skipped}: {error}") from None


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _without_empty_columns(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Cut the columns at the right that are empty in every line: spreadsheets save them."""
    return cells[:width]
