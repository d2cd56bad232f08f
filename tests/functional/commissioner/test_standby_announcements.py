"""A device learns of its standby when it is prepared there, wherever it is, and needs no target that answers for it."""

import json

import pytest

from lobby.domain.standby import StandbyStatus
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ANN, A, B
from tests.functional.commissioner.standby_lobby import ACTIVE, INACTIVE, StandbyLobby, cut_off


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> StandbyLobby:
    return StandbyLobby(calls, clock)


@pytest.fixture
def inactive(calls: Calls, clock: Clock) -> StandbyLobby:
    return StandbyLobby(calls, clock, INACTIVE)


def test_a_prepared_device_is_told_its_standby_in_lobby_and_target(lobby: StandbyLobby) -> None:
    lobby.deliver(lobby.claim())
    for place in (aws.HOME, A):
        topic, body = aws.published(place)[-1]
        message = json.loads(body)
        assert (topic, message["generation"]) == ("lobby/sensor-1", lobby.device().generation)
        assert message["standby"]["iotep"] == lobby.device().standby.iotep  # type: ignore[union-attr]


def test_an_inactive_standby_is_not_told(inactive: StandbyLobby) -> None:
    inactive.deliver(inactive.claim())
    assert not any(b"standby" in body for place in (aws.HOME, A) for _, body in aws.published(place))


def test_a_target_that_does_not_answer_does_not_delay_a_preparation(inactive: StandbyLobby) -> None:
    inactive.place()
    cut_off(inactive, A)
    inactive.standbys.set(A, B, ACTIVE, ANN)
    assert inactive.deliver(inactive.prepare()) == []
    standby = inactive.device().standby
    assert standby is not None
    assert (standby.target, standby.status, standby.wanted) == (B, StandbyStatus.ACTIVE, False)
