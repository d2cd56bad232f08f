"""Drills: a share of the prepared devices goes to the standby, and returns."""

from dataclasses import replace
from typing import Any

import pytest

from lobby.domain.device import Device
from lobby.domain.standby.standby import Standby, StandbyStatus
from lobby.domain.states import State
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.campaigns.selection import selection_of
from lobby.ledger.standby.standbys import StandbyCounts
from lobby.names import Fingerprint
from tests.functional.commissioner.campaign_lobby import CampaignLobby, campaign_fixture
from tests.functional.commissioner.standby_campaigns import INACTIVE, counts, prepared, standbys, work
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B

lobby = campaign_fixture(12)


def test_a_drill_sends_prepared_devices_and_a_return_brings_them_back(lobby: CampaignLobby) -> None:
    prepared(lobby)
    drilled = standbys(lobby).drill(A, 1.0, ANN)
    assert drilled.evacuated_at is None
    assert work(lobby, drilled).progress.outcomes == {"done": 12}
    assert counts(lobby).away == 12
    with pytest.raises(Conflict, match="STANDBY_IN_USE"):
        standbys(lobby).drill(A, 1.0, ANN)
    lobby.clock.advance(seconds=1)
    work(lobby, standbys(lobby).come_back(A, ANN))
    assert counts(lobby) == StandbyCounts(12, 12, 0, 12)


@pytest.mark.parametrize(("first", "is_selected"), [("00000000", True), ("0ccccccb", True), ("0ccccccd", False)])
def test_a_share_has_the_same_prepared_devices_each_time(first: str, is_selected: bool) -> None:
    certid = Fingerprint(first + "0" * 56)
    device = Device(certid, State.ARRIVED, "2026-11-30T10:00:00.000Z", target=A)
    ready = replace(device, standby=Standby(B, StandbyStatus.ACTIVE, "b.example"))
    selection = selection_of({"target": str(A), "share": "0.05"})
    assert selection.matches(ready) is is_selected
    assert not selection.matches(device)
    assert selection_of(selection.fields()) == selection


def test_a_return_ends_a_drill_that_has_not_begun(lobby: CampaignLobby) -> None:
    prepared(lobby)
    campaign = standbys(lobby).follow(standbys(lobby).drill(A, 1.0, ANN))
    assert campaign is not None
    lobby.clock.advance(seconds=1)
    standbys(lobby).set(A, B, INACTIVE, ANN)
    lobby.run(campaign.name)
    assert counts(lobby).away == 0


def test_a_return_ends_a_drill_whose_campaign_has_not_sent_a_device(lobby: CampaignLobby) -> None:
    prepared(lobby)
    drilled = standbys(lobby).drill(A, 1.0, ANN)
    campaign = standbys(lobby).follow(drilled)
    assert campaign is not None
    lobby.clock.advance(seconds=1)
    returned = standbys(lobby).come_back(A, ANN)
    assert returned != drilled
    assert standbys(lobby).come_back(A, ANN) == returned
    for _ in range(5):
        lobby.run(campaign.name)
        lobby.clock.advance(seconds=16)
    assert counts(lobby) == StandbyCounts(12, 12, 0, 12)
    assert set(lobby.campaigns.get(campaign.name).progress.reasons) == {"NOT_EVACUATED"}


@pytest.mark.parametrize("share", [0, -0.1, 1.1, True, "5%"])
def test_a_share_is_more_than_nothing_and_at_most_all(lobby: CampaignLobby, share: Any) -> None:
    prepared(lobby)
    with pytest.raises(InvalidInput, match="INVALID_SHARE"):
        standbys(lobby).drill(A, share, ANN)


def test_a_drill_has_at_most_as_many_devices_as_a_campaign_without_approval(lobby: CampaignLobby) -> None:
    prepared(lobby)
    with pytest.raises(Conflict, match="DRILL_TOO_LARGE"):
        standbys(lobby, above=11).drill(A, 1.0, ANN)
