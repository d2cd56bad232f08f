"""The named races: which actors work on one device at the same time, and the outcome that every order must have.

Races over lanes are in `lane_races`, those of renewals in `renewal_races`, and those of transfers in `transfer_races`.
"""

from typing import Final

from lobby.names import Target
from tests import certificates as make
from tests.simulation.faults import api_requests, initial_states
from tests.simulation.faults.devices import FAR, GUARDED, A, B, Fleet
from tests.simulation.faults.initial_states import ONE, TWO
from tests.simulation.faults.setup import CA, InitialState, deploy_policy
from tests.simulation.races.lane_races import LANE_RACES
from tests.simulation.races.model import entries_of, row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.race import Check, Race, StartActors, all_of, ends_as, one
from tests.simulation.races.renewal_races import RENEWAL_RACES
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.shared_target_races import SHARED_TARGET_RACES
from tests.simulation.races.simulation import Simulation
from tests.simulation.races.transfer_races import TRANSFER_RACES
from tests.simulation.races.user_requests import DONE


def three_targets(then: InitialState) -> InitialState:
    def begin(fleet: Fleet) -> None:
        api_requests.register(fleet, FAR, "far target")
        deploy_policy(FAR)
        then(fleet)

    return begin


def guarded(then: InitialState) -> InitialState:
    def begin(fleet: Fleet) -> None:
        api_requests.register(fleet, GUARDED, "target with presence codes")
        deploy_policy(GUARDED)
        then(fleet)

    return begin


def _users(*events: tuple[str, Target | None]) -> StartActors:
    return lambda simulation: [simulation.request(event, one(simulation), target) for event, target in events]


def _users_and_commissioner(*events: tuple[str, Target | None]) -> StartActors:
    """Users, and the worker of the lane in which the device waits."""
    return lambda simulation: [simulation.start_work(one(simulation)), *_users(*events)(simulation)]


def _claimed_first(then: StartActors, target: Target = A) -> StartActors:
    def run(simulation: Simulation) -> list[Actor]:
        simulation.finish(simulation.request("claim", one(simulation), target))
        return then(simulation)

    return run


def _connects(simulation: Simulation, name: str = ONE) -> Actor:
    """The device's first connection, which invokes the bouncer."""
    simulation.device_actions.act(simulation.devices[name])
    return simulation.invoke(simulation.pending[-1])


def _says_hello(simulation: Simulation) -> Actor:
    simulation.device_actions.say_hello(simulation.devices[ONE])
    return simulation.invoke(simulation.pending[-1])


def _admitted(fleet: Fleet) -> None:
    """Admitted, without a hello since."""
    initial_states.unconnected(fleet)
    device = fleet.devices[ONE]
    device.powered = True
    fleet.act()
    device.powered = False
    fleet.cloud.settle()


def _two_registrations(simulation: Simulation) -> list[Actor]:
    return [_connects(simulation), _late_registration(simulation)]


def _late_registration(simulation: Simulation) -> Actor:
    return simulation.invoke(simulation.device_actions.registration_of(one(simulation)))


def _one_won(simulation: Simulation) -> None:
    """One of the claims succeeded, and the others were refused."""
    answers = sorted(request.answer for request in simulation.requests if request.event == "claim")
    if answers != [*["ALREADY_CLAIMED"] * (len(answers) - 1), DONE]:
        raise ModelViolation(f"got answers {answers}, want one done")
    winner = next(request for request in simulation.requests if request.answer == DONE)
    row = row_of(one(simulation))
    if row is None or (row.target, row.claimedby) != (winner.target, winner.by):
        raise ModelViolation(f"got {row}, want it as in {winner}")


def _all_done(simulation: Simulation) -> None:
    if [request for request in simulation.requests if request.answer != DONE]:
        raise ModelViolation(f"got answers {simulation.requests}, want all done")


def _once(event: str) -> Check:
    def check(simulation: Simulation) -> None:
        count = sum(entry.event == event for entry in entries_of(one(simulation)))
        if count != 1:
            raise ModelViolation(f"got {count} entries of {event}, want one")

    return check


def same_name(fleet: Fleet) -> None:
    """TWO's certificate has ONE's name."""
    initial_states.add_device(fleet)
    initial_states.add_device(fleet, TWO, make.pem_of(make.device(CA, ONE, number=2)))


