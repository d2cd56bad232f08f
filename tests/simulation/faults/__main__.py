"""Prints the matrix of every AWS call × every fault: `python -m tests.simulation.faults`.

The real handlers run on an AWS in memory. Nothing is deployed, and there are no waits. Each scenario runs twice for
each cell: with immediate and with late retries. Scenarios run in parallel processes.

Exit status: 0 nothing was lost, 1 something was lost, 2 wrong usage.
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
from tests.simulation.faults.injector import Fault
from tests.simulation.faults.matrix import LOST, RECORDED, REPEATED, SURVIVED, Cell, Pair, ScenarioRunner
from tests.simulation.faults.scenarios import SCENARIOS, Scenario
from tests.simulation.faults.setup import ScenarioSetup

app = typer.Typer(add_completion=False)
_NAMES: Final = tuple(scenario.name for scenario in SCENARIOS)


@app.command(help=__doc__)
def main(
    only: Annotated[str, typer.Option(help="Only scenarios whose names contain this text.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = os.cpu_count() or 1,
    pairs: Annotated[
        int, typer.Option(min=0, help="Instead of the matrix, try this many random pairs of faults per scenario.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed for the random pairs.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print all cells as JSON.")] = False,
) -> None:
    names = [name for name in _NAMES if only in name]
    if not names:
        raise typer.BadParameter(f"got {only!r}, want a part of one of: {'; '.join(_NAMES)}")
    if pairs:
        return _try_pairs(names, workers, pairs, seed)
    results: dict[str, tuple[Cell, ...]] = {}
    with ProcessPoolExecutor(workers) as pool:
        for name, cells in zip(names, pool.map(_cells, names), strict=True):
            results[name] = cells
            if not as_json:
                print(f"{_matrix(name, cells)}\n", flush=True)
    every = [cell for cells in results.values() for cell in cells]
    print(_as_json(results) if as_json else _summary([cell.result for cell in every]))
    if any(cell.result == LOST for cell in every):
        raise typer.Exit(1)
    return None


def _try_pairs(names: Sequence[str], workers: int, count: int, seed: int) -> None:
    with ProcessPoolExecutor(workers) as pool:
        pairs = [pair for of_one in pool.map(_pairs, names, repeat(count), repeat(seed)) for pair in of_one]
    for pair in pairs:
        if pair.result == LOST:
            print("\n  ".join([f"LOST, {pair.description}", *pair.lost]))
    print(_summary([pair.result for pair in pairs]))
    if any(pair.result == LOST for pair in pairs):
        raise typer.Exit(1)


def _pairs(name: str, count: int, seed: int) -> list[Pair]:
    random = Random(f"{seed} {name}")  # noqa: S311  # the same pairs for the same seed
    with faulty_aws() as injector:
        runner = ScenarioRunner(injector, ScenarioSetup(injector), _scenario(name))
        return [runner.pair(random) for _ in range(count)]


def _scenario(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)


def _cells(name: str) -> tuple[Cell, ...]:
    with faulty_aws() as injector:
        return tuple(ScenarioRunner(injector, ScenarioSetup(injector), _scenario(name)).cells(tuple(Fault)))


def _matrix(name: str, cells: Sequence[Cell]) -> str:
    results = {(cell.call, cell.fault): cell.result for cell in cells}
    calls = dict.fromkeys(cell.call for cell in cells)
    lines = tuple((str(call), *(results[call, fault] for fault in Fault)) for call in calls)
    notes = tuple(f"LOST, {cell.call}, {cell.fault}: {line}" for cell in cells for line in cell.lost)
    return section(Section(name, ("call", *Fault), lines, notes))


def _summary(results: Sequence[str]) -> str:
    counts, total = Counter(map(_kind, results)), len(results)
    kinds = (
        f"{counts[SURVIVED]} with the same outcome",
        f"{counts[REPEATED]} with a repeated action in the history",
        f"{counts[RECORDED]} with a target's refusal in the history",
        f"{counts['reason']} with a reason code, and the same outcome after one retry",
        f"{counts[LOST]} lost",
    )
    return f"{total - counts[LOST]} of {total} survived: {', '.join(kinds)}"


def _kind(result: str) -> str:
    return result if result in (SURVIVED, REPEATED, RECORDED, LOST) else "reason"


def _as_json(results: dict[str, tuple[Cell, ...]]) -> str:
    lines = [_line(name, cell) for name, cells in results.items() for cell in cells]
    survived = sum(line["result"] != LOST for line in lines)
    return json.dumps({"survived": survived, "tried": len(lines), "cells": lines}, indent=2)


def _line(name: str, cell: Cell) -> dict[str, object]:
    return {
        "scenario": name,
        "call": str(cell.call),
        "fault": cell.fault,
        "result": cell.result,
        "lost": cell.lost,
    }


if __name__ == "__main__":
    app()
