"""Two campaigns over the same devices, and renewals during a campaign: what does not change a claim ends nothing."""

import pytest

from lobby.domain.campaigns.campaign import Source, SourceKind
from lobby.domain.campaigns.campaign_manifest import InCampaign
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.changes import Chosen, Renew
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.names import CampaignName, Fingerprint, ThingName
from tests.functional.commissioner.campaign_lobby import NAME, US, CampaignLobby, S, campaign_fixture
from tests.functional.commissioner.standby_campaigns import ACTIVE, standbys
from tests.functional.lobby.ledger.bulk_claims import A, B, fingerprints

OTHER = CampaignName("other")
lobby = campaign_fixture(4)


@pytest.fixture
def moved(lobby: CampaignLobby) -> CampaignLobby:
    """A lobby with a campaign that has moved its devices, which have not arrived yet."""
    lobby.create_list(lobby.devices, canary=2)
    lobby.run()
    lobby.settle(arrive=False)
    look(lobby)
    assert lobby.outcomes() == {"awaited": 2}
    return lobby


def look(lobby: CampaignLobby) -> dict[str, int]:
    lobby.clock.advance(seconds=16)
    lobby.run()
    return lobby.outcomes()


def can_renew(lobby: CampaignLobby, *certids: Fingerprint) -> None:
    for certid in certids:
        assert lobby.ledger.record_heartbeat(lobby.device(certid), "2.0", can_renew=True)


def ask_to_renew(lobby: CampaignLobby, certid: Fingerprint, campaign: CampaignName = OTHER) -> None:
    can_renew(lobby, certid)
    lobby.ledger.change(Chosen(certid), InCampaign(Renew(), campaign, {certid: None}), f"campaign:{campaign}")


def test_a_canary_arrives_although_its_devices_are_prepared_in_a_standby(moved: CampaignLobby) -> None:
    preparation = standbys(moved).follow(standbys(moved).set(B, A, ACTIVE, US))
    assert preparation is not None
    moved.run(preparation.name)
    assert {moved.device(certid).campaign for certid in moved.devices[:2]} == {preparation.name}
    assert look(moved) == {"awaited": 2}
    moved.run_until(S.DONE)
    assert moved.outcomes() == {"done": 4}


def test_a_preparation_is_followed_although_its_devices_are_asked_to_renew(lobby: CampaignLobby) -> None:
    preparation = standbys(lobby).follow(standbys(lobby).set(A, B, ACTIVE, US))
    assert preparation is not None
    lobby.run(preparation.name)
    ask_to_renew(lobby, lobby.devices[0])
    lobby.clock.advance(seconds=16)
    lobby.run(preparation.name)
    assert lobby.outcomes(preparation.name) == {"waiting": 4}


def test_a_request_to_renew_is_followed_although_the_device_is_prepared(lobby: CampaignLobby) -> None:
    one = lobby.devices[0]
    can_renew(lobby, one)
    lobby.create_list([one], ChangeRequest(ChangeOperation.RENEW))
    lobby.run()
    preparation = standbys(lobby).follow(standbys(lobby).set(A, B, ACTIVE, US))
    assert preparation is not None
    lobby.run(preparation.name)
    assert lobby.device(one).campaign == preparation.name
    assert look(lobby) == {"waiting": 1}


def test_a_device_that_renews_before_it_arrives_still_belongs_to_the_campaign(moved: CampaignLobby) -> None:
    one, new = moved.devices[0], fingerprints(1, 900)[0]
    can_renew(moved, one)
    moved.ledger.due(moved.device(one), "2027-12-22T12:00:00.000Z", US)
    signed = moved.ledger.renew(moved.device(one), new, "PEM", "2049-12-31", US)
    assert look(moved) == {"awaited": 1, "waiting": 1}
    moved.ledger.commission(signed, "b.example", US)
    moved.ledger.arrive(moved.device(one), US, new)
    moved.settle(moved.devices[1])
    assert look(moved)["done"] == 2
    moved.settle()
    moved.run_until(S.DONE)
    moved.create(ChangeRequest(ChangeOperation.MOVE), Source(SourceKind.CHANGED, NAME), OTHER)
    moved.run_until(S.DONE, name=OTHER)
    assert moved.device(one).target == A
    assert moved.outcomes(OTHER) == {"done": 4}


@pytest.mark.parametrize("is_admitted", [False, True])
def test_another_claim_of_the_same_device_is_not_the_campaigns(lobby: CampaignLobby, is_admitted: bool) -> None:
    """The row of an expected device is removed with its claim, so the next claim has the same generation."""
    unknown = fingerprints(1, 801)[0]
    lobby.create_list([unknown], ChangeRequest(ChangeOperation.CLAIM, B, "camera"))
    lobby.run()
    assert lobby.outcomes() == {"awaited": 1}
    lobby.ledger.release(unknown, US)
    lobby.create_list([unknown], ChangeRequest(ChangeOperation.CLAIM, A, "camera"), name=OTHER)
    lobby.run(OTHER)
    if is_admitted:
        lobby.ledger.admit(Identity(unknown, ThingName("sensor-801"), "PEM"), US)
    assert lobby.device(unknown).generation == 1
    assert look(lobby) == {"superseded": 1}


def test_the_same_generation_by_a_single_claim_is_not_the_campaigns(lobby: CampaignLobby) -> None:
    unknown = fingerprints(1, 801)[0]
    lobby.create_list([unknown], ChangeRequest(ChangeOperation.CLAIM, B, "camera"))
    lobby.run()
    lobby.ledger.release(unknown, US)
    lobby.ledger.claim(unknown, ClaimRequest(A), US)
    assert look(lobby) == {"superseded": 1}
