"""Campaigns: the feeder, its trigger, and the settings of functions that start campaigns.

A token in the queue starts the feeder. There is one message group for each campaign, so a campaign has one feeder at a
time. The manifests are in the trust bucket.
"""

from typing import TYPE_CHECKING, Final

from aws_cdk import aws_lambda as lambda_

from infra.parts import functions, permissions
from infra.parts.queues import Queues
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack

_FEEDERS: Final = 10
"""Campaigns that are processed at the same time."""


def environment(settings: Settings, queues: Queues) -> dict[str, str]:
    """Return the settings of functions that start campaigns."""
    return {
        "CAMPAIGNS_QUEUE": queues.campaigns.queue_url,
        "CAMPAIGN_APPROVAL_ABOVE": str(settings.campaign_approval_above),
    }


def make_feeder(stack: "LobbyStack") -> None:
    """Create the feeder, which each token starts."""
    feeder = stack.make_function(
        functions.CAMPAIGNS,
        permissions.campaigns(stack.settings),
        TRUST_BUCKET=stack.bucket.bucket_name,
        **environment(stack.settings, stack.queues),
    )
    lambda_.CfnEventSourceMapping(
        stack,
        "CampaignsToFeeder",
        event_source_arn=stack.queues.campaigns.queue_arn,
        function_name=feeder.function_name,
        batch_size=1,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=_FEEDERS),
    )
