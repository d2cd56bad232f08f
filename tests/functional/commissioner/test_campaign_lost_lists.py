"""Campaigns whose lists cannot be read: changed, or in the bucket of a home Region that was lost."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from lobby.domain.campaigns.campaign import Source, SourceKind, undo_request
from lobby.ledger.campaigns.manifests import key_of
from lobby.names import CampaignName
from tests import aws
from tests.aws import BUCKET
from tests.functional.commissioner.campaign_lobby import NAME, CampaignLobby, S, campaign_fixture
from tests.functional.commissioner.standby_campaigns import INACTIVE, counts, prepared, standbys, work
from tests.functional.lobby.ledger.bulk_claims import ANN, A

lobby, large = campaign_fixture(4), campaign_fixture(130)


def lose(lobby: CampaignLobby, name: CampaignName = NAME) -> None:
    for page in lobby.campaigns.pages(name, 0, 9):
        aws.client("s3").delete_object(Bucket=BUCKET, Key=key_of(name, page.number, page.digest))


def change(lobby: CampaignLobby) -> None:
    for page in lobby.campaigns.pages(NAME, 0, 9):
        aws.client("s3").put_object(Bucket=BUCKET, Key=key_of(NAME, page.number, page.digest), Body=b"{}")


BROKEN = pytest.mark.parametrize(("breaks", "reason"), [(lose, "MANIFEST_MISSING"), (change, "INVALID_MANIFEST")])
Breaks = Callable[[CampaignLobby], None]


@BROKEN
def test_a_campaign_without_its_list_stops_and_can_be_cancelled(
    large: CampaignLobby, breaks: Breaks, reason: str
) -> None:
    large.create_list(large.devices, canary=1)
    large.run()
    assert large.outcomes() == {"waiting": 1}
    breaks(large)
    large.clock.advance(seconds=16)
    assert large.run_until(S.STOPPED, settle=False).why == reason
    large.run()
    assert large.campaigns.active() == []
    large.cancel()
    large.run_until(S.CANCELLED, settle=False)
    assert large.campaigns.active() == []


@pytest.mark.parametrize("breaks", [lose, change])
def test_a_cancelled_campaign_without_its_list_is_not_followed(lobby: CampaignLobby, breaks: Breaks) -> None:
    lobby.create_list(lobby.devices)
    lobby.run()
    lobby.cancel()
    lobby.run_until(S.CANCELLED, settle=False)
    breaks(lobby)
    lobby.clock.advance(seconds=16)
    lobby.run()
    assert lobby.campaigns.active() == []
    assert lobby.outcomes() == {"waiting": 4}


@BROKEN
def test_a_paused_campaign_without_its_list_stops_after_it_is_resumed(
    lobby: CampaignLobby, breaks: Breaks, reason: str
) -> None:
    lobby.create_list(lobby.devices)
    lobby.run()
    lobby.pause()
    breaks(lobby)
    lobby.clock.advance(seconds=16)
    lobby.run()
    assert set(lobby.get().progress.open) == {0}
    lobby.resume()
    assert lobby.run_until(S.STOPPED, settle=False).why == reason


@BROKEN
def test_an_undo_of_a_campaign_without_its_list_is_cancelled(lobby: CampaignLobby, breaks: Breaks, reason: str) -> None:
    lobby.create_list(lobby.devices)
    lobby.run_until(S.DONE)
    breaks(lobby)
    lobby.clock.advance(seconds=1)
    back = CampaignName("back")
    lobby.create(undo_request(lobby.get()), Source(SourceKind.CHANGED, NAME), back)
    lobby.run_until(S.CANCELLED, name=back)
    assert [each.detail for each in lobby.campaigns.history(back) if each.event == "cancel"] == [reason]


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")


@pytest.mark.parametrize("denials", [1, 2, 100])
def test_a_campaign_continues_after_its_list_could_not_be_read_for_a_while(lobby: CampaignLobby, denials: int) -> None:
    lobby.create_list(lobby.devices)
    left = iter(range(denials))

    def deny(_parameters: object, call: Callable[[], object]) -> object:
        if next(left, None) is not None:
            raise DENIED
        return call()

    lobby.calls.instead["GetObject"] = deny
    with suppress(ClientError):
        lobby.run()
    assert lobby.get().state is S.RUNNING
    lobby.calls.instead.clear()
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 4}


def test_an_evacuation_without_its_list_is_continued_with_another_one(large: CampaignLobby) -> None:
    prepared(large, INACTIVE)
    campaign = standbys(large).follow(standbys(large).evacuate(A, ANN, "Region down"))
    assert campaign is not None
    name = campaign.name

    def lose_it(_seconds: int) -> None:
        if large.campaigns.get(name).state is S.RUNNING:
            lose(large, name)

    large.new_feeder().run(name, lose_it)
    large.clock.advance(seconds=16)
    assert large.run_until(S.STOPPED, name=name, settle=False).why == "MANIFEST_MISSING"
    assert counts(large).left == 130
    large.clock.advance(minutes=11)
    again = standbys(large).continue_evacuation(large.targets.get(A), "service:sweeper")
    work(large, again)
    assert counts(large).left == 0
