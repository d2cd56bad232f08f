"""What was measured beside what was promised: rows, the printed table, and the same as JSON.

A row is one line of the design's table of budgets, or a part of one. It is kept when the measured value is at most
the budget; `before` is what aws-device-lobby v0.1 took for the same, where that is known.
"""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

_WIDTH: Final = 118


@dataclass(frozen=True)
class Row:
    """One budget. `before_said` and `before` are v0.1's figure in words and as a number."""

    step: str
    unit: str
    before_said: str
    before: float | None
    budget: float
    measured: float
    detail: str = ""

    @property
    def kept(self) -> bool:
        return self.measured <= self.budget

    @property
    def ratio(self) -> float | None:
        """The measured value as a part of v0.1's."""
        return self.measured / self.before if self.before else None


@dataclass(frozen=True)
class Section:
    """More that was measured, without a budget of its own: a heading and lines of text columns."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def table(rows: Sequence[Row]) -> str:
    """For people."""
    columns = ("step", "v0.1", "budget", "measured", "ratio", "")
    lines = [
        (
            row.step,
            row.before_said,
            f"{row.budget:g} {row.unit}",
            f"{row.measured:g}",
            _ratio(row),
            "" if row.kept else "BROKEN",
        )
        for row in rows
    ]
    shown = _aligned(columns, lines)
    out = shown[:2]
    for line, row in zip(shown[2:], rows, strict=True):
        out.append(line)
        out += textwrap.wrap(row.detail, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(out)


def section(found: Section) -> str:
    notes = [line for note in found.notes for line in textwrap.wrap(note, _WIDTH, subsequent_indent="  ")]
    return "\n".join([found.title, *_aligned(found.columns, found.lines), *notes])


def as_json(rows: Sequence[Row], sections: Sequence[Section]) -> str:
    """For programs."""
    body = {
        "kept": all(row.kept for row in rows),
        "rows": [asdict(row) | {"kept": row.kept, "ratio": row.ratio} for row in rows],
        "sections": [
            {
                "title": each.title,
                "notes": each.notes,
                "lines": [dict(zip(each.columns, line, strict=True)) for line in each.lines],
            }
            for each in sections
        ],
    }
    return json.dumps(body, indent=2)


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return "-"
    return f"1/{1 / row.ratio:.0f}" if 0 < row.ratio < 0.1 else f"{row.ratio:.2f}"


def _aligned(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, cells)) for cells in zip(columns, *lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    return [line(columns), line(["-" * width for width in widths]), *map(line, lines)]
