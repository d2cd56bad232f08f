"""The devices of an evacuation are collected while they change their states, because they fall back to the lobby."""

from lobby.domain.campaigns.campaign import Source, SourceKind
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.ledger.lists.listing import Filter, devices
from lobby.names import CampaignName, Fingerprint
from tests.functional.commissioner.campaign_lobby import CampaignLobby, campaign_fixture
from tests.functional.commissioner.standby_campaigns import ACTIVE, counts, prepared, standbys, work
from tests.functional.lobby.ledger.bulk_claims import ANN, A

large = campaign_fixture(130)


class Stopped(Exception):
    """The Lambda was stopped."""


def list_the_first_part(lobby: CampaignLobby, name: CampaignName) -> list[Fingerprint]:
    """Let a feeder collect the first part of a campaign's devices, and return the others."""

    def stop(_seconds: int) -> None:
        if lobby.campaigns.get(name).prepared.pages:
            raise Stopped

    try:
        lobby.new_feeder().run(name, stop)
    except Stopped:
        page = lobby.campaigns.page(name, 0)
        listed = {line.certid for line in lobby.manifests.read(name, 0, page.digest)}
    return [certid for certid in lobby.devices if certid not in listed]


def test_devices_that_fall_back_before_they_are_listed_are_evacuated(large: CampaignLobby) -> None:
    prepared(large, ACTIVE)
    evacuated = standbys(large).evacuate(A, ANN, "Region down")
    campaign = standbys(large).follow(evacuated)
    assert campaign is not None
    others = list_the_first_part(large, campaign.name)
    assert len(others) == 30
    large.clock.advance(seconds=1)
    for certid in others:
        large.ledger.hello(large.device(certid), None, "service:receptionist")
    work(large, evacuated)
    assert (counts(large).left, counts(large).away) == (0, 130)


def test_a_list_that_an_earlier_version_has_begun_is_continued(large: CampaignLobby) -> None:
    source = Source(SourceKind.FILTER, None, {"target": str(A)})
    begun = devices(Filter(target=A), 100)
    rest = Sources(large.campaigns, large.manifests).part(source, begun.cursor)
    assert rest.cursor is None
    found = {each.chosen.certid for each in rest.candidates} | {each.certid for each in begun.devices}
    assert found == set(large.devices)
