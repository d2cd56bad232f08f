"""Claim lists: CSV files that are read and checked completely before anything is sent.

The header names the columns: `certid`, `fingerprint` or `label` (any text that a label may contain), and optionally
`target`, `profile` and `config`. A manufacturer's manifest and the console's exports are accepted unchanged.
`spreadsheet` reads the formats of spreadsheets. Every invalid row is reported with its line. An unknown column is
refused, because its name may be misspelt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from admin_api.cli.api.target_lookup import TargetLookup
from admin_api.cli.bulk.claim_requests import ClaimRequest, ClaimRow, read_config
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, parse_thing_name, shown
from lobby.text.damaged_numbers import check_account, check_name, check_number
from lobby.text.label import decode_label
from lobby.text.spreadsheet import Sheet, below_titles, column_name, plain_cell, read_sheet, unreadable

IDENTITY: Final = ("certid", "fingerprint", "label")
REQUEST: Final = ("target", "profile", "config")
MANIFEST: Final = ("thing_name", "not_after", "serial_number", "sku", "batch")
EXPORT: Final = (
    *("devicename", "devstate", "reason", "generation", "claimedby", "claimedat", "enteredat", "firstseen"),
    *("lobbyregion", "line", "ok", "code", "message", "online", "onlinesince", "expectedat", "expectedname"),
    *("renewal", "renewby"),
)
"""The other columns of manifests, exports and files of results. They are ignored, except for `EXPECTED_NAME`."""
EXPECTED_NAME: Final = "thing_name"
"""The column of the expected names of the devices."""
ACCOUNT: Final = ("targetaccount", "targetregion")
"""The columns of an export that together name the target. They are used if `target` is empty."""


@dataclass(frozen=True)
class Defaults:
    """The values for rows without their own, as the user typed them."""

    target: str | None = None
    profile: str | None = None
    config: str | None = None


@dataclass(frozen=True)
class RowError:
    """A row that cannot be sent, and the reason."""

    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}: {self.message}"


@dataclass(frozen=True)
class ClaimList:
    """A checked claim list. `duplicates` are lines that repeat an earlier one: (line, earlier line)."""

    rows: tuple[ClaimRow, ...]
    errors: tuple[RowError, ...] = ()
    duplicates: tuple[tuple[int, int], ...] = ()


def read_claim_list(
    content: bytes, targets: TargetLookup, defaults: Defaults, *, ignore_columns: bool = False
) -> ClaimList:
    """Read and check a claim list.

    Raise `InvalidInput` UNREADABLE_FILE if `content` is not a claim list, and `LobbyError` for invalid `defaults`."""
    sheet = below_titles(read_sheet(content), IDENTITY)
    if not sheet.lines:
        raise unreadable("an empty file")
    columns = _columns(sheet.lines[0][1], ignore_columns)
    _check_defaults(columns, targets, defaults)
    rows: list[ClaimRow] = []
    errors: list[RowError] = []
    for number, cells in sheet.lines[1:]:
        try:
            rows.append(_row(number, _by_column(cells, columns, sheet), targets, defaults))
        except LobbyError as error:
            errors.append(RowError(number, error.code, error.message))
    if not rows and not errors:
        raise unreadable("a header without rows")
    return _without_duplicates(rows, errors)


def _check_defaults(columns: Sequence[str], targets: TargetLookup, defaults: Defaults) -> None:
    """Report an invalid default once, not for every row."""
    if defaults.target is not None or "target" not in columns:
        target = targets.find(defaults.target)
        if defaults.profile is not None and "target" not in columns:
            targets.require_profile(target, defaults.profile)
        read_config(defaults.config)


def _columns(header: Sequence[str], ignore_unknown: bool) -> list[str]:
    known = (*IDENTITY, *REQUEST, *MANIFEST, *EXPORT, *ACCOUNT)
    columns = [column_name(cell, known) for cell in header]
    unknown = [cell for cell, column in zip(header, columns, strict=True) if column not in known]
    repeated = sorted({column for column in columns if column in known and columns.count(column) > 1})
    if not set(IDENTITY) & set(columns):
        raise unreadable(f"columns {shown(', '.join(header))}", "one of certid, fingerprint and label among them")
    if repeated:
        raise unreadable(f"column {repeated[0]} twice", "it once")
    if unknown and not ignore_unknown:
        allowed = ", ".join((*IDENTITY, *REQUEST))
        raise unreadable(f"column {shown(unknown[0])}", f"only {allowed} (or --ignore-columns)")
    return columns


def _by_column(cells: Sequence[str], columns: Sequence[str], sheet: Sheet) -> Mapping[str, str]:
    """Return the cells of a row by column. Raise `InvalidInput` INVALID_ROW, INVALID_ENCODING or DAMAGED_NUMBER."""
    if len(cells) != len(columns):
        raise InvalidInput("INVALID_ROW", f"got {len(cells)} cells, want {len(columns)} as in the header")
    row = {column: plain_cell(cell) for column, cell in zip(columns, cells, strict=True)}
    for column in (*IDENTITY, *REQUEST, *ACCOUNT):
        text = row.get(column, "")
        if not sheet.certain and not text.isascii():
            raise InvalidInput("INVALID_ENCODING", f"got {shown(text)} in an unknown encoding, want a file in UTF-8")
        if column != "config":
            check_number(text, column)
    check_name(row.get(EXPECTED_NAME, ""), EXPECTED_NAME)
    return row


def _row(line: int, cells: Mapping[str, str], targets: TargetLookup, defaults: Defaults) -> ClaimRow:
    certid = certid_in(cells)
    target = targets.find(_target(cells) or defaults.target)
    profile = _cell(cells, "profile") or defaults.profile
    if profile is not None:
        targets.require_profile(target, profile)
    config = read_config(_cell(cells, "config") or defaults.config)
    name = _cell(cells, EXPECTED_NAME)
    request = ClaimRequest(target.target, profile, config)
    return ClaimRow(line, certid, request, parse_thing_name(name) if name else None)


def _target(cells: Mapping[str, str]) -> str:
    """Return the row's target, empty if it has none. Raise `InvalidInput` DAMAGED_NUMBER for an account that has lost
    its leading zeros."""
    account, region = (_cell(cells, column) for column in ACCOUNT)
    target = _cell(cells, "target") or (f"{account}/{region}" if account and region else "")
    if "/" in target:
        check_account(target.split("/")[0].strip())
    return target


def _cell(cells: Mapping[str, str], column: str) -> str:
    """Return the column's value, empty if the column is missing."""
    return cells.get(column, "")


