"""The outcomes of a bulk operation as a CSV file, JSON records and a one-line summary.

The file is opened before anything is sent, and each chunk's outcomes are written before the next chunk is sent. After
a lost connection or Ctrl-C it contains the outcomes so far, and a later run can add to it.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Generic, Self

from admin_api.cli.bulk.change_requests import ChangeOutcome
from admin_api.cli.bulk.claims import Outcome
from admin_api.cli.bulk.sender import R, RowOutcome
from admin_api.cli.errors import usage_error
from admin_api.cli.inputs.csv_claims import RowError
from admin_api.cli.render.csv_rows import safe_cell
from lobby.names import Fingerprint

HEADER: Final = ("line", "certid", "target", "ok", "code", "message", "devstate", "devicename")
CHANGE_HEADER: Final = ("line", "certid", "ok", "code", "message", "devstate", "devicename", "generation")
Record = dict[str, Any]


class ResultsFile(Generic[R]):
    """A context manager that writes outcomes to `path`, or nothing if it is None. With `append`, it adds them to the
    file."""

    def __init__(
        self,
        path: Path | None,
        header: Sequence[str],
        record: Callable[[RowOutcome[R]], Record],
        *,
        append: bool = False,
    ) -> None:
        self._path, self._header, self._record, self._append = path, header, record, append
        self._out: IO[str] | None = None

    def __enter__(self) -> Self:
        """Create or open the file. Raise `InvalidInput` UNREADABLE_FILE."""
        if self._path is not None:
            try:
                self._out = self._path.open("a" if self._append else "w", encoding="utf-8", newline="")
            except OSError as error:
                raise usage_error(f"cannot write {self._path} ({error.strerror})", "UNREADABLE_FILE") from error
            if not self._out.tell():
                self._write([self._header])
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()

    def add(self, outcomes: Sequence[RowOutcome[R]]) -> None:
        records = (self._record(outcome) for outcome in outcomes)
        self._write([[_cell(each[name]) for name in self._header] for each in records])

    def add_errors(self, errors: Sequence[RowError]) -> None:
        """Write the outcomes of the rows that are not sent."""
        found = ({"line": error.line, "ok": False, "code": error.code, "message": error.message} for error in errors)
        self._write([[_cell(each.get(name)) for name in self._header] for each in found])

    def _write(self, rows: Iterable[Sequence[str]]) -> None:
        if self._out is not None:
            csv.writer(self._out, lineterminator="\n").writerows(rows)
            self._out.flush()


def claim_results(path: Path | None) -> ResultsFile[Any]:
    return ResultsFile(path, HEADER, record_of)


def change_results(path: Path | None, *, append: bool) -> ResultsFile[Any]:
    return ResultsFile(path, CHANGE_HEADER, change_record, append=append)


def devices_done(path: Path) -> frozenset[Fingerprint]:
    """Return the devices that are done according to a file of results, or none if there is no file. Raise
    `InvalidInput` UNREADABLE_FILE if the file has other content."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            if rows.fieldnames is not None and tuple(rows.fieldnames) != CHANGE_HEADER:
                want = "the results of an earlier run of this command"
                raise usage_error(f"got {path} with other columns, want {want}", "UNREADABLE_FILE")
            return frozenset(Fingerprint(row["certid"]) for row in rows if row["ok"] == "yes")
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise usage_error(f"cannot read {path} ({error})", "UNREADABLE_FILE") from error


def record_of(outcome: Outcome) -> Record:
    """Return the JSON record of a claim's outcome."""
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


def change_record(outcome: ChangeOutcome) -> Record:
    """Return the JSON record of a change's outcome. A device that never connected has no row after its release."""
    device = outcome.device or {}
    return {
        "line": outcome.row.line,
        "certid": outcome.row.certid,
        "ok": outcome.ok,
        "code": outcome.code,
        "message": outcome.message,
        "devstate": device.get("devstate"),
        "devicename": device.get("devicename"),
        "generation": device.get("generation"),
        "device": outcome.device if outcome.ok else None,
    }


def summary(outcomes: Sequence[RowOutcome[R]]) -> str:
    """Return the number of devices per state, and the number of failures per code."""
    done = Counter(str((outcome.device or {}).get("devstate") or "removed") for outcome in outcomes if outcome.ok)
    failed = Counter(str(outcome.code) for outcome in outcomes if not outcome.ok)
    parts = [_part("succeeded", done), _part("failed", failed)]
    return "; ".join(part for part in parts if part)


def _part(label: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    return f"{counts.total()} {label} ({', '.join(f'{count} {what}' for what, count in counts.most_common())})"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return safe_cell(value)
