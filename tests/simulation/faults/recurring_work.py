"""The sweeper, and the feeder of the campaigns that it starts: with their real components, and the scenario's clock. No
scenario waits for them. They do what the product does later: what a standby has refused is prepared again once a day.
"""

from collections.abc import Callable
from typing import Any, Final

from commissioner.campaigns.feeder import Feeder
from commissioner.campaigns.pages import Pages
from commissioner.campaigns.watch import CampaignWatch
from commissioner.lambdas import campaigns as feeder_lambda
from commissioner.lambdas.campaigns import CampaignMessages, Queue
from commissioner.lambdas.sweeper import ACTOR, SERVICE, Sweeper
from commissioner.sweeping.arrival_watch import ArrivalWatch
from commissioner.sweeping.lane_watch import LaneWatch
from commissioner.sweeping.readmission import Readmission
from commissioner.sweeping.standby_watch import StandbyWatch
from lobby.aws.clients import LobbyClients, client
from lobby.ledger.campaigns.campaign_preparation import Preparation
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from tests.aws import BUCKET, ENVIRONMENT, REGION, Clock

CAMPAIGNS_URL: Final = ENVIRONMENT["CAMPAIGNS_QUEUE"]
_APPROVAL_ABOVE: Final = int(ENVIRONMENT["CAMPAIGN_APPROVAL_ABOVE"])
Handler = Callable[[dict[str, Any]], Any]


def sweep(ledger: Ledger, clock: Clock) -> Handler:
    """Return the sweeper, which makes one run for each event."""
    clients, targets, campaigns = LobbyClients(), Targets.read_only(), Campaigns(clock)
    readmission = Readmission(ledger, clients.iot, clients.s3, BUCKET, REGION)
    lanes = lane_watch(ledger, clock)
    watch = CampaignWatch(campaigns, clients.sqs, CAMPAIGNS_URL, clock)
    standbys = StandbyWatch(targets, Standbys(targets, campaigns, 0, clock), clients.sqs, CAMPAIGNS_URL, ACTOR, clock)
    recent = RecentTargets(targets, clock, EVACUATION_CACHE)
    arrivals = ArrivalWatch(ledger, clients.iot_data, marked_by_nobody, recent, clock)
    sweeper = Sweeper(ledger, arrivals, readmission, lanes, watch, standbys, clock)

    def run(_event: dict[str, Any]) -> None:
        note = read_progress(SERVICE)
        try:
            sweeper.sweep(note)
        finally:
            save_progress(SERVICE, note)

    return run


def marked_by_nobody(_mark: object) -> None:
    """Accept a mark. The marker is not part of the scenarios."""


def lane_watch(ledger: Ledger, clock: Clock) -> LaneWatch:
    return LaneWatch(ledger, Lanes(), client("sqs"), ENVIRONMENT["LANES_QUEUE"], ACTOR, clock)


def feed(ledger: Ledger, targets: Targets, clock: Clock) -> Handler:
    """Return the feeder, which works on the campaign of each event's token."""
    campaigns, manifests = Campaigns(clock), Manifests(lambda: client("s3"), BUCKET)
    preparation = Preparation(campaigns, manifests, ledger, targets)
    pages = Pages(ledger, manifests, targets, lambda _attempt: None)
    sources = Sources(campaigns, manifests)
    feeder = Feeder(campaigns, sources, preparation, pages, targets, _APPROVAL_ABOVE, clock)
    messages = CampaignMessages(feeder, Queue(client("sqs"), CAMPAIGNS_URL))
    return lambda event: feeder_lambda.handler(event, None, messages)
