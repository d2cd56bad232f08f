"""A Lambda interrupted after any call of a preparation, an evacuation or a return ends as without the interruption."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests import aws
from tests.aws import Clock, CutOff
from tests.functional.commissioner.lobby_with_targets import A, B, Record
from tests.functional.commissioner.standby_lobby import ACTIVE, INACTIVE, StandbyLobby

pytestmark = pytest.mark.slow


def prepare(lobby: StandbyLobby) -> Record:
    return lobby.claim()


def evacuate(lobby: StandbyLobby) -> Record:
    lobby.place()
    return _record(lobby.evacuate())


def come_back(lobby: StandbyLobby) -> Record:
    lobby.place()
    lobby.deliver(lobby.evacuate())
    return _record(lobby.come_back())


def release(lobby: StandbyLobby) -> Record:
    lobby.place()
    return lobby.release()


def _record(record: Record | None) -> Record:
    assert record is not None
    return record


LENGTHS: dict[Any, tuple[int, int]] = {prepare: (22, 21), evacuate: (3, 14), come_back: (26, 25), release: (14, 14)}
"""The calls of each, with ACTIVE and with INACTIVE certificates."""
Scenario = Callable[[StandbyLobby], Record]


@cache
def outcome(scenario: Scenario, is_active: bool, cut_after: int | None) -> tuple[Any, ...]:
    with aws.aws() as calls:
        lobby = StandbyLobby(calls, Clock(), ACTIVE if is_active else INACTIVE)
        record = scenario(lobby)
        calls.forget()
        if cut_after == LENGTHS[scenario][not is_active]:
            calls.cut_after = cut_after
        elif cut_after is not None:
            calls.cut_before = cut_after + 1  # also after a call that has failed
        if cut_after is None:
            assert lobby.deliver(record) == []
            assert len(calls.made) == LENGTHS[scenario][not is_active]
        else:
            with pytest.raises(CutOff):
                lobby.deliver(record)
            calls.cut_after = calls.cut_before = None
            lobby.server = lobby.new_server()
            assert lobby.deliver(record) == []
        device = lobby.device()
        row = (device.devstate, device.target, device.standby, device.needs_commissioner, device.iotep, device.reason)
        published = {target: {_sent(*each) for each in aws.published(target)} for target in (aws.HOME, A, B)}
        return row, lobby.events(), published, [aws.registry(target) for target in (aws.HOME, A, B)], lobby.counts()


def _sent(topic: str, payload: bytes) -> tuple[str, str]:
    """Return a message without its standby: a route that is sent again after the preparation has one."""
    body = {name: value for name, value in json.loads(payload).items() if name != "standby"}
    return topic, json.dumps(body)


CUTS = [
    pytest.param(
        scenario,
        is_active,
        number,
        id=f"{scenario.__name__}-{'active' if is_active else 'inactive'}-{number}",
        marks=[] if is_active is (scenario is not evacuate) else pytest.mark.full,
    )
    for scenario, lengths in LENGTHS.items()
    for is_active, length in zip((True, False), lengths, strict=True)
    for number in range(1, length + 1)
]


@pytest.mark.parametrize(("scenario", "is_active", "number"), CUTS)
def test_an_interruption_after_any_call_does_not_change_the_outcome(
    scenario: Scenario, is_active: bool, number: int
) -> None:
    assert outcome(scenario, is_active, number) == outcome(scenario, is_active, None)
