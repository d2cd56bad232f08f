"""The cost of comparing a target with the ledger, before and after: `python -m tests.bench.reconcile [--json]`.

Compares a fleet on moto twice and counts every call: first device by device, like earlier versions and `lobbyctl
reconcile`; then by lists, like the daily round. `goal`: both find the same differences; the lists of 1,000 devices need
at most 20 calls into the target, without the examination of single devices; and a million devices take at most a day at
the inspector's pace. The times are computed from the counts and AWS's default quotas, not measured.

Exit status: 0 the goal is met, 1 it is not, 2 wrong usage.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

import typer

from commissioner.lambdas.inspector import PACE
from commissioner.reconciliation.by_device import Reconciliation
from commissioner.reconciliation.examination import Examination
from commissioner.reconciliation.inspector_client import InspectorClient
from commissioner.reconciliation.records import PARTITIONS
from commissioner.reconciliation.stored_records import MOST
from commissioner.reconciliation.target_comparison import COMPLETE, EXAMINED_PER_DAY, TargetComparison, days_for
from infra.local.ministack.quotas import OTHER_IOT_CALLS, RATES
from lobby.contracts.invocation import Request, decode_response
from lobby.domain.targets.comparison_state import Work
from tests.aws import Call
from tests.bench import report
from tests.bench.prices import PRICES
from tests.bench.reconcile.fleet import Fleet, fleet
from tests.bench.report import Section
from tests.functional.commissioner.lobby_with_targets import KEY, PROFILES, A, new_inspector

R = TypeVar("R")
MILLION: Final = 1_000_000
DAY: Final = timedelta(days=1).total_seconds()
_LISTS: Final = ("ListThings", "ListCertificates", "ListTargetsForPolicy")
_DEVICE: Final = ("DescribeCertificate", "ListPrincipalThings", "ListAttachedPolicies", "DescribeThing")
_MOST_CALLS: Final = 20
_RUN_SHARE: Final = 14 / 15
"""A run ends a minute before the next one starts."""
_QUERY_SECONDS: Final = 0.02
_ITEM_SECONDS: Final = 0.01
"""Assumed, for a page of 100 rows and for an item of some 30 kB: DynamoDB answers in single-digit milliseconds."""
_INVOKE: Final = Call("lambda", "Invoke", {}, A.region)
_RECORDS: Final = 4
"""For each device: placed, active, holder, thing."""
_ITEM_KB: Final = 30
app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Counted:
    """The calls of one comparison by operation, and its differences."""

    calls: Counter[str]
    compared: int
    differences: int

    def per_1000(self, *operations: str) -> float:
        return 1000 * sum(self.calls[each] for each in operations) / self.compared


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=100, help="Devices in the target.")] = 2_000,
    differing: Annotated[int, typer.Option(min=0, help="Devices that differ.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON in the last line.")] = False,
) -> None:
    with fleet(devices, differing) as counted:
        before = _by_device(counted)
    with fleet(devices, differing) as counted:
        after = _by_lists(counted, days=MILLION)
    scale = _million(before, after)
    goal = (
        (before.compared, before.differences) == (after.compared, after.differences) == (devices, differing)
        and after.per_1000(*_LISTS) <= _MOST_CALLS
        and scale["seconds_after"] <= DAY
    )
    print(report.section(_section(before, after)))
    print(report.section(_scale_section(scale)))
    if as_json:
        print(json.dumps(_figures(goal, devices, before, after) | {"million": scale}))
    if not goal:
        raise typer.Exit(1)


def _client(counted: Fleet) -> tuple[InspectorClient, Examination]:
    inspector = new_inspector()

    def send(request: Request[R]) -> R:
        counted.calls.made.append(_INVOKE)
        return decode_response(request, inspector.answer(json.loads(json.dumps(request.encode()))))

    client = InspectorClient(send)
    return client, Examination(counted.lobby.ledger, client, PROFILES, KEY)


def _by_device(counted: Fleet) -> Counted:
    reconciliation, cursor, compared, differences = Reconciliation(*_client(counted)), None, 0, 0
    while True:
        page = reconciliation.page(A, cursor)
        compared, differences, cursor = compared + page.compared, differences + len(page.findings), page.cursor
        if cursor is None:
            return Counted(counted.calls.count(), compared, differences)


def _by_lists(counted: Fleet, days: int) -> Counted:
    """`days` is so large that no matching device is examined here, so only lists and suspects count."""
    comparison = TargetComparison(*_client(counted), PROFILES)
    work = comparison.resume(A, Work("2026-11-22T12:00:00.000Z", days=days), lambda: False).work
    assert work.step == COMPLETE
    return Counted(counted.calls.count(), work.compared, work.differences)


def _million(before: Counted, after: Counted) -> dict[str, float]:
    """Return the time for a million devices: before, at AWS's lowest default quota of the operations; after, at the
    pace of the inspector, which makes one call at a time."""
    scarcest = max(before.per_1000(each) / RATES.get(each, OTHER_IOT_CALLS) for each in _DEVICE)
    lists = 1000 * after.per_1000(*_LISTS)
    examined = min(EXAMINED_PER_DAY, MILLION)
    flushes = MILLION * _RECORDS / MOST
    items = flushes * PARTITIONS
    seconds = (lists + examined) / PACE.per_second + 1000 * after.per_1000("Query") * _QUERY_SECONDS
    units = {"write_units": items * _ITEM_KB, "read_units": items * _ITEM_KB / 4}
    return {
        "seconds_before": round(1000 * scarcest),
        "seconds_after": round((seconds + 2 * items * _ITEM_SECONDS) / _RUN_SHARE),
        "calls_before": round(1000 * before.per_1000(*_DEVICE, *_LISTS)),
        "list_calls_after": round(lists),
        "examined_per_day": examined,
        "days_until_each_is_examined": days_for(MILLION),
        "stored_items": round(items),
        "usd_of_stored_items": round(sum(PRICES[name].usd * count for name, count in units.items()), 2),
    }


def _figures(goal: bool, devices: int, before: Counted, after: Counted) -> dict[str, Any]:
    return {
        "goal": goal,
        "devices": devices,
        "differences": after.differences,
        "calls_per_1000_before": _rounded(before),
        "calls_per_1000_after": _rounded(after),
        "list_calls_per_1000": round(after.per_1000(*_LISTS), 1),
    }


def _rounded(counted: Counted) -> Mapping[str, float]:
    return {name: round(counted.per_1000(name), 1) for name in sorted(counted.calls)}


def _section(before: Counted, after: Counted) -> Section:
    names = sorted(before.calls.keys() | after.calls.keys())
    lines = [(each, f"{before.per_1000(each):,.1f}", f"{after.per_1000(each):,.1f}") for each in names]
    lines.append(("differences found", str(before.differences), str(after.differences)))
    title = f"Calls for 1,000 devices, from {after.compared:,} devices of which {after.differences} differ"
    return Section(title, ("call", "device by device", "by lists"), tuple(lines))


def _scale_section(scale: Mapping[str, float]) -> Section:
    notes = (
        f"Computed: AWS's default quotas, {PACE.per_second:g} calls a second by the inspector, {_QUERY_SECONDS} s for a"
        f" query and {_ITEM_SECONDS} s for an item of DynamoDB, {_RUN_SHARE:.0%} of the time used. Each device is also"
        f" examined once within {scale['days_until_each_is_examined']:g} days, which is included.",
    )
    lines = tuple((name, f"{value:,}") for name, value in scale.items())
    return Section("A million devices in one target", ("figure", "value"), lines, notes)


if __name__ == "__main__":
    app()
