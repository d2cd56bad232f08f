"""A device gets its standby when it is prepared there: in the lobby from the standby's lane, and in its target by an
announcement of the target's lane."""

import json
from dataclasses import replace
from typing import Any

import pytest

from commissioner.lanes.serving import Attempt, Result
from lobby.domain.campaigns.campaign_progress import Outcome, outcome_of
from lobby.domain.changes import Configure
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import lane_to, main_lane, turn_key
from lobby.domain.standby.standby import Standby, StandbyStatus
from lobby.names import CampaignName
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, A, B, client_error
from tests.functional.commissioner.standby_lobby import ACTIVE, INACTIVE, StandbyLobby, cut_off


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> StandbyLobby:
    return StandbyLobby(calls, clock)


@pytest.fixture
def inactive(calls: Calls, clock: Clock) -> StandbyLobby:
    return StandbyLobby(calls, clock, INACTIVE)


def test_a_prepared_device_gets_its_standby_in_the_lobby(lobby: StandbyLobby) -> None:
    lobby.deliver(lobby.claim())
    topic, body = aws.published(aws.HOME)[-1]
    message = json.loads(body)
    assert (topic, message["generation"]) == ("lobby/sensor-1", lobby.device().generation)
    assert message["standby"]["iotep"] == lobby.device().standby.iotep  # type: ignore[union-attr]
    assert not any(b"standby" in body for _, body in aws.published(A))


def test_an_inactive_standby_is_not_announced(inactive: StandbyLobby) -> None:
    inactive.deliver(inactive.claim())
    assert not any(b"standby" in body for place in (aws.HOME, A) for _, body in aws.published(place))


def test_a_target_that_does_not_answer_does_not_delay_a_preparation(inactive: StandbyLobby) -> None:
    inactive.place()
    cut_off(inactive, A)
    inactive.standbys.set(A, B, ACTIVE, ANN)
    assert inactive.deliver(inactive.prepare()) == [0]
    device = inactive.device()
    assert device.standby is not None
    assert (device.standby.target, device.standby.status, device.standby.wanted) == (B, StandbyStatus.ACTIVE, False)
    assert (device.announces_standby, main_lane(device)) == (True, lane_to(A))
    name = CampaignName("prepare-1")
    result = outcome_of(replace(device, campaign=name), device.generation, name, prepares=True)
    assert result.outcome is Outcome.DONE


def test_the_preparation_after_a_single_claim_waits_behind_single_claims(lobby: StandbyLobby) -> None:
    lobby.claim()
    assert lobby.server.serve(Attempt(ONE), lane_to(A)) is Result.DONE
    assert aws.item(ONE)["turn"] == {"S": turn_key(lane_to(B), Priority.BULK)}  # type: ignore[index]


def standby_of(lobby: StandbyLobby) -> Standby:
    standby = lobby.device().standby
    assert standby is not None
    return standby


def announcements(lobby: StandbyLobby) -> list[bytes]:
    """Return the routes with a standby that were sent in A."""
    return [body for _, body in aws.published(A) if b"standby" in body]


def test_the_targets_lane_announces_the_standby_to_a_device_that_has_arrived(lobby: StandbyLobby) -> None:
    lobby.place()
    assert lobby.deliver(lobby.record()) == []
    (body,) = announcements(lobby)
    device = lobby.device()
    assert body == device.route().encode()  # type: ignore[union-attr]
    assert (standby_of(lobby).device_unaware, standby_of(lobby).announced, device.needs_commissioner) == (
        False,
        True,
        False,
    )
    assert lobby.events()[-1] == ("prepared", f"announced in {A}", str(A))


def test_a_device_in_its_target_is_asked_to_fetch_a_standby_that_is_set_later(calls: Calls, clock: Clock) -> None:
    lobby = StandbyLobby(calls, clock, INACTIVE)
    lobby.place()
    assert announcements(lobby) == []
    lobby.standbys.set(A, B, ACTIVE, ANN)
    assert lobby.deliver(lobby.prepare()) == []
    assert len(announcements(lobby)) == 1


def test_a_standby_that_the_device_knows_is_not_announced_again(lobby: StandbyLobby) -> None:
    lobby.place()
    lobby.deliver(lobby.record())
    lobby.ledger.prepare_again(lobby.device(), ANN)
    assert lobby.deliver(lobby.record()) == []
    assert len(announcements(lobby)) == 1


def test_a_route_names_the_standby_while_a_new_configuration_is_registered_there(lobby: StandbyLobby) -> None:
    """Otherwise the device would forget it, and get it again with its next hello only."""
    lobby.place()
    lobby.deliver(lobby.record())
    lobby.change(Configure({}, config={"a": 1}))
    assert lobby.server.serve(Attempt(ONE), lane_to(A)) is Result.DONE
    device = lobby.device()
    assert device.works_in_standby
    assert device.route().standby is not None  # type: ignore[union-attr]
    assert device.standby_route() is None


def test_a_target_that_refuses_the_announcement_is_not_asked_again(lobby: StandbyLobby) -> None:
    lobby.place()
    record = lobby.record()

    def refuse(_parameters: dict[str, Any], _call: Any) -> Any:
        raise client_error("AccessDeniedException", "Publish")

    lobby.calls.instead["Publish"] = refuse
    assert lobby.deliver(record) == []
    assert (standby_of(lobby).device_unaware, standby_of(lobby).announced) == (False, False)
    assert not lobby.device().needs_commissioner
    assert "not announced" in str(lobby.events()[-1][1])


def test_a_claim_that_changes_during_the_announcement_is_not_touched_by_it(lobby: StandbyLobby) -> None:
    lobby.place()
    record = lobby.record()
    lobby.calls.meanwhile["Publish"] = lambda: lobby.ledger.release(ONE, ANN)
    lobby.deliver(record)
    assert lobby.events()[-1][0] != "prepared"
    assert lobby.device().standby is None
