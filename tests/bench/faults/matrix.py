"""The matrix: every call of every story × every fault, each tried with redelivery at once and late.

A cell is `survived` where the story ended as if nothing had happened; `done again` where somebody asked for one more
try, and got it; a reason code where the device shows what is wrong, and one retry by the operator, once the fault is
mended, leads to the same end; `LOST` otherwise, with what differs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.faults import presses
from tests.bench.faults.endings import Ending, ending_of, is_told_within
from tests.bench.faults.field import Field
from tests.bench.faults.ground import Ground
from tests.bench.faults.layer import Call, Fault, FaultLayer, Plan
from tests.bench.faults.stories import Story

SURVIVED: Final = "survived"
DONE_AGAIN: Final = "done again"
LOST: Final = "LOST"


@dataclass(frozen=True)
class Cell:
    """What became of a story in which one call failed. `said` is one of the module's words."""

    call: Call
    fault: Fault
    said: str
    lost: tuple[str, ...] = ()


class Trials:
    """Lives one story again and again."""

    def __init__(self, layer: FaultLayer, ground: Ground, story: Story) -> None:
        self._layer, self._ground, self._story = layer, ground, story
        field = self._lived({}, slow=False)
        self.calls: tuple[Call, ...] = tuple(layer.made)
        self._end = ending_of(field)
        if self._end.wrong or self._end.answers:
            raise AssertionError(f"{story.name}, undisturbed: {self._end.wrong}, {self._end.answers}")

    def cells(self, faults: Sequence[Fault]) -> Iterator[Cell]:
        for number in range(1, len(self.calls) + 1):
            for fault in faults:
                yield self.cell(number, fault)

    def cell(self, number: int, fault: Fault, paces: Sequence[bool] = (False, True)) -> Cell:
        """The worst of what becomes of it at each of these paces: what failed comes again at once, or it comes late."""
        tried = [self._tried(number, fault, slow=slow) for slow in paces]
        return max(tried, key=lambda cell: (cell.said == LOST, cell.said != SURVIVED))

    def _lived(self, plan: Plan, *, slow: bool) -> Field:
        field = self._ground.at(self._story.beginning, slow=slow)
        self._layer.begin(plan)
        self._story.happens(field)
        field.cloud.settle()
        return field

    def _tried(self, number: int, fault: Fault, *, slow: bool) -> Cell:
        field = self._lived({number: fault}, slow=slow)
        call = self.calls[number - 1]
        if not self._layer.struck or self._layer.made[number - 1] != call:
            raise AssertionError(f"{self._story.name}: got other calls than undisturbed, want {call}")
        said, lost = self._judged(field)
        when = f"delivered again {'late' if slow else 'at once'}"
        return Cell(call, fault, said, tuple(f"{when}: {line}" for line in lost))

    def _judged(self, field: Field) -> tuple[str, list[str]]:
        """What to say of an ending, and what is amiss in it."""
        ending = ending_of(field)
        lost = ending.differs(self._end)
        if not lost:
            return SURVIVED, []
        if self._story.again and not _differs_after_more(ending, self._end):
            return DONE_AGAIN, []
        reasons = {certid: code for certid, code in ending.reasons.items() if self._end.reasons.get(certid) != code}
        if not reasons or ending.wrong:
            return LOST, lost
        self._retried(field, list(reasons))
        lost = _differs_after_more(ending_of(field), self._end)
        return (LOST, lost) if lost else (", ".join(sorted(set(reasons.values()))), [])

    def _retried(self, field: Field, certids: list[str]) -> None:
        """The operator has read the reasons, and presses."""
        self._layer.begin({})
        for device in field.devices.values():
            if device.certid in certids:
                presses.retry(field, device.name)
        field.cloud.settle()


def _differs_after_more(ending: Ending, wanted: Ending) -> list[str]:
    """As `differs`; more may have been tried, and is told in the history, or was refused as nothing was left to do."""
    found = ending.differs(wanted, but=("rows", "histories", "answers"))
    mine, others = _without_generation(ending.rows), _without_generation(wanted.rows)
    found += [] if mine == others else [f"rows: got {mine}, want {others}"]
    return found + [
        f"history: got {ending.histories[certid]}, want in it {lines}"
        for certid, lines in wanted.histories.items()
        if not is_told_within(lines, ending.histories.get(certid, []))
    ]


def _without_generation(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Nor what hellos write that were said meanwhile."""
    more = {"generation", "lastseen", "clientversion"}
    return {certid: {name: row[name] for name in row.keys() - more} for certid, row in rows.items()}
