"""Races over lanes: messages that are delivered twice, workers that are killed or stalled, and work of two lanes.

A lane's workers must never overlap, for any deliveries of SQS. The successor of a killed worker completes its work.
"""

from collections.abc import Callable
from typing import Final

from lobby.contracts.lane_tokens import fresh_token_message
from lobby.domain.lanes.lane import Lane
from lobby.names import Target
from tests.simulation.faults import initial_states
from tests.simulation.faults.devices import A, B
from tests.simulation.faults.lambdas import TOKENS_URL
from tests.simulation.faults.lane_queues import Message
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.race import Race, StartActors, ends_as, one
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.simulation import Simulation

_REGISTER: Final = "iot.RegisterCertificateWithoutCA"
_UPDATE: Final = "iot.UpdateCertificate"
_ATTACH: Final = "iot.AttachPolicy"
_RESULT: Final = "dynamodb.TransactWriteItems"
_STALL_SECONDS: Final = 30


def _change(simulation: Simulation, event: str, target: Target | None = None, *, processed: bool = True) -> None:
    """Let a user change the device's claim, and the commissioner process the change."""
    simulation.finish(simulation.request(event, one(simulation), target))
    if processed:
        simulation.finish_work(one(simulation))


def _stopped_before(simulation: Simulation, actor: Actor, call: str) -> Actor:
    """Continue the actor up to this call."""
    while actor.next_call != call:
        if actor.ended:
            raise ModelViolation(f"got {actor.name} at its end, want it to call {call}")
        simulation.step(actor)
    return actor


def _claimed(simulation: Simulation) -> Actor:
    """Return a worker that has just received the message of a claim for A."""
    _change(simulation, "claim", A, processed=False)
    return simulation.start_work(one(simulation))


def _two_workers(simulation: Simulation) -> list[Actor]:
    """The same message is delivered twice, while a user releases the device."""
    worker = _stopped_before(simulation, _claimed(simulation), _REGISTER)
    [message] = simulation.in_flight
    return [worker, simulation.work_again(message), simulation.request("release", one(simulation))]


def _stalled(event: str, target: Target | None = None) -> StartActors:
    """A worker stalls before it registers the certificate, longer than its lease. The device's claim is changed and its
    successor processes the change. Then the worker continues."""

    def start(simulation: Simulation) -> list[Actor]:
        worker = _stopped_before(simulation, _claimed(simulation), _REGISTER)
        simulation.clock.advance(seconds=_STALL_SECONDS)
        _change(simulation, event, target)
        return [worker]

    return start


def _killed(call: str, event: str, target: Target | None = None, *, after: bool) -> StartActors:
    """A worker is killed at a call, and a user changes the claim."""

    def start(simulation: Simulation) -> list[Actor]:
        worker = _stopped_before(simulation, _claimed(simulation), call)
        simulation.kill(worker, after=after)
        return [simulation.request(event, one(simulation), target)]

    return start


def _moved_while_registered(simulation: Simulation) -> list[Actor]:
    """The lane of A registers the device while it is moved to B, and the lane of B begins."""
    worker = _stopped_before(simulation, _claimed(simulation), _ATTACH)
    _change(simulation, "move", B, processed=False)
    while simulation.streams[one(simulation)].waiting:
        simulation.finish(simulation.deliver(one(simulation)))
    return [worker, *map(simulation.work, simulation.workable())]


def _moved_back_while_cleared(simulation: Simulation) -> list[Actor]:
    """The lane of A clears it after the move to B. Then the device is moved back to A, whose lane is busy."""
    _change(simulation, "claim", A)
    _change(simulation, "move", B, processed=False)
    simulation.finish(simulation.start_work(one(simulation)))
    clearing = _stopped_before(simulation, simulation.start_work(one(simulation)), _UPDATE)
    return [clearing, simulation.request("move", one(simulation), A)]


