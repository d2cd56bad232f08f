"""The cost of a million onboardings, before and after: `python -m tests.bench.onboarding_cost [--json]`.

Counts requests, not time: `onboarding_count` runs every Lambda of one onboarding on moto, with the code of the base
revision and with this one. Each Lambda is warm and handles one device, so nothing is shared between devices. Then
`lots.lot_count` counts lots of devices that are onboarded together (`--together`, 1 omits them). With `--json` the last
line is one object with `goal`, which is true if a million, one at a time, cost at most 60 USD at list prices
(`prices`), and `goal_in_lots`, which is true if this holds for each lot. The limit is the price of the same steps if
the ledger stored nothing.

Exit status: 0 the goal is met, 1 it is not, or a revision could not be run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from tests.bench import prices, report
from tests.bench.lots.lot_kinds import LOTS, LotKind, lot_section
from tests.bench.outcome import outcome
from tests.bench.report import Section
from tests.bench.revisions import ROOT, counted, worktree

BASE: Final = "0fe3964"
"""The revision before onboardings became cheaper."""
ONBOARDINGS: Final = 1_000_000
BUDGET: Final = 60.0
_COUNTED: Final = (
    "write_units",
    "read_units",
    "puts",
    "messages",
    "registry",
    "rules",
    "actions",
    "runs",
    "queue_requests",
    "fifo_requests",
    "notifications",
    "api_requests",
    "events",
)
_STORAGE: Final = ("write_units", "read_units", "puts")
"""What the ledger and its anchors cost. Everything else is needed to talk to devices and targets."""
app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
    base: Annotated[str, typer.Option(help="The revision to compare with.")] = BASE,
    together: Annotated[int, typer.Option(min=1, max=1000, help="Devices in a lot.")] = 100,
) -> None:
    with outcome(as_json=as_json) as result:
        result.figures = {"budget_usd": BUDGET, "onboardings": ONBOARDINGS}
        after = result.figures["after"] = _measure(ROOT)
        result.figures["limit_usd"] = _limit(after)
        with worktree(base) as tree:
            before = result.figures["before"] = _measure(tree)
        result.goal = after["usd"] <= BUDGET
        print(report.section(_parts(before, after)))
        print()
        print(report.section(_steps(before, after)))
        if together > 1:
            lots = result.figures["lots"] = {each.name: _measure_lot(each, together) for each in LOTS}
            result.figures["lots_within_budget"] = [name for name, found in lots.items() if found["usd"] <= BUDGET]
            result.figures["goal_in_lots"] = len(result.figures["lots_within_budget"]) == len(lots)
            print()
            print(report.section(lot_section(after, lots, together)))


def _measure(tree: Path) -> dict[str, Any]:
    """Return the counts of one onboarding with the code in `tree`, and what `ONBOARDINGS` cost. Raise `StepFailed`."""
    found = counted("onboarding_count.py", tree)
    total = found["total"]
    return {**found, **_priced(total, prices.billed_seconds(total["runs"], total["calls"]), 1)}


def _measure_lot(lot: LotKind, devices: int) -> dict[str, Any]:
    """Return the counts of a lot, and what `ONBOARDINGS` in such lots cost. Raise `StepFailed`."""
    within = 1.0 if lot.at_once else devices / DEFAULT_RATE
    found = counted("lots/lot_count.py", ROOT, str(devices), "rule" if lot.by_rule else "list", f"{within:g}")
    return {**found, **_priced(found["total"], found["total"]["seconds"], devices)}


def _priced(total: Mapping[str, float], seconds: float, devices: int) -> dict[str, Any]:
    """Return the quantities of one of the devices, and the costs of `ONBOARDINGS`."""
    quantities = {name: total.get(name, 0) / devices for name in _COUNTED}
    quantities["gb_seconds"] = seconds * prices.MEMORY_GB / devices
    quantities["log_bytes"] = (total["log_line_bytes"] + total["log_lines"] * prices.BYTES_PER_LINE) / devices
    costs = {name: ONBOARDINGS * usd for name, usd in prices.cost(quantities).items()}
    return {"quantities": quantities, "costs": costs, "usd": round(sum(costs.values()), 2)}


def _limit(measured: Mapping[str, Any]) -> float:
    return round(sum(float(usd) for name, usd in measured["costs"].items() if name not in _STORAGE), 2)


def _parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Section:
    lines = [
        (
            prices.PRICES[name].what,
            *(f"{value:,.{decimals}f}" for each in (before, after) for value, decimals in _shown(each, name)),
        )
        for name in after["quantities"]
    ]
    total = ("sum", "", f"{before['usd']:.2f}", "", f"{after['usd']:.2f}")
    return Section(
        f"{ONBOARDINGS:,} onboardings, one device at a time, budget {BUDGET:.2f} USD",
        ("part", "before, each", "USD", "after, each", "USD"),
        (*lines, total),
        (
            f"Without the ledger and its anchors, the same onboardings cost {_limit(after):.2f} USD.",
            "Durations are assumed (tests/bench/prices.py); all other quantities are counted.",
        ),
    )


def _shown(measured: Mapping[str, Any], name: str) -> tuple[tuple[float, int], tuple[float, int]]:
    """Return quantity and cost, each with its decimals."""
    quantity = measured["quantities"][name]
    return (quantity, 0 if float(quantity).is_integer() else 3), (measured["costs"][name], 2)


def _steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Section:
    def figures(measured: Mapping[str, Any], step: str) -> tuple[str, ...]:
        counts = measured["steps"].get(step, {})
        return tuple(f"{counts.get(name, 0):g}" for name in ("calls", "read_units", "write_units"))

    columns = ("calls", "read units", "write units")
    return Section(
        "One onboarding, step by step",
        ("step", *(f"{column} {when}" for when in ("before", "after") for column in columns)),
        tuple((step, *figures(before, step), *figures(after, step)) for step in after["steps"]),
    )


if __name__ == "__main__":
    app()
