"""Reads the CSV files of spreadsheets into lines of cells.

Accepts UTF-8 and UTF-16 with or without a byte order mark, Windows code pages, commas, semicolons, tabs and bars, a
first line ``sep=;``, cells such as ``="0012"`` and ``'0012``, empty or missing cells at the right, and lines with a
title above the header. Rejects workbooks and other files, and numbers that a spreadsheet has damaged
(`damaged_numbers`).
"""

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from lobby.errors import InvalidInput
from lobby.text.notations import visible

_SEPARATORS: Final = (",", ";", "\t", "|")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks. The mark of UTF-32 starts with the mark of UTF-16, so UTF-32 comes first."""
_OTHER_FILES: Final = (
    (b"PK\x03\x04", "a workbook or archive (.xlsx, .ods, .zip)"),
    (b"PK\x05\x06", "an empty archive (.zip)"),
    (b"\xd0\xcf\x11\xe0", "a workbook (.xls)"),
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture"),
    (b"\x1f\x8b", "a compressed file (.gz)"),
    (b"BZh", "a compressed file (.bz2)"),
    (b"\xfd7zXZ", "a compressed file (.xz)"),
    (b"\x28\xb5\x2f\xfd", "a compressed file (.zst)"),
    (b"Rar!", "an archive (.rar)"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"SQLite format", "a database"),
    (b"ID;P", "a symbolic link file (.slk)"),
    (b"7z\xbc\xaf", "an archive (.7z)"),
    (b"{\\rtf", "a text document (.rtf)"),
    (b"\0\0\0", "a picture or film"),
)
_OTHER_TEXTS: Final = (
    ("<", "a web page or XML (also if it is called .xls)"),
    ("MIME-Version:", "a web page (also if it is called .xls)"),
    ("{", "JSON"),
    ("[", "JSON"),
    ("-----BEGIN", "a certificate or key in PEM"),
)
_SEPARATOR_LINE: Final = re.compile(
    r"(\s*)\"?sep ?=(?: (?=[,;\t|]))?([^\r\n\"]?)\"?[,;\t|]*(?:\r\n|[\r\n]|\Z)", re.IGNORECASE
)
"""The first line. Programs that do not know it save it as cells, with their own separator."""
_FORMULA: Final = re.compile(r"=(?:T\()?\"((?:[^\"]|\"\")*)\"\)?", re.IGNORECASE)
_END_OF_FILE: Final = "\x1a"
"""The character that DOS programs write after the last line."""
_ALIASES: Final = {
    "certificateid": "certid",
    "sha256": "fingerprint",
    "sha256fingerprint": "fingerprint",
    "fingerprintsha256": "fingerprint",
}
"""Other names of columns, as AWS and certificate viewers use them."""
TITLE_LINES: Final = 10
"""The most records above the header: titles, and headings over several columns."""
_BLOCK: Final = 16
"""Excel omits the last cells of lines if they are empty in all lines of a block. The first block has the header."""
_SAVE_AS: Final = "a CSV file (in a spreadsheet: Save as, CSV UTF-8)"
_HEAD: Final = 10_000
"""The characters at the start in which the header is."""
CODE_PAGE: Final = "cp1252"
"""The assumed encoding of a file that is not Unicode. Its characters outside ASCII may be wrong."""


@dataclass(frozen=True)
class Sheet:
    """The records of a file: for each, the number of its first line, and its unchanged cells. `certain` is False if the
    encoding is a guess, so that characters outside ASCII may be wrong."""

    lines: tuple[tuple[int, tuple[str, ...]], ...]
    certain: bool = True


def read_sheet(content: bytes) -> Sheet:
    """Return the records that are not blank. Raise `InvalidInput` UNREADABLE_FILE."""
    text, certain = decoded(content)
    separator, first, body = _separator(text)
    lines = [(number + first, cells) for number, cells in _records(body, separator, first)]
    width = max((len(_trimmed(cells)) for _, cells in lines), default=0)
    complete = len(lines) if body.endswith(("\n", "\r")) else len(lines) - 1
    return Sheet(
        tuple(
            (number, _in_columns(cells, width, len(lines[0][1]) if _BLOCK <= at < complete else 0))
            for at, (number, cells) in enumerate(lines)
        ),
        certain,
    )


def plain_cell(cell: str) -> str:
    """Return a cell's text without the notation that prevents changes by a spreadsheet: ``="0012"``, ``'0012``."""
    text = cell.strip()
    formula = _FORMULA.fullmatch(text)
    if formula is not None:
        return formula[1].replace('""', '"').strip()
    return text[1:].strip() if re.match(r"'[=+\-@\d\t]", text) else text


def column_name(cell: str, known: Collection[str]) -> str:
    """Return the column of `known` that a cell of the header names, regardless of case, spaces, hyphens and invisible
    characters; otherwise the cell's text in lower case."""
    text = visible(plain_cell(cell)).strip().lower()
    letters = _ALIASES.get(_letters(text), _letters(text))
    return next((column for column in known if _letters(column) == letters), text)


