"""A device in the lobby gets its standby when it is prepared there, without a call in its target."""

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


def test_a_prepared_device_is_told_its_standby_in_the_lobby(lobby: StandbyLobby) -> None:
    lobby.deliver(lobby.claim())
    topic, body = aws.published(aws.HOME)[-1]
    message = json.loads(body)
    assert (topic, message["generation"]) == ("lobby/sensor-1", lobby.device().generation)
    assert message["standby"]["iotep"] == lobby.device().standby.iotep  # type: ignore[union-attr]
    assert not any(b"standby" in body for _, body in aws.published(A))


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