def certid_in(cells: Mapping[str, str]) -> Fingerprint:
    """Return the fingerprint in the identity columns. All columns that have a value must agree."""
    values = [cells[column] for column in IDENTITY if _cell(cells, column)]
    certids = [decode_label(text) for text in values] or [decode_label("")]
    if len(set(certids)) > 1:
        raise InvalidInput("INVALID_ROW", f"got {shown(values[0])} and {shown(values[1])}, want one device")
    return certids[0]


def _without_duplicates(rows: Sequence[ClaimRow], errors: list[RowError]) -> ClaimList:
    """Keep one row per device. If the rows of a device differ, none of them is valid."""
    first: dict[Fingerprint, ClaimRow] = {}
    duplicates: list[tuple[int, int]] = []
    conflicting: dict[Fingerprint, int] = {}
    for row in rows:
        earlier = first.setdefault(row.certid, row)
        if earlier is row:
            continue
        if earlier.request.key == row.request.key:
            duplicates.append((row.line, earlier.line))
        else:
            conflicting.setdefault(row.certid, row.line)
            errors.append(_conflict(row, earlier.line))
    errors += [_conflict(first[certid], line) for certid, line in conflicting.items()]
    kept = tuple(row for row in first.values() if row.certid not in conflicting)
    return ClaimList(kept, tuple(sorted(errors, key=lambda error: error.line)), tuple(duplicates))


def _conflict(row: ClaimRow, other_line: int) -> RowError:
    message = f"got {row.certid[:12]}… with another request than in line {other_line}, want it listed once"
    return RowError(row.line, "INVALID_ROW", message)
