"""A Lambda that is interrupted after any call and invoked again, immediately or later, has the result of an
uninterrupted one."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from lobby.domain.changes import Change, Chosen, Lift, Quarantine
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.ledger.clock import timestamp
from tests import aws
from tests.aws import Clock, CutOff
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    ONE,
    A,
    B,
    LobbyWithTargets,
    Record,
)

pytestmark = pytest.mark.slow


def claim(lobby: LobbyWithTargets) -> Record:
    return lobby.claim()


def move(lobby: LobbyWithTargets) -> Record:
    lobby.start_placed()
    return lobby.move()


def release(lobby: LobbyWithTargets) -> Record:
    lobby.start_placed()
    return lobby.release()


def revoke(lobby: LobbyWithTargets) -> Record:
    lobby.start_placed()
    return lobby.revoke()


def change(lobby: LobbyWithTargets, wanted: Change) -> Record:
    with lobby.calls.uncounted():
        lobby.ledger.change(Chosen(ONE), wanted, ANN)
    return lobby.record()


def quarantine(lobby: LobbyWithTargets) -> Record:
    lobby.start_placed()
    return change(lobby, Quarantine("two addresses"))


def lift(lobby: LobbyWithTargets) -> Record:
    lobby.start_placed()
    assert lobby.deliver(change(lobby, Quarantine("two addresses"))) == []
    lobby.server = lobby.new_server()
    lobby.calls.forget()
    return change(lobby, Lift("seen on site"))


def transfer(lobby: LobbyWithTargets) -> Record:
    """Another lobby has accepted the device."""
    lobby.start_placed()
    with lobby.calls.uncounted():
        at, end = timestamp(lobby.clock()), "2030-01-01T00:00:00.000Z"
        lobby.ledger.offer(ONE, Transfer(TransferStep.OFFERED, "a" * 32, "Bob", at, ANN, end))
        done = Transfer(TransferStep.COMPLETED, "a" * 32, "bob", at, "user:eve", "", endpoint="b.example", until=end)
        lobby.ledger.transfer(ONE, done)
    return lobby.record()


LENGTHS: dict[Callable[[LobbyWithTargets], Record], int] = {
    claim: 10,
    move: 22,
    release: 10,
    revoke: 11,
    quarantine: 11,
    lift: 19,
    transfer: 13,
}


@cache
def outcome(scenario: Callable[[LobbyWithTargets], Record], cut_after: int | None, wait: int) -> tuple[Any, ...]:
    with aws.aws() as calls:
        lobby = LobbyWithTargets(calls, Clock())
        record = scenario(lobby)
        calls.cut_after = cut_after
        if cut_after is None:
            assert lobby.deliver(record) == []
            assert len(calls.made) == LENGTHS[scenario]
        else:
            with pytest.raises(CutOff):
                lobby.deliver(record)
            calls.cut_after = None
            lobby.clock.advance(seconds=wait)
            lobby.server = lobby.new_server()
            assert lobby.deliver(record) == []
        device = lobby.device()
        row = (
            device.devstate,
            device.target,
            device.targets_to_clear,
            device.needs_commissioner,
            device.iotep,
            device.reason,
        )
        published = {target: {*aws.published(target)} for target in (aws.HOME, A, B)}
        return row, lobby.events(), published, [aws.registry(target) for target in (aws.HOME, A, B)]


REFUSED = {(lift, 7), (lift, 10)}
"""Calls that AWS refuses, because certificate and thing exist. An interruption after one is the same as one before the
next call."""
CUTS = [
    (scenario, number)
    for scenario, length in LENGTHS.items()
    for number in range(1, length + 1)
    if (scenario, number) not in REFUSED
]


@pytest.mark.parametrize("wait", [pytest.param(0, id="at once"), pytest.param(10, id="later", marks=pytest.mark.full)])
@pytest.mark.parametrize(
    ("scenario", "number"), CUTS, ids=[f"{scenario.__name__}-{number}" for scenario, number in CUTS]
)
def test_an_interruption_after_any_call_does_not_change_the_outcome(
    scenario: Callable[[LobbyWithTargets], Record], number: int, wait: int
) -> None:
    assert outcome(scenario, number, wait) == outcome(scenario, None, 0)
