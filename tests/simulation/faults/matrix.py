"""The matrix: every call of every scenario × every fault, each with immediate and with late retries.

The result of a cell is `survived` if the outcome is the same as without the fault; `repeated` if the action had its
effect twice because it was requested twice; `recorded` if only the history differs, because a target refused to
deactivate a certificate and the commissioner has cleared the target since; a reason code if the device shows the
reason, and one retry by an operator after the fault leads to the same outcome. The code of a standby that has refused
the device is such a reason, too; instead of an operator, the sweeper's daily preparation repeats that work. Otherwise,
the result is `LOST`, with the differences.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from commissioner.commissioning import ACTOR as COMMISSIONER
from commissioner.lambdas.sweeper import ACTOR as SWEEPER
from commissioner.sweeping.standby_watch import PREPARED_AGAIN
from lobby.domain.states import Event
from lobby.domain.targets.thing_claim import CLAIM
from tests.simulation.faults import api_requests
from tests.simulation.faults.devices import Fleet
from tests.simulation.faults.injector import Call, Fault, FaultInjector, Plan
from tests.simulation.faults.outcomes import Outcome, is_contained, outcome_of
from tests.simulation.faults.scenarios import Scenario
from tests.simulation.faults.setup import ScenarioSetup

SURVIVED: Final = "survived"
REPEATED: Final = "repeated"
RECORDED: Final = "recorded"
LOST: Final = "LOST"
ADMIN_API: Final = "admin-api"
_LASTING: Final = tuple(fault for fault in Fault if fault is not Fault.ANSWER_LOST)
HELLO_ATTRIBUTES: Final = frozenset({"lastseen", "clientversion", "shows", "renews"})
"""What a hello in the lobby writes. A device whose commissioning fails says hello in the lobby, and one that is
commissioned immediately may not."""
_OF_REPETITION: Final = HELLO_ATTRIBUTES | {"generation", "priority", "campaign"}
"""What a retry, a preparation by the sweeper's campaign, and the hellos before them change in a device's row."""
_NEAR: Final = 8
"""A second fault at most this many calls after the first still hits what follows from the first."""


@dataclass(frozen=True)
class Cell:
    """The result of a scenario in which one call failed."""

    call: Call
    fault: Fault
    result: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """The result of a scenario in which two calls failed, the second possibly during the recovery from the first."""

    description: str
    result: str
    lost: tuple[str, ...] = ()


class ScenarioRunner:
    """Runs one scenario repeatedly."""

    def __init__(self, injector: FaultInjector, setup: ScenarioSetup, scenario: Scenario) -> None:
        self._injector, self._setup, self._scenario = injector, setup, scenario
        fleet = self._run({}, slow=False)
        self.calls: tuple[Call, ...] = tuple(injector.calls)
        self._expected = self.outcome_of(fleet)
        if self._expected.violations or self._expected.refusals:
            violations, refusals = self._expected.violations, self._expected.refusals
            raise AssertionError(f"{scenario.name}: got {violations}, {refusals} without a fault, want none")

    @staticmethod
    def outcome_of(fleet: Fleet) -> Outcome:
        return outcome_of(fleet)

    def cells(self, faults: Sequence[Fault]) -> Iterator[Cell]:
        for number, call in enumerate(self.calls, 1):
            if (self._scenario.superseded and call.by == ADMIN_API) or self._scenario.fails not in call.operation:
                continue
            for fault in faults:
                yield self.cell(number, fault)

    def pair(self, random: Random) -> Pair:
        """Fail two random calls that are close to each other, with immediate or late retries at random."""
        first = random.randint(1, len(self.calls))
        plan = {first: random.choice(_LASTING), first + random.randint(1, _NEAR): random.choice(_LASTING)}
        slow = random.random() < 0.5
        fleet = self._run(plan, slow=slow)
        numbers = sorted(self._injector.injected)
        failed = ", ".join(f"{self._injector.calls[number - 1]} {plan[number]}" for number in numbers)
        result, lost = self._judge(fleet)
        return Pair(f"{self._scenario.name}: {failed}, retried {_pace(slow)}", result, tuple(lost))

    def cell(self, number: int, fault: Fault, paces: Sequence[bool] = (False, True)) -> Cell:
        """Return the worst result of these paces: immediate retries (False), late retries (True)."""
        cells = []
        for slow in paces:
            cell, waited = self._try(number, fault, slow=slow)
            cells.append(cell)
            if not waited:
                break  # the other pace is the same run
        return max(cells, key=lambda cell: (cell.result == LOST, cell.result != SURVIVED))

    def _run(self, plan: Plan, *, slow: bool) -> Fleet:
        fleet = self._setup.at(self._scenario.initial_state, slow=slow)
        self._injector.begin(plan)
        self._scenario.action(fleet)
        fleet.cloud.settle()
        return fleet

    def _try(self, number: int, fault: Fault, *, slow: bool) -> tuple[Cell, bool]:
        """Return the result, and whether there were late or immediate retries."""
        fleet = self._run({number: fault}, slow=slow)
        call = self.calls[number - 1]
        if not self._injector.injected or self._injector.calls[number - 1] != call:
            raise AssertionError(f"{self._scenario.name}: got other calls than without a fault, want {call}")
        result, lost = self._judge(fleet)
        cell = Cell(call, fault, result, tuple(f"retried {_pace(slow)}: {line}" for line in lost))
        return cell, fleet.cloud.waited

    def _judge(self, fleet: Fleet) -> tuple[str, list[str]]:
        """Return the result, and the differences if it is LOST."""
        outcome = self.outcome_of(fleet)
        lost = outcome.differs(self._expected, ignoring=("registries",) if self._scenario.superseded else ())
        if not lost:
            return SURVIVED, []
        if self._scenario.repeatable and not self._differs_after_repetition(outcome):
            return REPEATED, []
        if not self._differs_by_more_than_refusals(outcome):
            return RECORDED, []
        expected = self._expected
        reasons = _unexpected(outcome.reasons, expected.reasons)
        of_standbys = _unexpected(outcome.standby_reasons, expected.standby_reasons)
        if not (reasons or of_standbys) or outcome.violations:
            return LOST, lost
        self._injector.begin({})
        self._retry(fleet, list(reasons))
        if self.outcome_of(fleet).standby_reasons != expected.standby_reasons:
            self._prepare_again(fleet)
        lost = self._differs_after_repetition(self.outcome_of(fleet))
        return (LOST, lost) if lost else (", ".join(sorted({*reasons.values(), *of_standbys.values()})), [])

    @staticmethod
    def _retry(fleet: Fleet, certids: list[str]) -> None:
        """Retry these rows, also of certificates that were replaced, as an operator who has read the reasons."""
        for certid in certids:
            api_requests.retry_row(fleet, certid)
        fleet.cloud.settle()

    @staticmethod
    def _prepare_again(fleet: Fleet) -> None:
        """Let a day pass, after which the sweeper prepares again what a standby has refused. If the campaign of the
        target's last work does not exist yet, its first run only creates that."""
        fleet.clock.advance(seconds=PREPARED_AGAIN.total_seconds() + 1)
        for _ in range(2):
            fleet.cloud.timer("sweeper", {}, runs=1)
            fleet.cloud.settle()
            fleet.clock.advance(minutes=5)

    def _differs_by_more_than_refusals(self, outcome: Outcome) -> bool:
        """Return whether there are differences other than refused clearings in the history. If a claim was superseded,
        there may also be a new generation of work for each."""
        surplus = [
            line
            for certid, lines in outcome.histories.items()
            for line in Counter(lines) - Counter(self._expected.histories.get(certid, []))
        ]
        refusals = all(
            event == Event.RETIRE and reason and actor == COMMISSIONER for event, reason, _, actor in surplus
        )
        if not self._scenario.superseded and outcome.differs(self._expected, ignoring=("histories",)):
            return True
        return not refusals or bool(self._differs_after_repetition(outcome))

    def _differs_after_repetition(self, outcome: Outcome) -> list[str]:
        """Return the differences that a repeated request does not explain: it may add history entries, or be refused
        because nothing is left to do. A target whose devices were prepared again states this as its last work."""
        expected = self._expected
        differences = outcome.differs(expected, ignoring=("rows", "registries", "histories", "refusals", "targets"))
        targets, wanted = _without_work(outcome.targets), _without_work(expected.targets)
        differences += [] if targets == wanted else [f"targets: got {targets}, want {wanted}"]
        mine, others = _without_repetition(outcome.rows), _without_repetition(expected.rows)
        differences += [] if mine == others else [f"rows: got {mine}, want {others}"]
        mine, others = map(_without_generation_of_claims, (outcome.registries, expected.registries))
        if mine != others and not self._scenario.superseded:
            differences.append(f"registries: got {mine}, want {others}")
        return differences + [
            f"history: got {outcome.histories[certid]}, want it to contain {lines}"
            for certid, lines in expected.histories.items()
            if not is_contained(lines, outcome.histories.get(certid, []))
        ]


def _pace(slow: bool) -> str:
    return "late" if slow else "at once"


def _unexpected(reasons: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    return {certid: code for certid, code in reasons.items() if expected.get(certid) != code}


def _without_work(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the targets without the work of the sweeper."""
    kept = [row for row in rows if row.get("actor") != {"S": SWEEPER}]
    return [{name: value for name, value in row.items() if name != "lastwork"} for row in kept]


def _without_repetition(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the rows of devices without what a repetition changes."""
    return {certid: {name: row[name] for name in row.keys() - _OF_REPETITION} for certid, row in rows.items()}


def _without_generation_of_claims(registries: dict[str, Any]) -> dict[str, Any]:
    """Return the registries whose things do not state the generation of their claim (`thing_claim`)."""
    return {
        target: registry
        | {
            "things": {
                thing: {name: value.partition(":")[2] if name == CLAIM else value for name, value in attributes.items()}
                for thing, attributes in registry["things"].items()
            }
        }
        for target, registry in registries.items()
    }
