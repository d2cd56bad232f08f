"""The cost of 1,000 devices that wait for a day, before and after: `python -m tests.bench.waiting [--json]`.

Counts requests, not time: `waiting_day` runs the reference client's state machine for a simulated day against the
lobby's code, once with the code of the base revision (in a temporary worktree) and once with this one. With `--json`
the last line is one object with `goal`, which is true if the day costs at most 0.30 USD at list prices (`prices`).

Exit status: 0 the goal is met, 1 it is not, or a revision could not be run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tests.bench import prices, report
from tests.bench.outcome import outcome
from tests.bench.report import Section
from tests.bench.revisions import ROOT, counted, worktree

BASE: Final = "cba4cee"
"""The revision before hellos became rare."""
DEVICES: Final = 1000
BUDGET: Final = 0.30
_MINUTES: Final = 24 * 60
app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
    base: Annotated[str, typer.Option(help="The revision to compare with.")] = BASE,
) -> None:
    with outcome(as_json=as_json) as result:
        result.figures = {"budget_usd": BUDGET, "devices": DEVICES}
        after = result.figures["after"] = _measure(ROOT, logs_platform=False)
        with worktree(base) as tree:
            before = result.figures["before"] = _measure(tree, logs_platform=True)
        result.goal = after["usd"] <= BUDGET
        print(report.section(_section(before, after)))


def _measure(tree: Path, *, logs_platform: bool) -> dict[str, Any]:
    """Return the counts with the code in `tree`, and their costs for `DEVICES`. Raise `StepFailed`."""
    found = counted("waiting_day.py", tree)
    quantities = _quantities(found["day"], logs_platform=logs_platform)
    costs = prices.cost(quantities)
    return {**found, "quantities": quantities, "costs": costs, "usd": round(sum(costs.values()), 4)}


def _quantities(day: Mapping[str, float], *, logs_platform: bool) -> dict[str, float]:
    """Return the quantities that AWS bills for `DEVICES` in a day."""
    runs = day["runs"] * DEVICES
    log_bytes = (day["log_line_bytes"] + day["log_lines"] * prices.BYTES_PER_LINE) * DEVICES
    return {
        "connection_minutes": float(_MINUTES * DEVICES),
        "messages": 0.0,
        "rules": day["rules"] * DEVICES,
        "actions": day["actions"] * DEVICES,
        "runs": runs,
        "gb_seconds": prices.billed_seconds(runs, day["calls"] * DEVICES) * prices.MEMORY_GB,
        "read_units": day["read_units"] * DEVICES,
        "write_units": day.get("write_units", 0) * DEVICES,
        "log_bytes": log_bytes + (runs * prices.PLATFORM_LOG_BYTES if logs_platform else 0),
    }


def _section(before: Mapping[str, Any], after: Mapping[str, Any]) -> Section:
    lines = [
        (
            prices.PRICES[name].what,
            f"{before['quantities'][name]:,.0f}",
            f"{before['costs'][name]:.4f}",
            f"{after['quantities'][name]:,.0f}",
            f"{after['costs'][name]:.4f}",
        )
        for name in after["quantities"]
    ]
    total = ("sum", "", f"{before['usd']:.4f}", "", f"{after['usd']:.4f}")
    hours = [each["v01_hour"] for each in (before, after)]
    old = "; ".join(
        f"{hour['hellos']} hellos, {hour['read_units']} read units, {hour.get('writes', 0)} writes" for hour in hours
    )
    return Section(
        f"{DEVICES:,} devices that wait for a day, budget {BUDGET:.2f} USD",
        ("part", "before", "USD", "after", "USD"),
        (*lines, total),
        (
            f"Hellos of a device in a day: {before['day']['hellos']:.0f} before, {after['day']['hellos']:.0f} after.",
            f"A v0.1 client in an hour, before and after: {old}.",
            "Durations are assumed (tests/bench/prices.py); all other quantities are counted.",
        ),
    )


if __name__ == "__main__":
    app()