def _delivered_again(simulation: Simulation) -> list[Actor]:
    """A completed message is delivered again, while the device is released and claimed again."""
    worker = _claimed(simulation)
    [message] = simulation.in_flight
    simulation.finish(worker)
    return [
        simulation.work_again(message),
        simulation.request("release", one(simulation)),
        simulation.request("claim", one(simulation), B),
    ]


def _target_closes(simulation: Simulation) -> list[Actor]:
    """The target closes while the worker registers the device and a user releases it."""
    worker = _stopped_before(simulation, _claimed(simulation), _ATTACH)
    return [worker, simulation.request("release", one(simulation)), simulation.close(A)]


def _announced(simulation: Simulation) -> Actor:
    """Return a worker that a token has started. It registers the device, whose claim is then announced to it."""
    _change(simulation, "claim", A, processed=False)
    while simulation.streams[one(simulation)].waiting:
        simulation.finish(simulation.deliver(one(simulation)))
    [announcement] = simulation.workable()
    body = fresh_token_message(Lane(announcement.group), "1")["MessageBody"]
    token = Message(0, TOKENS_URL, announcement.group, body, simulation.clock())
    simulation.lanes.messages.append(token)
    worker = _stopped_before(simulation, simulation.work(token), _REGISTER)
    simulation.finish(simulation.work(announcement))
    if announcement in simulation.lanes.messages:
        raise ModelViolation("got an announcement that stays in its queue, want it in the lane's row")
    return worker


def _announced_while_busy(simulation: Simulation) -> list[Actor]:
    """The release is also announced to the worker of a token, or the lane is free."""
    return [_announced(simulation), simulation.request("release", one(simulation))]


def _announced_and_killed(call: str, event: str, target: Target | None = None) -> StartActors:
    """The worker of a token is killed after an announcement whose message is already deleted."""

    def start(simulation: Simulation) -> list[Actor]:
        simulation.kill(_stopped_before(simulation, _announced(simulation), call), after=True)
        return [simulation.request(event, one(simulation), target)]

    return start


def _lane_race(
    name: str, start: Callable[[Simulation], list[Actor]], state: str, target: Target | None = None, repairs: int = 0
) -> Race:
    return Race(name, initial_states.waiting, start, ends_as(state, target), repairs)


LANE_RACES: Final = (
    _lane_race("a message delivered twice, and the release", _two_workers, "inlobby"),
    _lane_race("a stalled worker, and the release", _stalled("release"), "inlobby"),
    _lane_race("a stalled worker, and the move", _stalled("move", B), "arrived", B),
    _lane_race("a stalled worker, and the revocation", _stalled("revoke"), "revoked"),
    _lane_race(
        "a worker killed after it has registered, and the release", _killed(_REGISTER, "release", after=True), "inlobby"
    ),
    _lane_race(
        "a worker killed after it has registered, and the move",
        _killed(_REGISTER, "move", B, after=True),
        "arrived",
        B,
    ),
    _lane_race("a worker killed after its result, and a retry", _killed(_RESULT, "retry", after=True), "arrived", A),
    _lane_race("a worker killed before its result, and a retry", _killed(_RESULT, "retry", after=False), "arrived", A),
    _lane_race("the lanes of both targets of a move", _moved_while_registered, "arrived", B),
    _lane_race("a target is cleared, and the move back", _moved_back_while_cleared, "arrived", A),
    _lane_race("an announcement to a busy lane, and the release", _announced_while_busy, "inlobby"),
    _lane_race(
        "a worker killed after an announcement, and a retry", _announced_and_killed(_ATTACH, "retry"), "arrived", A
    ),
    _lane_race(
        "a worker killed after an announcement, and the move", _announced_and_killed(_RESULT, "move", B), "arrived", B
    ),
    Race("a message delivered again, the release, and the next claim", initial_states.waiting, _delivered_again),
    _lane_race("a target closes during its claim and the release", _target_closes, "inlobby", repairs=1),
)