def _one_has_the_name(simulation: Simulation) -> None:
    states = sorted(row.devstate for device in simulation.devices.values() if (row := row_of(device.certid)))
    if states != ["inlobby", "refused"]:
        raise ModelViolation(f"got {states}, want one that has the name and one refused")


RACES: Final = (
    Race("two claims for different targets", initial_states.waiting, _users(("claim", A), ("claim", B)), _one_won),
    Race(
        "two claims of a device that has never connected",
        initial_states.unconnected,
        _users(("claim", A), ("claim", B)),
        _one_won,
    ),
    Race(
        "three claims for different targets",
        three_targets(initial_states.waiting),
        _users(("claim", A), ("claim", B), ("claim", FAR)),
        _one_won,
    ),
    Race(
        "two claims for the same target",
        initial_states.waiting,
        _users(("claim", A), ("claim", A)),
        all_of(_all_done, _once("claim")),
    ),
    Race(
        "claim, and the first hello",
        _admitted,
        lambda w: [_says_hello(w), w.request("claim", one(w), A)],
        all_of(_all_done, ends_as("arrived", A)),
    ),
    Race(
        "claim, and the admission",
        initial_states.unconnected,
        lambda w: [_connects(w), w.request("claim", one(w), A)],
        all_of(_all_done, ends_as("arrived", A)),
    ),
    Race(
        "claims for different targets, and the admission",
        initial_states.unconnected,
        lambda w: [_connects(w), *_users(("claim", A), ("claim", B))(w)],
        _one_won,
    ),
    Race(
        "release, and commissioning",
        initial_states.waiting,
        _claimed_first(_users_and_commissioner(("release", None))),
        all_of(_all_done, ends_as("inlobby")),
    ),
    Race(
        "move, and commissioning",
        initial_states.waiting,
        _claimed_first(_users_and_commissioner(("move", B))),
        all_of(_all_done, ends_as("arrived", B)),
    ),
    Race(
        "revocation, and commissioning",
        initial_states.waiting,
        _claimed_first(_users_and_commissioner(("revoke", None))),
        all_of(_all_done, ends_as("revoked")),
    ),
    Race(
        "retry, and commissioning",
        initial_states.waiting,
        _claimed_first(_users_and_commissioner(("retry", None))),
        all_of(_all_done, ends_as("arrived", A)),
    ),
    Race(
        "hello, and commissioning",
        initial_states.waiting,
        _claimed_first(lambda w: [w.start_work(one(w)), _says_hello(w)]),
        ends_as("arrived", A),
    ),
    Race(
        "move, and another move",
        three_targets(initial_states.arrived),
        _users(("move", B), ("move", FAR)),
        all_of(_all_done, ends_as("arrived")),
    ),
    Race("move, and the move back", initial_states.moved, _users(("move", A), ("release", None)), ends_as("inlobby")),
    Race("release, and the next claim", initial_states.arrived, _users(("release", None), ("claim", B))),
    Race("move, and release", initial_states.arrived, _users(("move", B), ("release", None)), ends_as("inlobby")),
    Race("move, and revocation", initial_states.arrived, _users(("move", B), ("revoke", None)), ends_as("revoked")),
    Race(
        "the code, and a wrong code",
        guarded(initial_states.waiting),
        _claimed_first(_users(("confirm", None), ("mismatch", None)), GUARDED),
        ends_as("arrived", GUARDED),
    ),
    Race(
        "the code, and release",
        guarded(initial_states.waiting),
        _claimed_first(_users(("confirm", None), ("release", None)), GUARDED),
        ends_as("inlobby"),
    ),
    Race("admission twice", initial_states.unconnected, _two_registrations, all_of(_once("admit"), ends_as("inlobby"))),
    Race(
        "admission, and revocation",
        initial_states.unconnected,
        lambda w: [_connects(w), w.request("revoke", one(w))],
        ends_as("revoked"),
    ),
    Race(
        "a late registration event, and a move",
        initial_states.arrived,
        lambda w: [_late_registration(w), w.request("move", one(w), B)],
        ends_as("arrived", B),
    ),
    Race(
        "two certificates with one name", same_name, lambda w: [_connects(w, ONE), _connects(w, TWO)], _one_has_the_name
    ),
    *LANE_RACES,
    *RENEWAL_RACES,
    *TRANSFER_RACES,
    *SHARED_TARGET_RACES,
)
