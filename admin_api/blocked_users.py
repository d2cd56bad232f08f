"""Blocks users, and stops what they have begun. A campaign that a blocked user has created or approved stops with the
reason USER_BLOCKED. The block takes effect first: the feeder stops such a campaign before its next page, also if this
process ends before it has stopped it. Repeating a block stops the rest.
"""

from collections.abc import Sequence

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from admin_api.services import Services
from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Campaign, CampaignEvent, CampaignState
from lobby.domain.campaigns.campaign_rules import USER_BLOCKED
from lobby.errors import Conflict, NotFound
from lobby.ledger.users.user_blocks import BlockedUser
from lobby.names import CampaignName

logger = Logger(service="admin-api")


def block(services: Services, name: str, by: str) -> BlockedUser:
    """Block a user, then stop their running campaigns. Raise `InvalidInput` INVALID_USER."""
    blocked = services.blocks.set_blocked(name, by, blocked=True)
    try:
        for campaign in unfinished_campaigns(services, name):
            if campaign.state is CampaignState.RUNNING:
                _stop(services, campaign.name, by)
    except (BotoCoreError, ClientError, PynamoDBException, Conflict, NotFound):
        logger.exception("campaigns not stopped", extra={"user": name})  # the feeder stops them
    return blocked


def unfinished_campaigns(services: Services, name: str) -> Sequence[Campaign]:
    """Return the campaigns for which a user answers and which have not ended, the newest first."""
    return [each for each in services.campaigns.unfinished() if f"user:{name}" in each.answerable]


def _stop(services: Services, name: CampaignName, by: str) -> None:
    def stop(campaign: Campaign, _at: str) -> Campaign:
        return transitions.stopped(campaign, USER_BLOCKED) if campaign.state is CampaignState.RUNNING else campaign

    services.campaigns.change(name, CampaignEvent.STOPPED, by, stop, USER_BLOCKED)
