"""Races over one device: `python -m tests.simulation.races`.

Each named race runs in every order of its actors' AWS calls, or in random orders if there are too many. Then hypothesis
draws orders of all actors together. Nothing is deployed: the real handlers run on an AWS in memory.

Exit status: 0 every order had the required outcome, 1 an order did not (printed with its calls), 2 wrong usage.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from secrets import randbelow
from typing import Annotated

import typer
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.bench.report import Section, section
from tests.simulation.faults.faulty_aws import faulty_aws
from tests.simulation.faults.setup import ScenarioSetup
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.named_races import RACES
from tests.simulation.races.race import run_race
from tests.simulation.races.scheduler import Choose, random_order, some_orders
from tests.simulation.races.state_machine import state_machine_in

app = typer.Typer(add_completion=False)
RaceResult = tuple[str, int, bool, str]
"""A race's name, the number of orders that were run, whether these are all orders, and the violation, if any."""


@app.command(help=__doc__)
def main(
    most: Annotated[int, typer.Option(min=1, help="Orders per race; a race with more runs in random orders.")] = 300,
    crowds: Annotated[int, typer.Option(min=0, help="Random orders of everything at once, 60 steps each.")] = 200,
    seed: Annotated[int | None, typer.Option(help="Seed for the random orders (default: a fresh one).")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = os.cpu_count() or 1,
    only: Annotated[str, typer.Option(help="Only races whose names contain this text.")] = "",
) -> None:
    names = [race.name for race in RACES if only in race.name]
    if not names:
        raise typer.BadParameter(f"got {only!r}, want a part of one of: {'; '.join(race.name for race in RACES)}")
    began, seed = time.monotonic(), randbelow(2**32) if seed is None else seed
    print(f"seed {seed}", flush=True)
    parts = [] if only else [crowds // workers + (number < crowds % workers) for number in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        named = [pool.submit(_run_race, name, most, seed) for name in names]
        machines = [pool.submit(_run_machine, part, seed * 1000 + number) for number, part in enumerate(parts) if part]
        races = [each.result() for each in named]
        violations = [violation for each in machines if (violation := each.result())]
    print(section(_section(races)))
    print(f"\n{sum(parts)} orders of everything at once: {'one was violated' if violations else 'all held'}")
    print(f"{time.monotonic() - began:.0f} s")
    violations = [violation for *_, violation in races if violation] + violations
    print("\n".join(violations))
    if violations:
        raise typer.Exit(1)


def _section(races: Sequence[RaceResult]) -> Section:
    held = sum(count for _, count, _, violation in races if not violation)
    title = f"{held} of {sum(count for _, count, _, _ in races)} orders of {len(races)} races had the required outcome"
    lines = tuple(
        (name, str(count), "all" if is_all else "random", "VIOLATED" if violation else "held")
        for name, count, is_all, violation in races
    )
    return Section(title, ("race", "orders", "", ""), lines)


def _run_race(name: str, most: int, seed: int) -> RaceResult:
    race = next(race for race in RACES if race.name == name)
    count = 0
    with faulty_aws() as injector:
        setup = ScenarioSetup(injector)

        def run(choose: Choose) -> None:
            nonlocal count
            count += 1
            run_race(injector, setup, race, choose)

        try:
            some_orders(run, most + 1)
            if count <= most:
                return name, count, True, ""
            for number in range(most):
                run(random_order(f"{seed} {name} {number}"))
        except ModelViolation as violation:
            return name, count, False, str(violation)
    return name, count, False, ""


def _run_machine(examples: int, seed: int) -> str:
    """Return the violation; empty if there is none."""
    options = settings(
        max_examples=examples,
        stateful_step_count=60,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    with faulty_aws() as injector, state_machine_in(injector, ScenarioSetup(injector)) as machine:
        try:
            run_state_machine_as_test(seeded(seed)(machine), settings=options)
        except ModelViolation as violation:
            return "\n".join([str(violation), *getattr(violation, "__notes__", [])])
    return ""


if __name__ == "__main__":
    app()
