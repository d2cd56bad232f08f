"""A list of claims as a CSV file: read and checked whole before anything is sent.

The header names the columns: `certid`, `fingerprint` or `label` (any form that a label may have), and where wanted
`target`, `profile`, `config`. The factory's manifest is such a list as it is. Commas, semicolons and tabs separate.
Every row that breaks a rule is named with its line; a column that nobody knows is refused, as it may be a mistyped one.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from admin_api.cli.claim_requests import Row, Wish, read_config
from admin_api.cli.errors import wrong_use
from admin_api.cli.target_lookup import Register
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, shown
from lobby.wire import decode_label

IDENTITY: Final = ("certid", "fingerprint", "label")
WISH: Final = ("target", "profile", "config")
MANIFEST: Final = ("thing_name", "not_after")
"""What the factory's manifest has beside the fingerprint; of no use for a claim."""
_SEPARATORS: Final = (",", ";", "\t")


@dataclass(frozen=True)
class Defaults:
    """What a row without a value of its own gets, as it was typed."""

    target: str | None = None
    profile: str | None = None
    config: str | None = None


@dataclass(frozen=True)
class Fault:
    """A row that cannot be sent, and why."""

    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}: {self.message}"


@dataclass(frozen=True)
class Sheet:
    """What a file holds. `repeated` are lines that say again what an earlier one said: (line, the earlier line)."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    repeated: tuple[tuple[int, int], ...]


def read_sheet(content: bytes, register: Register, defaults: Defaults, *, ignore_columns: bool = False) -> Sheet:
    """Raises `InvalidInput` UNREADABLE_FILE where it is no such list at all, and what is wrong with `defaults`."""
    lines = list(_lines(_text(content)))
    if not lines:
        raise _unreadable("an empty file")
    columns = _columns(lines[0][1], ignore_columns)
    _require_defaults(columns, register, defaults)
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, cells in lines[1:]:
        try:
            rows.append(_row(number, _cells(cells, columns), register, defaults))
        except LobbyError as fault:
            faults.append(Fault(number, fault.code, fault.message))
    if not rows and not faults:
        raise _unreadable("a header without rows")
    return _without_repeats(rows, faults)


def _require_defaults(columns: Sequence[str], register: Register, defaults: Defaults) -> None:
    """What is wrong with what counts for all rows is said once."""
    if defaults.target is not None or "target" not in columns:
        target = register.named(defaults.target)
        if defaults.profile is not None and "target" not in columns:
            register.require_profile(target, defaults.profile)
        read_config(defaults.config)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _unreadable(f"bytes that are not UTF-8 (at {fault.start})") from None
    if "\0" in text:
        raise _unreadable("zero bytes (UTF-16?)")
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every line that is not blank, with the number of its first line in the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True, skipinitialspace=True)
    try:
        begin = 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as fault:
        raise _unreadable(f"line {begin}: {fault}") from None


def _separator(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=header.count)


def _columns(header: Sequence[str], ignore_others: bool) -> list[str]:
    columns = [cell.strip().lower() for cell in header]
    known = (*IDENTITY, *WISH, *MANIFEST)
    others = [cell for cell, column in zip(header, columns, strict=True) if column not in known]
    doubled = sorted({column for column in columns if column in known and columns.count(column) > 1})
    if not set(IDENTITY) & set(columns):
        raise _unreadable(f"columns {shown(', '.join(header))}", "one of certid, fingerprint and label among them")
    if doubled:
        raise _unreadable(f"column {doubled[0]} twice", "it once")
    if others and not ignore_others:
        wanted = ", ".join((*IDENTITY, *WISH))
        raise _unreadable(f"column {shown(others[0])}", f"only {wanted} (or --ignore-columns)")
    return columns


def _cells(cells: Sequence[str], columns: Sequence[str]) -> Mapping[str, str]:
    if len(cells) != len(columns):
        raise InvalidInput("INVALID_ROW", f"got {len(cells)} cells, want {len(columns)} as in the header")
    return dict(zip(columns, cells, strict=True))


def _row(line: int, cells: Mapping[str, str], register: Register, defaults: Defaults) -> Row:
    certid = _certid(cells)
    target = register.named(_said(cells, "target") or defaults.target)
    profile = _said(cells, "profile") or defaults.profile
    if profile is not None:
        register.require_profile(target, profile)
    config = read_config(_said(cells, "config") or defaults.config)
    return Row(line, certid, Wish(target.target, profile, config))


def _said(cells: Mapping[str, str], column: str) -> str:
    """An empty cell says nothing."""
    return cells.get(column, "").strip()


def _certid(cells: Mapping[str, str]) -> Fingerprint:
    """Of the first identity column that has a value; the others must say the same."""
    said = [cells[column] for column in IDENTITY if _said(cells, column)]
    certids = [decode_label(text) for text in said] or [decode_label("")]
    if len(set(certids)) > 1:
        raise InvalidInput("INVALID_ROW", f"got {shown(said[0])} and {shown(said[1])}, want one device")
    return certids[0]


def _without_repeats(rows: Sequence[Row], faults: list[Fault]) -> Sheet:
    """A device that is listed twice is claimed once; where its lines differ, nobody knows for what, so not at all."""
    first: dict[Fingerprint, Row] = {}
    repeated: list[tuple[int, int]] = []
    torn: set[Fingerprint] = set()
    for row in rows:
        earlier = first.setdefault(row.certid, row)
        if earlier is row:
            continue
        if earlier.wish.key == row.wish.key:
            repeated.append((row.line, earlier.line))
            continue
        torn.add(row.certid)
        said = f"got {row.certid[:12]}… for something else than in line {earlier.line}, want it listed once"
        faults.append(Fault(row.line, "INVALID_ROW", said))
    faults += [
        Fault(
            first[certid].line,
            "INVALID_ROW",
            "got a device that a later line has for something else, want it listed once",
        )
        for certid in torn
    ]
    kept = tuple(row for row in first.values() if row.certid not in torn)
    return Sheet(kept, tuple(sorted(faults, key=lambda fault: fault.line)), tuple(repeated))


def _unreadable(got: str, want: str = "a CSV file in UTF-8 whose first line names its columns") -> InvalidInput:
    return wrong_use(f"got {got}, want {want}", "UNREADABLE_FILE")
