"""Benchmarks that compare with an earlier commit: one lobby for both measurements, and the report."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from infra.local.bringup import exclusive_use
from infra.local.timeline import Timeline
from tests.bench.deployment import LobbyUnderTest, running_lobby
from tests.bench.outcome import outcome
from tests.bench.report import Section, section

AFTER: Final = "after"
BEFORE: Final = "before"


class Measured(Protocol):
    """The figures of one measurement."""

    def as_json(self) -> dict[str, Any]: ...


F = TypeVar("F", bound=Measured)
Row = tuple[str, Callable[[Any], object]]
"""A label, and what it shows of the figures."""


def compare(
    title: str,
    rows: Sequence[Row],
    names: Sequence[str],
    one: Callable[[LobbyUnderTest, str], tuple[F, str]],
    is_within: Callable[[F, F | None], bool],
    *,
    as_json: bool,
) -> None:
    """Start a lobby with its own state, and print the figures of `one(lobby, name)` for each of `names`, in order, side
    by side. `one` also returns a note. `is_within` decides from the figures of `AFTER` and `BEFORE` whether the goal is
    reached. After a failure or an interruption, the figures until then are printed."""
    timeline, found = Timeline(out=sys.stderr), dict[str, F]()
    with outcome(as_json=as_json) as result:
        try:
            with (
                tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as folder,
                exclusive_use(Path(folder)),
                running_lobby(Path(folder), timeline, None, None) as lobby,
            ):
                for each in names:
                    with timeline.step(f"{title}, {each}") as step:
                        found[each], step.note = one(lobby, each)
        finally:
            result.goal = AFTER in found and is_within(found[AFTER], found.get(BEFORE))
            result.figures = {name: each.as_json() for name, each in found.items()}
            if found:
                _print(title, found, rows, goal=result.goal)


def _print(title: str, found: Mapping[str, Measured], rows: Sequence[Row], *, goal: bool) -> None:
    columns = sorted(found, reverse=True)
    lines = tuple((label, *(str(show(found[name])) for name in columns)) for label, show in rows)
    print(section(Section(title, ("", *columns), lines)))
    print("the budgets are met" if goal else "EXCEEDED")
