"""The feeder of campaigns with the API on moto. It runs until a campaign is in a state; the lanes are simulated."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commissioner.campaigns.feeder import Feeder
from commissioner.campaigns.pages import Pages
from lobby.domain.campaigns.campaign import Campaign, CampaignState
from lobby.domain.states import State
from lobby.ledger.campaigns.campaign_preparation import Preparation
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.names import CampaignName, Fingerprint
from tests.functional.admin_api.api_on_moto import Lobby

US = "service:tests"


def feed(
    lobby: Lobby, name: str, *states: CampaignState, settle: Callable[[Lobby, Fingerprint], None] | None = None
) -> Campaign:
    """Run feeders, as if 16 seconds passed between them, until the campaign is in one of the states."""
    campaigns, manifests, targets = lobby.campaigns, lobby.manifests, lobby.targets
    preparation = Preparation(campaigns, manifests, lobby.ledger, targets)
    sources, pages = Sources(campaigns, manifests), Pages(lobby.ledger, manifests, targets)
    for number in range(60):
        clock = _Clock(datetime.now(UTC) + timedelta(seconds=16 * number))
        feeder = Feeder(campaigns, sources, preparation, pages, targets, lobby.approval_above, clock)
        feeder.run(CampaignName(name), lambda _seconds: None)
        campaign = campaigns.get(CampaignName(name))
        if campaign.state in states:
            return campaign
        for page in campaigns.pages(campaign.name, 0, 10):
            for line in manifests.read(campaign.name, page.number, page.digest):
                (settle or arrive)(lobby, line.certid)
    raise AssertionError(f"got {campaign}, want one of {states}")


@dataclass
class _Clock:
    """A clock that does not advance."""

    time: datetime

    def __call__(self) -> datetime:
        return self.time


def arrive(lobby: Lobby, certid: Fingerprint) -> None:
    """Commission, clear and let arrive."""
    device = lobby.ledger.get(certid)
    if device is not None and device.devstate is State.CLAIMED:
        device = lobby.ledger.commission(device, "a-ats.iot.example", US)
    for left in device.targets_to_clear if device else ():
        device = lobby.ledger.retire(device, left, US)  # type: ignore[arg-type]
    if device is not None and device.devstate is State.COMMISSIONED:
        lobby.ledger.arrive(device, US)
