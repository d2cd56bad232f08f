"""A sample of the fault matrix: each call of these scenarios with its response lost, and with the process killed.

Retries come at once and late in turn, and the outcome is the same as without the fault. The whole matrix (every
scenario, every fault, both paces) is `python -m tests.simulation.faults`.
"""

import pytest

from tests.simulation.faults.injector import Fault, FaultInjector
from tests.simulation.faults.matrix import REPEATED, SURVIVED, ScenarioRunner
from tests.simulation.faults.scenarios import SCENARIOS, Scenario
from tests.simulation.faults.setup import ScenarioSetup

SAMPLE = (
    "a valid certificate connects and says hello",
    "hello while waiting",
    "hello once it has arrived",
    "refused: REVOKED_BY_ISSUER",
    "refused: NAME_TAKEN",
    "claim of a waiting device",
    "retry after a failure",
    "move to another target",
    "release",
    "release before the first connection",
    "revocation of an arrived device",
    "retry of a refused device",
    "a target is registered",
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", [BY_NAME[name] for name in SAMPLE], ids=lambda scenario: scenario.name)
def test_a_killed_process_or_a_lost_response_does_not_change_the_outcome(
    injector: FaultInjector, setup: ScenarioSetup, scenario: Scenario
) -> None:
    runner = ScenarioRunner(injector, setup, scenario)
    for number in range(1, len(runner.calls) + 1):
        for fault, late in ((Fault.KILLED, number % 2 == 0), (Fault.TIMED_OUT, number % 2 == 1)):
            cell = runner.cell(number, fault, [late])
            expected = (SURVIVED, REPEATED) if scenario.repeatable else (SURVIVED,)
            assert cell.result in expected, (cell.call, fault, cell.lost)
