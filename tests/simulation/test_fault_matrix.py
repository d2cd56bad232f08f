"""A sample of the fault matrix: each call of these scenarios with its response lost, and with the process killed.

Retries are alternately immediate and late, and the outcome is the same as without the fault. The full tier runs the
whole matrix (every scenario, every fault, both paces), as `python -m tests.simulation.faults` does, which also prints
it.
"""

import pytest

from lobby.domain import hellos
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.states import State
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint
from tests.simulation.faults.injector import Fault, FaultInjector
from tests.simulation.faults.matrix import HELLO_ATTRIBUTES, LOST, RECORDED, REPEATED, SURVIVED, ScenarioRunner
from tests.simulation.faults.scenarios import SCENARIOS, Scenario
from tests.simulation.faults.setup import ScenarioSetup

SAMPLE = (
    "a valid certificate connects and says hello",
    "three connection attempts before the admission",
    "a device whose serial number is claimed connects",
    "a device joins by claim and is claimed by its rule",
    "a device is denied at the door by claim",
    "a second key of a serial number",
    "hello while waiting",
    "hello once it has arrived",
    "refused: REVOKED_BY_ISSUER",
    "refused: NAME_TAKEN",
    "claim of a waiting device",
    "retry after a failure",
    "move to another target",
    "move with its shadows",
    "release",
    "release before the first connection",
    "revocation of an arrived device",
    "retry of a refused device",
    "a target is registered",
    "a target is paused",
    "a device goes offline",
    "two clients share an identity in a target",
)
LONG = {
    "a device joins by claim and is claimed by its rule",
    "a device whose serial number is claimed connects",
    "a second key of a serial number",
    "move to another target",
    "move with its shadows",
    "retry after a failure",
    "retry of a refused device",
    "three connection attempts before the admission",
}
STATE_ATTRIBUTES = {"devstate", "enteredat", "counted"}
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(BY_NAME[name], marks=[pytest.mark.full] if name in LONG else [], id=name) for name in SAMPLE],
)
def test_a_killed_process_or_a_lost_response_does_not_change_the_outcome(
    injector: FaultInjector, setup: ScenarioSetup, scenario: Scenario
) -> None:
    runner = ScenarioRunner(injector, setup, scenario)
    for number in range(1, len(runner.calls) + 1):
        for fault, late in ((Fault.KILLED, number % 2 == 0), (Fault.TIMED_OUT, number % 2 == 1)):
            cell = runner.cell(number, fault, [late])
            expected = (SURVIVED, REPEATED) if scenario.repeatable else (SURVIVED,)
            assert cell.result in expected, (cell.call, fault, cell.lost)


@pytest.mark.full
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fault_of_any_call_loses_anything_and_only_a_denied_one_needs_a_user(
    injector: FaultInjector, setup: ScenarioSetup, scenario: Scenario
) -> None:
    cells = list(ScenarioRunner(injector, setup, scenario).cells(tuple(Fault)))
    assert [cell for cell in cells if cell.result == LOST] == []
    with_a_reason = [cell for cell in cells if cell.result not in (SURVIVED, REPEATED, RECORDED)]
    assert [cell for cell in with_a_reason if cell.fault is not Fault.DENIED] == []


def test_the_comparison_after_a_retry_ignores_what_a_hello_writes_and_nothing_else() -> None:
    admitted = Device(Fingerprint("a" * 64), State.KNOCKING, "2026-11-22T12:00:00.000Z")
    greeted = hellos.hello(admitted, Report("1.0", shows_code=False, can_renew=False), "2026-11-22T12:00:01.000Z")
    before, after = (LedgerRow(**attributes_of(device)).serialize() for device in (admitted, greeted))
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed - STATE_ATTRIBUTES == HELLO_ATTRIBUTES
