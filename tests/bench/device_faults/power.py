"""The power cut at every file-system call of a device's life, once and twice, on a platter that remembers only what it
must; and for real, by SIGKILL at each call of a running client."""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.device_faults import killed
from tests.bench.device_faults.figures import Figures
from tests.unit.device.lives import BOX, Cut, Life, come_back, cuts
from tests.unit.device.platter import How, PowerCut, sides

_SIDES: Final[tuple[How, ...]] = ("before", "half", "after")
_Cells = dict[str, dict[How, list[int]]]


def once() -> Figures:
    """Every call, every side of it, every state that the platter can then be in."""
    figures = Figures("power cut at each call of a life", ("call", *_SIDES))
    cells: _Cells = defaultdict(lambda: {how: [0, 0] for how in _SIDES})
    for cut in cuts(BOX):
        for image in cut.images:
            cell = cells[cut.call][cut.how]
            cell[1] += 1
            name = f"{cut.call}, {cut.how}, in {cut.moment}"
            cell[0] += figures.tries(name, partial(come_back, cut.life, image))
    for call, row in cells.items():
        figures.add(call, *(f"{good} of {tried}" if tried else "-" for good, tried in row.values()))
    figures.notes.append(
        "Each try is one state of the platter after one cut; the device is powered on again and arrives."
    )
    return figures


def twice(share: float) -> Figures:
    """A second cut on the way back from the first; of the first ones, a `share` is tried, at random."""
    figures = Figures("a second cut on the way back", ("first cut in", "tries", "survived"))
    choice = random.Random(1)  # noqa: S311 - the same in each run
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for first in cuts(BOX):
        if choice.random() > share:
            continue
        row = rows[first.moment]
        for name, left in _again(first):
            row[0] += 1
            row[1] += figures.tries(name, left)
    for moment, row in rows.items():
        figures.add(moment, *row)
    return figures


def _again(first: Cut) -> Iterator[tuple[str, Callable[[], object]]]:
    """A life on each state that the first cut left, cut at each of its calls in turn; and the way back from there."""
    for image in first.images:
        for number in itertools.count():
            again = Life.new(image, number, "after")
            again.cloud.route = first.life.cloud.route
            try:
                again.live()
            except PowerCut:
                name = f"{first.call} {first.how}, then {again.platter.calls[-1]}"
                yield from ((name, partial(come_back, again, left)) for left in again.platter.images())
            else:
                break


def for_real(folder: Path) -> Figures:
    """The client as its users run it, over real TLS; SIGKILL, with its keeper, at each call."""
    figures = Figures("SIGKILL at each call of a running client", ("life", "call", *_SIDES))
    for life in killed.LIVES:
        for number, call in enumerate(killed.calls_of(life, folder)):
            cells = dict.fromkeys(_SIDES, "-")
            for how in sides(call):
                name = f"{life.name}: {call}, {how}"
                survived = figures.tries(name, partial(killed.outlived, life, number, how, folder))
                cells[how] = "1 of 1" if survived else "0 of 1"
            figures.add(life.name, call, *cells.values())
    return figures
