"""A race: actors that work on one device at the same time, and the outcome that every order of their calls must have.

After each race, everything is delivered and settles, and the checks of `model` must also pass.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lobby.names import Fingerprint, Target
from tests.simulation.faults.initial_states import ONE
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.setup import InitialState, ScenarioSetup
from tests.simulation.races.model import check_always, row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.scheduler import Actor, Choose
from tests.simulation.races.settling import settle
from tests.simulation.races.simulation import Simulation

StartActors = Callable[[Simulation], list[Actor]]
Check = Callable[[Simulation], None]


@dataclass(frozen=True)
class Race:
    """`start` starts the actors in the lobby that `initial_state` left; `check` checks the settled lobby.
    `repairs`: how often an operator acts on a device that needs it. `then`: what happens after everything is
    delivered, and before the lobby must be settled."""

    name: str
    initial_state: InitialState
    start: StartActors
    check: Check = lambda _simulation: None
    repairs: int = 0
    then: Check = lambda _simulation: None


def one(simulation: Simulation) -> Fingerprint:
    return simulation.devices[ONE].certid


def ends_as(state: str, target: Target | None = None) -> Check:
    def check(simulation: Simulation) -> None:
        row = row_of(one(simulation))
        if row is None or row.devstate != state or (target and row.target != target):
            raise ModelViolation(f"got {row}, want {state}, {target}")

    return check


def all_of(*checks: Check) -> Check:
    def check(simulation: Simulation) -> None:
        for each in checks:
            each(simulation)

    return check


def run_race(injector: FaultInjector, setup: ScenarioSetup, race: Race, choose: Choose) -> None:
    """Run the race in one order. Raise `ModelViolation`."""
    simulation = Simulation(injector, setup.at(race.initial_state))
    calls: list[str] = []
    with simulation.scheduled():
        try:
            actors = race.start(simulation)
            while running := [actor for actor in actors if not actor.ended]:
                actor = running[choose(len(running)) if len(running) > 1 else 0]
                calls.append(f"{actor.name}: {actor.next_call}")
                reads = actor.reads
                simulation.step(actor)
                if not reads:
                    check_always()
            simulation.settle(check_always)
            race.then(simulation)
            settle(simulation, race.repairs)
            race.check(simulation)
        except ModelViolation as violation:
            raise ModelViolation(f"{race.name}: {violation}\n  " + "\n  ".join(calls)) from violation
