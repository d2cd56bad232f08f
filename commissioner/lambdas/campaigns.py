"""Lambda: processes the tokens of campaigns. It changes devices in the ledger and does not call targets.

Each invocation gets one token (the mapping's batch size is 1), and SQS has one token of a campaign in flight at a time.
`commissioner.campaigns.feeder` decides what to do with a token.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from commissioner.campaigns.feeder import Feeder
from commissioner.campaigns.pages import Pages
from commissioner.token_messages import TokenMessages, Verdict
from lobby.aws.clients import LobbyClients, at_init, client
from lobby.contracts.campaign_tokens import decode_token, token_message
from lobby.home_guard import at_home_only, nothing_failed
from lobby.ledger.campaigns.campaign_preparation import Preparation
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.clock import now
from lobby.ledger.connection import connect
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import CampaignName
from lobby.settings import FeederSettings, read_settings

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

logger = Logger(service="campaigns")


@dataclass(frozen=True)
class Queue:
    """`sqs` is the client; `url` is the URL of the tokens' queue."""

    sqs: "SQSClient"
    url: str

    def hide(self, receipt: str, seconds: int) -> None:
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def send(self, campaign: CampaignName, unique: str) -> None:
        self.sqs.send_message(QueueUrl=self.url, **token_message(campaign, unique))


class CampaignMessages(TokenMessages[CampaignName]):
    """Handles the messages of an invocation."""

    def __init__(self, feeder: Feeder, queue: Queue) -> None:
        super().__init__(logger)
        self._feeder, self._queue = feeder, queue

    def decode(self, body: str) -> CampaignName:
        return decode_token(body)

    def handle(self, token: CampaignName, hide: Callable[[int], None]) -> Verdict:
        return self._feeder.run(token, hide)

    def hide(self, token: CampaignName, receipt: str, seconds: int) -> None:  # noqa: ARG002  # one queue
        self._queue.hide(receipt, seconds)

    def hand_over(self, token: CampaignName, unique: str) -> None:
        self._queue.send(token, unique)

    def fields_of(self, token: CampaignName) -> dict[str, Any]:
        return {"campaign": token}


@at_init
def _messages() -> CampaignMessages:
    settings = read_settings(FeederSettings, os.environ)
    connect()
    clients, ledger, targets = LobbyClients(), Ledger(settings.region), Targets.read_only()
    campaigns, manifests = Campaigns(), Manifests(lambda: clients.s3, settings.trust_bucket)
    sources, preparation = Sources(campaigns, manifests), Preparation(campaigns, manifests, ledger, targets)
    pages, above = Pages(ledger, manifests, targets), int(settings.campaign_approval_above)
    feeder = Feeder(campaigns, sources, preparation, pages, targets, above, now)
    return CampaignMessages(feeder, Queue(client("sqs"), settings.campaigns_queue))


@at_home_only(nothing_failed)
def handler(event: dict[str, Any], _context: Any, messages: CampaignMessages | None = None) -> dict[str, Any]:
    return (messages or _messages()).process(event)
