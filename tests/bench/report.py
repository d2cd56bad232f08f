"""Results of the benchmarks: rows with a budget, sections without, as text tables and as JSON.

A row is one line of the design's table of performance budgets, or a part of one. It is within its budget if the
measured value is at most the budget. `before` is the value of aws-device-lobby v0.1, where it is known.
"""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

_WIDTH: Final = 118


@dataclass(frozen=True)
class Row:
    """One budget. `before_text` and `before` are v0.1's value as text and as a number."""

    step: str
    unit: str
    before_text: str
    before: float | None
    budget: float
    measured: float
    detail: str = ""

    @property
    def within_budget(self) -> bool:
        return self.measured <= self.budget

    @property
    def ratio(self) -> float | None:
        """The measured value divided by v0.1's."""
        return self.measured / self.before if self.before else None


@dataclass(frozen=True)
class Section:
    """Measurements without a budget: a title, lines of text columns, and notes."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a text table, each with its detail below."""
    columns = ("step", "v0.1", "budget", "measured", "ratio", "")
    lines = [
        (
            row.step,
            row.before_text,
            f"{row.budget:g} {row.unit}",
            f"{row.measured:g}",
            _ratio(row),
            "" if row.within_budget else "EXCEEDED",
        )
        for row in rows
    ]
    aligned = _aligned(columns, lines)
    out = aligned[:2]
    for line, row in zip(aligned[2:], rows, strict=True):
        out.append(line)
        out += textwrap.wrap(row.detail, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(out)


def section(shown: Section) -> str:
    """Return the section as a text table with its title and notes."""
    notes = [line for note in shown.notes for line in textwrap.wrap(note, _WIDTH, subsequent_indent="  ")]
    return "\n".join([shown.title, *_aligned(shown.columns, shown.lines), *notes])


def as_json(rows: Sequence[Row], sections: Sequence[Section]) -> str:
    body = {
        "within_budget": all(row.within_budget for row in rows),
        "rows": [asdict(row) | {"within_budget": row.within_budget, "ratio": row.ratio} for row in rows],
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
