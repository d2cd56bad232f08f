"""Races over one device: in every order of their calls where those are few, and else in some that are drawn.

All orders of all of them, and many more that hypothesis draws, are `python -m tests.simulation.races`.
"""

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from lobby.domain import commissioner_transitions
from lobby.ledger import transaction
from lobby.ledger.models import HistoryRow, LedgerRow
from tests.simulation.faults.ground import Ground
from tests.simulation.faults.layer import FaultLayer
from tests.simulation.races.machine import crowd_in
from tests.simulation.races.pairs import RACES, live
from tests.simulation.races.truth import Untrue
from tests.simulation.races.turns import drawn, every_order

FEW = {
    "two claims for different targets": 6,
    "two claims for the same target": 6,
    "claim, and the first hello": 6,
    "release, and a claim of the next": 3,
}
"""The races that are lived in every order, and how many those are."""
DRAWN = 1
CROWD = settings(
    max_examples=3,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NAMED = {race.name: race for race in RACES}


@pytest.mark.parametrize("name", FEW)
def test_a_race_ends_well_in_every_order(layer: FaultLayer, ground: Ground, name: str) -> None:
    assert every_order(lambda choose: live(layer, ground, NAMED[name], choose)) == FEW[name]


@pytest.mark.parametrize("race", [race for race in RACES if race.name not in FEW], ids=lambda race: race.name)
def test_a_race_ends_well_in_an_order_that_is_drawn(layer: FaultLayer, ground: Ground, race: object) -> None:
    for number in range(DRAWN):
        live(layer, ground, NAMED[race.name], drawn(f"{race.name} {number}"))  # type: ignore[attr-defined]


def test_everybody_at_once_comes_to_rest(layer: FaultLayer, ground: Ground) -> None:
    with crowd_in(layer, ground) as crowd:
        run_state_machine_as_test(seed(1)(crowd), settings=CROWD)


# What these tests are there to see is seen.


def test_a_commissioner_whose_word_counts_for_any_claim_is_seen(
    layer: FaultLayer, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    commission = commissioner_transitions.commission
    monkeypatch.setattr(
        commissioner_transitions, "commission", lambda d, _generation, *more: commission(d, d.generation, *more)
    )
    with pytest.raises(Untrue):
        _live_many(layer, ground, "move, and commissioning")


def test_a_write_that_does_not_look_at_what_it_overwrites_is_seen(
    layer: FaultLayer, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "_unchanged", lambda _device: LedgerRow.certid.exists())
    monkeypatch.setattr(HistoryRow.certid, "does_not_exist", LedgerRow.certid.exists, raising=False)
    with pytest.raises(Untrue):
        _live_many(layer, ground, "two claims for different targets")


def _live_many(layer: FaultLayer, ground: Ground, name: str) -> None:
    for number in range(40):
        live(layer, ground, NAMED[name], drawn(number))
