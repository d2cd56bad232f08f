"""Races over records of the stream that are delivered again, also while another one of the same device is processed.

The claim that such a record is about has been carried out and superseded. Its second run registers the device again,
and must leave the certificate as the current claim requires, also if the target refuses to deactivate it.
"""

from typing import Final

from lobby.names import Target
from tests.simulation.faults import initial_states
from tests.simulation.faults.devices import A, B
from tests.simulation.races.model import ModelViolation
from tests.simulation.races.race import Race, ends_as, one
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.simulation import Simulation

_FIRST_CLAIM: Final = 0
_UPDATE: Final = "iot.UpdateCertificate"


def _change(simulation: Simulation, event: str, target: Target | None = None, *, processed: bool = True) -> None:
    """Let a user change the device's claim, and the commissioner process the change."""
    simulation.finish(simulation.request(event, one(simulation), target))
    if processed:
        simulation.finish(simulation.deliver(one(simulation)))


def _stopped_before(simulation: Simulation, actor: Actor, call: str) -> Actor:
    """Continue the actor up to this call."""
    while actor.next_call != call:
        if actor.ended:
            raise ModelViolation(f"got {actor.name} at its end, want it to call {call}")
        simulation.step(actor)
    return actor


def _second_run(simulation: Simulation) -> Actor:
    """The first claim's record again, up to the activation of the certificate."""
    return _stopped_before(simulation, simulation.redeliver(one(simulation), _FIRST_CLAIM), _UPDATE)


def _second_run_before_deactivation(simulation: Simulation) -> Actor:
    """The first claim's record again, up to the deactivation of the certificate: the claim is known to be over."""
    actor = _second_run(simulation)
    simulation.step(actor)
    return _stopped_before(simulation, actor, _UPDATE)


def _release_in_progress(simulation: Simulation) -> list[Actor]:
    """The release is processed while the claim's record is delivered again. Until the release has deactivated the
    certificate, there is nothing for the second run to activate."""
    _change(simulation, "claim", A)
    _change(simulation, "release", processed=False)
    release = _stopped_before(simulation, simulation.deliver(one(simulation)), _UPDATE)
    simulation.step(release)
    return [release, _second_run(simulation)]


def _target_closes(simulation: Simulation) -> list[Actor]:
    _change(simulation, "claim", A)
    _change(simulation, "release")
    return [_second_run(simulation), simulation.close(A)]


def _target_closes_during_the_release(simulation: Simulation) -> list[Actor]:
    return [*_release_in_progress(simulation), simulation.close(A)]


def _move_back_in_progress(simulation: Simulation) -> list[Actor]:
    """The device has moved from A to B. The second run of the claim for A is about to deactivate it there; it moves
    back meanwhile."""
    _change(simulation, "claim", A)
    _change(simulation, "move", B)
    second_run = _second_run_before_deactivation(simulation)
    _change(simulation, "move", A, processed=False)
    return [second_run, _stopped_before(simulation, simulation.deliver(one(simulation)), "iot.AttachPolicy")]


def _clearing_and_move_back(simulation: Simulation) -> list[Actor]:
    """The device moves from A to B. A run that clears A is overtaken by the move back."""
    _change(simulation, "claim", A)
    _change(simulation, "move", B, processed=False)
    clearing = _stopped_before(simulation, simulation.deliver(one(simulation)), _UPDATE)
    _change(simulation, "move", A, processed=False)
    move_back = simulation.redeliver(one(simulation), len(simulation.streams[one(simulation)].records) - 1)
    return [clearing, _stopped_before(simulation, move_back, "iot.AttachPolicy")]


def _clearing_and_two_moves(simulation: Simulation) -> list[Actor]:
    """A run that has deactivated the certificate in A is overtaken by a move back to A, and by the next move to B."""
    _change(simulation, "claim", A)
    _change(simulation, "move", B, processed=False)
    clearing = _stopped_before(simulation, simulation.deliver(one(simulation)), _UPDATE)
    simulation.step(clearing)
    _change(simulation, "move", A, processed=False)
    move_back = simulation.redeliver(one(simulation), len(simulation.streams[one(simulation)].records) - 1)
    return [
        clearing,
        _stopped_before(simulation, move_back, "iot.AttachPolicy"),
        simulation.request("move", one(simulation), B),
    ]


REDELIVERY_RACES: Final = (
    Race("a claim delivered again, and its release", initial_states.waiting, _release_in_progress, ends_as("inlobby")),
    Race(
        "a released claim delivered again, and its target closes",
        initial_states.waiting,
        _target_closes,
        ends_as("inlobby"),
        repairs=1,
    ),
    Race(
        "a claim delivered again, its release, and its target closes",
        initial_states.waiting,
        _target_closes_during_the_release,
        ends_as("inlobby"),
        repairs=1,
    ),
    Race(
        "a claim delivered again, and the move back",
        initial_states.waiting,
        _move_back_in_progress,
        ends_as("arrived", A),
    ),
    Race(
        "a target is cleared, and the move back", initial_states.waiting, _clearing_and_move_back, ends_as("arrived", A)
    ),
    Race(
        "a target is cleared, the move back, and the next move",
        initial_states.waiting,
        _clearing_and_two_moves,
        ends_as("arrived", B),
    ),
)
