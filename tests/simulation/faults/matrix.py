"""The matrix: every call of every story × every fault, each tried with redelivery at once and late.

A cell is `survived` where the story ended as if nothing had happened; `done again` where somebody asked for one more
try, and got it; a reason code where the device shows what is wrong, and one retry by the operator, once the fault is
mended, leads to the same end; `LOST` otherwise, with what differs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.simulation.faults import presses
from tests.simulation.faults.endings import Ending, ending_of, is_told_within
from tests.simulation.faults.field import Field
from tests.simulation.faults.ground import Ground
from tests.simulation.faults.layer import Call, Fault, FaultLayer, Plan
from tests.simulation.faults.stories import Story

SURVIVED: Final = "survived"
DONE_AGAIN: Final = "done again"
LOST: Final = "LOST"
ADMIN_API: Final = "admin-api"
_LASTING: Final = tuple(fault for fault in Fault if fault is not Fault.ANSWER_LOST)
_NEAR: Final = 8
"""A second fault this many calls after the first still falls into what the first set off."""


@dataclass(frozen=True)
class Cell:
    """What became of a story in which one call failed. `said` is one of the module's words."""

    call: Call
    fault: Fault
    said: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """What became of a story in which two calls failed, the second of them maybe while the first was made good."""

    what: str
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
        for number, call in enumerate(self.calls, 1):
            if self._story.overtaken and call.by == ADMIN_API:
                continue
            for fault in faults:
                yield self.cell(number, fault)

    def pair(self, random: Random) -> Pair:
        """Two calls drawn, not far from each other, at a pace that is drawn."""
        first = random.randint(1, len(self.calls))
        plan = {first: random.choice(_LASTING), first + random.randint(1, _NEAR): random.choice(_LASTING)}
        slow = random.random() < 0.5
        field = self._lived(plan, slow=slow)
        struck = [f"{self._layer.made[number - 1]} {plan[number]}" for number in sorted(self._layer.struck)]
        said, lost = self._judged(field)
        return Pair(f"{self._story.name}: {', '.join(struck)}, delivered again {_pace(slow)}", said, tuple(lost))

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
        return Cell(call, fault, said, tuple(f"delivered again {_pace(slow)}: {line}" for line in lost))

    def _judged(self, field: Field) -> tuple[str, list[str]]:
        """What to say of an ending, and what is amiss in it."""
        ending = ending_of(field)
        lost = ending.differs(self._end, but=("registries",) if self._story.overtaken else ())
        if not lost:
            return SURVIVED, []
        if self._story.again and not self._differs_after_more(ending):
            return DONE_AGAIN, []
        reasons = {certid: code for certid, code in ending.reasons.items() if self._end.reasons.get(certid) != code}
        if not reasons or ending.wrong:
            return LOST, lost
        self._retried(field, list(reasons))
        lost = self._differs_after_more(ending_of(field))
        return (LOST, lost) if lost else (", ".join(sorted(set(reasons.values()))), [])

    def _retried(self, field: Field, certids: list[str]) -> None:
        """The operator has read the reasons, and presses."""
        self._layer.begin({})
        for device in field.devices.values():
            if device.certid in certids:
                presses.retry(field, device.name)
        field.cloud.settle()

    def _differs_after_more(self, ending: Ending) -> list[str]:
        """What still differs where more was tried: that is told in the history, or was refused as nothing was left to
        be done."""
        wanted = self._end
        but = ("rows", "histories", "answers", *(("registries",) if self._story.overtaken else ()))
        found = ending.differs(wanted, but=but)
        mine, others = _without_generation(ending.rows), _without_generation(wanted.rows)
        found += [] if mine == others else [f"rows: got {mine}, want {others}"]
        return found + [
            f"history: got {ending.histories[certid]}, want in it {lines}"
            for certid, lines in wanted.histories.items()
            if not is_told_within(lines, ending.histories.get(certid, []))
        ]


def _pace(slow: bool) -> str:
    return "late" if slow else "at once"


def _without_generation(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Nor what hellos write that were said meanwhile."""
    more = {"generation", "lastseen", "clientversion"}
    return {certid: {name: row[name] for name in row.keys() - more} for certid, row in rows.items()}
