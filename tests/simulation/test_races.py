"""Races over one device: in every order of their calls if there are few, and otherwise in some random orders. The full
tier runs every order of more races, with a new seed that a failure prints; SIMULATION_SEED reproduces it.
`test_random_orders.py` runs all actors together; `python -m tests.simulation.races` runs any number of orders.
"""

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from lobby.domain import commissioner_transitions
from lobby.ledger import transaction
from lobby.ledger.models import HistoryRow, LedgerRow
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.setup import ScenarioSetup
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.named_races import RACES
from tests.simulation.races.race import Race, run_race
from tests.simulation.races.scheduler import all_orders, random_order, some_orders
from tests.simulation.races.seeds import repeatable
from tests.simulation.races.shared_target_races import SHARED_TARGET_RACES
from tests.simulation.races.state_machine import state_machine_in
from tests.simulation.races.transfer_races import TRANSFER_RACES

ORDERS = {
    "two claims for different targets": 6,
    "two claims for the same target": 6,
    "claim, and the first hello": 6,
    "release, and the next claim": 3,
}
"""The races that run in every order, and the number of orders."""
RANDOM_ORDERS = 1
MANY_ORDERS = 300
"""In the full tier: all orders of a race, but at most so many, and as many random ones of a race that has more."""
SETTINGS = settings(
    max_examples=3,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
BY_NAME = {race.name: race for race in RACES}


@pytest.mark.parametrize("name", ORDERS)
def test_a_race_has_the_required_outcome_in_every_order(
    injector: FaultInjector, setup: ScenarioSetup, name: str
) -> None:
    assert all_orders(lambda choose: run_race(injector, setup, BY_NAME[name], choose)) == ORDERS[name]


@pytest.mark.parametrize(
    "race",
    [race for race in RACES if race.name not in ORDERS and race not in (*TRANSFER_RACES, *SHARED_TARGET_RACES)],
    ids=lambda race: race.name,
)
def test_a_race_has_the_required_outcome_in_a_random_order(
    injector: FaultInjector, setup: ScenarioSetup, race: Race
) -> None:
    for number in range(RANDOM_ORDERS):
        run_race(injector, setup, race, random_order(f"{race.name} {number}"))


@pytest.mark.full
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_a_race_has_the_required_outcome_in_many_orders(
    injector: FaultInjector, setup: ScenarioSetup, race: Race
) -> None:
    with repeatable() as fresh:
        orders = some_orders(lambda choose: run_race(injector, setup, race, choose), MANY_ORDERS + 1)
        if orders > MANY_ORDERS:
            for number in range(MANY_ORDERS):
                run_race(injector, setup, race, random_order(f"{fresh} {race.name} {number}"))


def test_everything_at_once_settles(injector: FaultInjector, setup: ScenarioSetup) -> None:
    with state_machine_in(injector, setup) as machine:
        run_state_machine_as_test(seed(1)(machine), settings=SETTINGS)


# Defects that these tests must detect.


def test_a_commissioner_whose_result_counts_for_any_claim_is_detected(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    commission = commissioner_transitions.commission
    monkeypatch.setattr(
        commissioner_transitions, "commission", lambda d, _generation, *more: commission(d, d.generation, *more)
    )
    with pytest.raises(ModelViolation):
        _run_many_orders(injector, setup, "move, and commissioning")


def test_an_unconditional_write_is_detected(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "_unchanged", lambda _device: LedgerRow.certid.exists())
    monkeypatch.setattr(HistoryRow.certid, "does_not_exist", LedgerRow.certid.exists, raising=False)
    with pytest.raises(ModelViolation):
        _run_many_orders(injector, setup, "two claims for different targets")


def _run_many_orders(injector: FaultInjector, setup: ScenarioSetup, name: str) -> None:
    for number in range(40):
        run_race(injector, setup, BY_NAME[name], random_order(number))
