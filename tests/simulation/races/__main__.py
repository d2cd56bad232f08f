"""Races over one device: `python -m tests.simulation.races`.

Each race that has a name is lived in every order of its actors' AWS calls, or, where those are too many, in so many
that are drawn; then hypothesis draws orders of everything at once. Nothing is deployed: real handlers on an AWS in
memory.

Exit status: 0 everything held in every order, 1 something did not (told with the order), 2 wrong use.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated

import typer
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.bench.report import Section, section
from tests.simulation.faults.faulty_aws import faulty_aws
from tests.simulation.faults.ground import Ground
from tests.simulation.races.machine import crowd_in
from tests.simulation.races.pairs import RACES, live
from tests.simulation.races.truth import Untrue
from tests.simulation.races.turns import Choose, drawn, every_order

app = typer.Typer(add_completion=False)
Lived = tuple[str, int, bool, str]
"""A race, in how many orders it was lived, whether those were all, and what did not hold."""


class _Enough(Exception):
    """There are more orders than were asked for."""


@app.command(help=__doc__)
def main(
    most: Annotated[int, typer.Option(min=1, help="Orders of a race; where it has more, so many are drawn.")] = 300,
    crowds: Annotated[int, typer.Option(min=0, help="Orders of everything at once, each of 60 steps.")] = 200,
    seed: Annotated[int, typer.Option(help="Which orders are drawn.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
    only: Annotated[str, typer.Option(help="Only races with this in their names.")] = "",
) -> None:
    names = [race.name for race in RACES if only in race.name]
    if not names:
        raise typer.BadParameter(f"got {only!r}, want a part of one of: {'; '.join(race.name for race in RACES)}")
    began = time.monotonic()
    parts = [] if only else [crowds // workers + (number < crowds % workers) for number in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        lived = [pool.submit(_lived, name, most, seed) for name in names]
        drawn_of = [pool.submit(_crowd, part, seed * 1000 + number) for number, part in enumerate(parts) if part]
        races = [each.result() for each in lived]
        wrong = [told for each in drawn_of if (told := each.result())]
    print(section(_told(races)))
    print(f"\n{sum(parts)} orders of everything at once: {'something did not hold' if wrong else 'all held'}")
    print(f"{time.monotonic() - began:.0f} s")
    faults = [fault for *_, fault in races if fault] + wrong
    print("\n".join(faults))
    if faults:
        raise typer.Exit(1)


def _told(races: Sequence[Lived]) -> Section:
    held = sum(many for _, many, _, fault in races if not fault)
    title = f"{held} of {sum(many for _, many, _, _ in races)} orders of {len(races)} races ended as they must"
    lines = tuple(
        (name, str(many), "all" if whole else "drawn", "NOT HELD" if fault else "held")
        for name, many, whole, fault in races
    )
    return Section(title, ("race", "orders", "", ""), lines)


def _lived(name: str, most: int, seed: int) -> Lived:
    race = next(race for race in RACES if race.name == name)
    lived = 0
    with faulty_aws() as layer:
        ground = Ground(layer)

        def once(choose: Choose) -> None:
            nonlocal lived
            if lived == most:
                raise _Enough
            lived += 1
            live(layer, ground, race, choose)

        try:
            every_order(once)
        except Untrue as wrong:
            return name, lived, False, str(wrong)
        except _Enough:
            pass
        else:
            return name, lived, True, ""
        try:
            for number in range(most):
                live(layer, ground, race, drawn(f"{seed} {name} {number}"))
        except Untrue as wrong:
            return name, lived + number, False, str(wrong)
    return name, 2 * most, False, ""


def _crowd(many: int, seed: int) -> str:
    """What did not hold; empty where everything did."""
    how = settings(
        max_examples=many,
        stateful_step_count=60,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    with faulty_aws() as layer, crowd_in(layer, Ground(layer)) as crowd:
        try:
            run_state_machine_as_test(seeded(seed)(crowd), settings=how)
        except Untrue as wrong:
            return "\n".join([str(wrong), *getattr(wrong, "__notes__", [])])
    return ""


if __name__ == "__main__":
    app()
