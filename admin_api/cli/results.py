"""The outcomes of a bulk claim as CSV file, JSON records and a one-line summary.

The file is opened before anything is sent, and each chunk's outcomes are written before the next chunk is sent. After
a lost connection or Ctrl-C it contains the outcomes so far.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from admin_api.cli.bulk import Outcome
from admin_api.cli.csv_claims import RowError
from admin_api.cli.errors import usage_error

HEADER: Final = ("line", "certid", "target", "ok", "code", "message", "devstate", "devicename")


class ResultsFile:
    """A context manager that writes outcomes to `path`; with None it writes nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._out: IO[str] | None = None

    def __enter__(self) -> Self:
        """Create the file. Raise `InvalidInput` UNREADABLE_FILE."""
        if self._path is not None:
            try:
                self._out = self._path.open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise usage_error(f"cannot write {self._path} ({error.strerror})", "UNREADABLE_FILE") from error
            self._write([HEADER])
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        records = (record_of(outcome) for outcome in outcomes)
        self._write([[_cell(each[name]) for name in HEADER] for each in records])

    def add_errors(self, errors: Sequence[RowError]) -> None:
        """Write the rows that are not sent."""
        self._write([[str(error.line), "", "", "no", error.code, error.message, "", ""] for error in errors])

    def _write(self, rows: Iterable[Sequence[str]]) -> None:
        if self._out is not None:
            csv.writer(self._out, lineterminator="\n").writerows(rows)
            self._out.flush()


def record_of(outcome: Outcome) -> dict[str, Any]:
    """Return the JSON record of an outcome."""
    device = outcome.device or {}
    return {
        "line": outcome.row.line,
        "certid": outcome.row.certid,
        "target": str(outcome.row.request.target),
        "ok": outcome.ok,
        "code": outcome.code,
        "message": outcome.message,
        "devstate": device.get("devstate"),
        "devicename": device.get("devicename"),
    }


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many devices are claimed, by state, and how many claims failed, by code."""
    claimed = Counter(str((outcome.device or {}).get("devstate")) for outcome in outcomes if outcome.ok)
    failed = Counter(str(outcome.code) for outcome in outcomes if not outcome.ok)
    parts = [_part("succeeded", claimed), _part("failed", failed)]
    return "; ".join(part for part in parts if part)


def _part(label: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    return f"{counts.total()} {label} ({', '.join(f'{count} {what}' for what, count in counts.most_common())})"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
