"""Prints the matrix of every AWS call × every fault: `python -m tests.simulation.faults`.

Nothing is deployed and nothing is waited for: the real handlers run on an AWS in memory, each story once for each cell,
and once more with what failed delivered late. Stories are lived side by side in processes of their own.

Exit status: 0 nothing was lost, 1 something was, 2 wrong use.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from random import Random
from typing import Annotated, Final

import typer

from tests.bench.report import Section, section
from tests.simulation.faults.faulty_aws import faulty_aws
from tests.simulation.faults.ground import Ground
from tests.simulation.faults.layer import Fault
from tests.simulation.faults.matrix import DONE_AGAIN, LOST, SURVIVED, Cell, Pair, Trials
from tests.simulation.faults.stories import STORIES, Story

app = typer.Typer(add_completion=False)
_NAMES: Final = tuple(story.name for story in STORIES)


@app.command(help=__doc__)
def main(
    only: Annotated[str, typer.Option(help="Only stories with this in their names.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Stories lived at the same time.")] = os.cpu_count() or 1,
    pairs: Annotated[
        int, typer.Option(min=0, help="Instead of the matrix, this many pairs of faults a story, drawn.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Which pairs are drawn.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="All cells as JSON.")] = False,
) -> None:
    wanted = [name for name in _NAMES if only in name]
    if not wanted:
        raise typer.BadParameter(f"got {only!r}, want a part of one of: {'; '.join(_NAMES)}")
    if pairs:
        return _try_pairs(wanted, workers, pairs, seed)
    found: dict[str, tuple[Cell, ...]] = {}
    with ProcessPoolExecutor(workers) as pool:
        for name, cells in zip(wanted, pool.map(_tried, wanted), strict=True):
            found[name] = cells
            if not as_json:
                print(f"{_matrix(name, cells)}\n", flush=True)
    every = [cell for cells in found.values() for cell in cells]
    print(_as_json(found) if as_json else _verdict([cell.said for cell in every]))
    if any(cell.said == LOST for cell in every):
        raise typer.Exit(1)
    return None


def _try_pairs(names: Sequence[str], workers: int, pairs: int, seed: int) -> None:
    with ProcessPoolExecutor(workers) as pool:
        tried = [pair for found in pool.map(_paired, names, repeat(pairs), repeat(seed)) for pair in found]
    for pair in tried:
        if pair.said == LOST:
            print("\n  ".join([f"LOST, {pair.what}", *pair.lost]))
    print(_verdict([pair.said for pair in tried]))
    if any(pair.said == LOST for pair in tried):
        raise typer.Exit(1)


def _paired(name: str, pairs: int, seed: int) -> list[Pair]:
    random = Random(f"{seed} {name}")  # noqa: S311  # the same pairs for the same seed
    with faulty_aws() as layer:
        trials = Trials(layer, Ground(layer), _told(name))
        return [trials.pair(random) for _ in range(pairs)]


def _told(name: str) -> Story:
    return next(story for story in STORIES if story.name == name)


def _tried(name: str) -> tuple[Cell, ...]:
    with faulty_aws() as layer:
        return tuple(Trials(layer, Ground(layer), _told(name)).cells(tuple(Fault)))


def _matrix(name: str, cells: Sequence[Cell]) -> str:
    said = {(cell.call, cell.fault): cell.said for cell in cells}
    calls = dict.fromkeys(cell.call for cell in cells)
    lines = tuple((str(call), *(said[call, fault] for fault in Fault)) for call in calls)
    notes = tuple(f"LOST, {cell.call}, {cell.fault}: {line}" for cell in cells for line in cell.lost)
    return section(Section(name, ("call", *Fault), lines, notes))


def _verdict(said: Sequence[str]) -> str:
    counted, tried = Counter(map(_kind, said)), len(said)
    kinds = (
        f"{counted[SURVIVED]} as if nothing had happened",
        f"{counted[DONE_AGAIN]} with a try more in the history",
        f"{counted['reason']} with a reason code, and then by one retry",
        f"{counted[LOST]} lost",
    )
    return f"{tried - counted[LOST]} of {tried} survived: {', '.join(kinds)}"


def _kind(said: str) -> str:
    return said if said in (SURVIVED, DONE_AGAIN, LOST) else "reason"


def _as_json(found: dict[str, tuple[Cell, ...]]) -> str:
    lines = [_line(name, cell) for name, cells in found.items() for cell in cells]
    survived = sum(line["said"] != LOST for line in lines)
    return json.dumps({"survived": survived, "tried": len(lines), "cells": lines}, indent=2)


def _line(name: str, cell: Cell) -> dict[str, object]:
    return {"story": name, "call": str(cell.call), "fault": cell.fault, "said": cell.said, "lost": cell.lost}


if __name__ == "__main__":
    app()