def below_titles(sheet: Sheet, wanted: Collection[str]) -> Sheet:
    """Return the sheet from its header on: the first of `TITLE_LINES` records with one of the `wanted` columns. A
    sheet without such a record is returned unchanged."""
    for at, (_, cells) in enumerate(sheet.lines[:TITLE_LINES]):
        if any(column_name(cell, wanted) in wanted for cell in cells):
            return Sheet(sheet.lines[at:], sheet.certain)
    return sheet


def _letters(name: str) -> str:
    return re.sub(r"[\s_()-]", "", name)


def unreadable(got: str, want: str = "a CSV file whose first line names its columns") -> InvalidInput:
    """Return the error for a file that is not a list."""
    return InvalidInput("UNREADABLE_FILE", f"got {got}, want {want}")


def decoded(content: bytes) -> tuple[str, bool]:
    """Return the text of a file, and whether its encoding is certain. Raise `InvalidInput` UNREADABLE_FILE."""
    for start, kind in _OTHER_FILES:
        if content.startswith(start):
            raise unreadable(kind, _SAVE_AS)
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", _guessed(content)))
    certain = True
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark or encoding != "utf-8":
            raise unreadable(f"bytes that are not {encoding.upper()} (at {error.start})") from None
        text, certain = content.decode(CODE_PAGE, errors="replace"), False
    if "\0" in text:
        raise unreadable("zero bytes", _SAVE_AS)
    for sign, other in _OTHER_TEXTS:
        if text.lstrip("\ufeff \t\r\n").startswith(sign):
            raise unreadable(other, _SAVE_AS)
    return _without_end_of_file(text.lstrip("\ufeff")), certain


def _without_end_of_file(text: str) -> str:
    lines = text.rstrip(f"{_END_OF_FILE}\r\n")
    return lines if _END_OF_FILE in text[len(lines) :] else text


def _guessed(content: bytes) -> str:
    """UTF-16 without a mark has zero bytes at every other place, because the header is ASCII."""
    head = content[:64]
    if len(head) >= 4 and not any(head[1::2]) and all(head[0::2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[0::2]) and all(head[1::2]):
        return "utf-16-be"
    return "utf-8"


def _separator(text: str) -> tuple[str, int, str]:
    """Return the separator, the number of lines before the header, and the text that starts with the header."""
    named = _SEPARATOR_LINE.match(text)
    body = text[named.end() :] if named else text
    skipped = len(text[: len(text) - len(body)].splitlines()) if named else 0
    outside_quotes = _first_record(body)
    if named and named[2] and (named[2] in outside_quotes or not any(each in outside_quotes for each in _SEPARATORS)):
        return named[2], skipped, body
    return max(_SEPARATORS, key=outside_quotes.count), skipped, body


def _first_record(text: str) -> str:
    """Return the first record that is not blank, without its quoted cells. These may contain line ends."""
    outside = re.sub(r'"[^"]*"', '""', text[:_HEAD])
    return next((line for line in outside.splitlines() if line.strip()), "")


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


def _in_columns(cells: tuple[str, ...], width: int, header: int) -> tuple[str, ...]:
    """Remove columns at the right that are empty in every line, because spreadsheets save them. Add cells of the
    header's columns that this line lacks, because Excel omits them. `header` is 0 for a line to which this does not
    apply."""
    return (cells + ("",) * (header - len(cells)))[:width]
