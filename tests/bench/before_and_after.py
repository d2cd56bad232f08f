"""What the benchmarks that compare with an earlier commit share: one lobby for both measurements, and their report."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import typer

from infra.local.bringup import exclusive_use
from infra.local.errors import LocalCloudError
from infra.local.timeline import StepFailed, Timeline
from tests.bench.deployment import LobbyUnderTest, running_lobby
from tests.bench.report import Section, section

AFTER: Final = "after"
BEFORE: Final = "before"


class Measured(Protocol):
    """The figures of one measurement."""

    def as_json(self) -> dict[str, Any]: ...


F = TypeVar("F", bound=Measured)
Row = tuple[str, Callable[[Any], object]]
"""A label, and what it shows of the figures."""


def measure(
    name: str, what: str, names: Sequence[str], one: Callable[[LobbyUnderTest, str], tuple[F, str]]
) -> dict[str, F]:
    """Start a lobby with a state of its own and return the figures of `one(lobby, name)` for each of `names`, in order.
    `one` also returns a note. End the process with status 1 if a step fails."""
    timeline, found = Timeline(out=sys.stderr), dict[str, F]()
    try:
        with (
            tempfile.TemporaryDirectory(prefix=f"device-lobby-{name}-") as folder,
            exclusive_use(Path(folder)),
            running_lobby(Path(folder), timeline, None, None) as lobby,
        ):
            for each in names:
                with timeline.step(f"{what}, {each}") as step:
                    found[each], step.note = one(lobby, each)
    except (StepFailed, LocalCloudError, TimeoutError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    return found


def report(title: str, found: Mapping[str, Measured], rows: Sequence[Row], *, goal: bool, as_json: bool) -> None:
    """Print the figures side by side. End the process with status 1 if the goal is not reached."""
    columns = sorted(found, reverse=True)
    lines = tuple((label, *(str(show(found[name])) for name in columns)) for label, show in rows)
    print(section(Section(title, ("", *columns), lines)))
    print("the budgets are met" if goal else "EXCEEDED")
    if as_json:
        print(json.dumps({"goal": goal} | {name: each.as_json() for name, each in found.items()}))
    if not goal:
        raise typer.Exit(1)
