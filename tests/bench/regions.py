"""What several Regions cost and guarantee: `python -m tests.bench.regions [--json] [--schedules N]`.

Counts the calls of one onboarding, warm, on moto: in a lobby with one Region, and in the home of two. Then it runs the
lease through random outages (`region_schedules`) of lobbies with two to five Regions and counts moments in which two
Regions could write. Time is simulated, so the load of the machine does not matter. With `--json` the last line is one
object with `goal`, which is true if no two Regions could write, one Region makes no call for the feature, and a process
of the home reads its vote once in ten seconds.

Exit status: 0 the goal is met, 1 it is not.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from lobby.domain.regions.home import LEASE_MS, MARGIN_MS
from lobby.ledger.regions.home_votes import KIND
from tests import aws
from tests.aws import Clock
from tests.bench import report
from tests.bench.capacity import item_bytes
from tests.bench.outcome import outcome
from tests.bench.region_schedules import Tally, simulate
from tests.bench.report import Section
from tests.bench.warm_lambdas import GOOD_ID, Lambdas
from tests.regions import DUBLIN, regions

STEPS: Final = 720
"""An hour, in steps of five seconds."""
app = typer.Typer(add_completion=False)


def counts() -> dict[str, dict[str, int]]:
    """Return the calls of one onboarding, how many of them read a vote, and the size of the row."""
    with aws.aws() as calls:
        lambdas = Lambdas(calls, Clock())
        found = {"one_region": _onboard(lambdas, calls)}
    with aws.aws() as calls:
        lambdas = Lambdas(calls, Clock())
        with regions(calls) as several:
            several.keep(DUBLIN)
            with several.at(DUBLIN):
                calls.forget()
                found["home_of_two"] = _onboard(lambdas, calls)
    return found


def _onboard(lambdas: Lambdas, calls: aws.Calls) -> dict[str, int]:
    for run in lambdas.onboarding().values():
        run()
    votes = sum(call.params.get("Key", {}).get("kind") == {"S": KIND} for call in calls.made)
    return {"calls": len(calls.made), "vote_reads": votes, "row_bytes": item_bytes(aws.item(GOOD_ID) or {})}


@app.command(help=__doc__)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
    schedules: Annotated[int, typer.Option(min=1, help="Random hours for each number of Regions.")] = 500,
    seed: Annotated[int, typer.Option(help="Another seed gives other outages.")] = 1,
) -> None:
    logging.disable(logging.INFO)
    with outcome(as_json=as_json) as result:
        found = result.figures["onboarding"] = counts()
        print(report.section(_counted(found)))
        tallies = {number: simulate(number, schedules, STEPS, seed) for number in (2, 3, 4, 5)}
        result.figures["schedules"] = {number: asdict(tally) for number, tally in tallies.items()}
        result.figures["seconds_to_promote"] = {
            "home_down": (LEASE_MS + MARGIN_MS) // 1000,
            "planned": MARGIN_MS // 1000,
        }
        print()
        print(report.section(_scheduled(list(tallies.items()))))
        one, two = found["one_region"], found["home_of_two"]
        same = two["calls"] - two["vote_reads"] == one["calls"] and not one["vote_reads"] and two["vote_reads"] == 1
        result.goal = same and not any(tally.two_writers for tally in tallies.values())


def _counted(found: dict[str, dict[str, int]]) -> Section:
    lines = tuple((name.replace("_", " "), *map(str, each.values())) for name, each in found.items())
    return Section("One onboarding, warm", ("lobby", "calls", "reads of the vote", "bytes of the row"), lines)


def _scheduled(tallies: Sequence[tuple[int, Tally]]) -> Section:
    lines = tuple(_line(number, tally) for number, tally in tallies)
    columns = ("Regions", "hours", "homes", "two writers", "nobody wrote")
    return Section(
        "Random outages, promotions and clocks", columns, lines, ("nobody wrote: of the time a Region was up",)
    )


def _line(number: int, tally: Tally) -> tuple[Any, ...]:
    idle = f"{100 * tally.idle_steps / tally.steps:.0f} %"
    return str(number), str(tally.schedules), str(tally.homes), str(tally.two_writers), idle


if __name__ == "__main__":
    app()
