"""What became of each claim: as a CSV file beside the list that was sent, as JSON, and in one sentence.

The file is opened before anything is sent, and every chunk's outcomes are in it before the next one is sent: what a
broken connection or Ctrl-C leaves behind says how far it came.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from admin_api.cli.bulk import Outcome
from admin_api.cli.csv_claims import Fault
from admin_api.cli.errors import wrong_use

HEADER: Final = ("line", "certid", "target", "ok", "code", "message", "devstate", "devicename")


class Results:
    """Open as a context. With no path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._out: IO[str] | None = None

    def __enter__(self) -> Self:
        """Raises `InvalidInput` UNREADABLE_FILE."""
        if self._path is not None:
            try:
                self._out = self._path.open("w", encoding="utf-8", newline="")
            except OSError as fault:
                raise wrong_use(f"got {self._path} ({fault.strerror}), want to write it", "UNREADABLE_FILE") from fault
            self._write([HEADER])
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        records = (self.record(outcome) for outcome in outcomes)
        self._write([[_cell(each[name]) for name in HEADER] for each in records])

    def skip(self, faults: Sequence[Fault]) -> None:
        """Rows that are not sent at all."""
        self._write([[str(fault.line), "", "", "no", fault.code, fault.message, "", ""] for fault in faults])

    @staticmethod
    def record(outcome: Outcome) -> dict[str, Any]:
        """An outcome, for programs."""
        device = outcome.device or {}
        return {
            "line": outcome.row.line,
            "certid": outcome.row.certid,
            "target": str(outcome.row.wish.target),
            "ok": outcome.ok,
            "code": outcome.code,
            "message": outcome.message,
            "devstate": device.get("devstate"),
            "devicename": device.get("devicename"),
        }

    def _write(self, rows: Iterable[Sequence[str]]) -> None:
        if self._out is not None:
            csv.writer(self._out, lineterminator="\n").writerows(rows)
            self._out.flush()


def summary(told: Sequence[Outcome]) -> str:
    """How many are claimed, by where they are now, and how many are not, by why."""
    done = Counter(str((outcome.device or {}).get("devstate")) for outcome in told if outcome.ok)
    failed = Counter(str(outcome.code) for outcome in told if not outcome.ok)
    parts = [_part("done", done), _part("not done", failed)]
    return "; ".join(part for part in parts if part)


def _part(word: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    return f"{counts.total()} {word} ({', '.join(f'{count} {what}' for what, count in counts.most_common())})"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
