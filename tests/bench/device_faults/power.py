"""Power cuts at every file-system call of a scenario, once and twice, on a simulated disk with the weakest guarantees;
and real SIGKILLs at each call of a running client."""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.device_faults import kill_points
from tests.bench.device_faults.results import BenchResult
from tests.unit.device.power_cut_scenario import FACTORY_DISK, Cut, Scenario, assert_recovers, power_cuts
from tests.unit.device.simulated_disk import CutPoint, PowerCut, cut_points

_CUT_POINTS: Final[tuple[CutPoint, ...]] = ("before", "half", "after")
_Cells = dict[str, dict[CutPoint, list[int]]]


def single_cuts() -> BenchResult:
    """Try every call, every cut point, and every possible state of the disk."""
    result = BenchResult("power cut at each call of the scenario", ("call", *_CUT_POINTS))
    cells: _Cells = defaultdict(lambda: {cut_point: [0, 0] for cut_point in _CUT_POINTS})
    for cut in power_cuts(FACTORY_DISK):
        for tree in cut.disk_states:
            cell = cells[cut.call][cut.cut_point]
            cell[1] += 1
            name = f"{cut.call}, {cut.cut_point}, in {cut.stage}"
            cell[0] += result.run_case(name, partial(assert_recovers, cut.scenario, tree))
    for call, row in cells.items():
        result.add(call, *(f"{survived} of {attempted}" if attempted else "-" for survived, attempted in row.values()))
    result.notes.append(
        "Each case is one possible state of the disk after a cut. The device is powered on again and arrives."
    )
    return result


def double_cuts(share: float) -> BenchResult:
    """Cut the power again during the recovery from the first cut. A random `share` of the first cuts is tried."""
    result = BenchResult("a second cut during the recovery", ("first cut in", "cases", "survived"))
    choice = random.Random(1)  # noqa: S311 - the same in each run
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for first in power_cuts(FACTORY_DISK):
        if choice.random() > share:
            continue
        row = rows[first.stage]
        for name, recover in _second_cuts(first):
            row[0] += 1
            row[1] += result.run_case(name, recover)
    for stage, row in rows.items():
        result.add(stage, *row)
    return result


def _second_cuts(first: Cut) -> Iterator[tuple[str, Callable[[], object]]]:
    """Run the scenario from each state after the first cut, and cut the power at each of its calls. Yield the
    recoveries."""
    for tree in first.disk_states:
        for number in itertools.count():
            again = Scenario.new(tree, number, "after")
            again.cloud.route = first.scenario.cloud.route
            try:
                again.run()
            except PowerCut:
                name = f"{first.call} {first.cut_point}, then {again.disk.calls[-1]}"
                yield from ((name, partial(assert_recovers, again, state)) for state in again.disk.possible_states())
            else:
                break


def real_kills(folder: Path) -> BenchResult:
    """Run the client as users do, over real TLS. It and its supervisor get SIGKILL at each call."""
    result = BenchResult("SIGKILL at each call of a running client", ("scenario", "call", *_CUT_POINTS))
    for scenario in kill_points.SCENARIOS:
        for number, call in enumerate(kill_points.file_system_calls(scenario, folder)):
            cells = dict.fromkeys(_CUT_POINTS, "-")
            for cut_point in cut_points(call):
                name = f"{scenario.name}: {call}, {cut_point}"
                survived = result.run_case(
                    name, partial(kill_points.assert_recovers, scenario, number, cut_point, folder)
                )
                cells[cut_point] = "1 of 1" if survived else "0 of 1"
            result.add(scenario.name, call, *cells.values())
    return result
