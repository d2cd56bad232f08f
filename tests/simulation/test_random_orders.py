"""All actors together, in 2,000 random orders, with a new seed that a failure prints; SIMULATION_SEED reproduces it. It
is in a separate file, so that it runs in parallel with the other races and the fault matrix.
"""

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.setup import ScenarioSetup
from tests.simulation.races.seeds import repeatable
from tests.simulation.races.state_machine import state_machine_in

PARTS = 20
EXAMPLES = 100
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.full
@pytest.mark.parametrize("part", range(PARTS))
def test_everything_at_once_settles_with_fresh_seeds(injector: FaultInjector, setup: ScenarioSetup, part: int) -> None:
    with repeatable() as fresh, state_machine_in(injector, setup) as machine:
        run_state_machine_as_test(seed(fresh + part)(machine), settings=SETTINGS)
