"""The sweeper's check of campaigns: starts the feeder of a campaign without one, and counts stuck campaigns.

A token can be lost between the change of a campaign and the message, or when it exceeds the queue's retention period.
While a campaign waits for a target, its feeder still runs, so only campaigns without a running feeder are reported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lobby.contracts.campaign_tokens import token_message
from lobby.domain.campaigns.campaign import Campaign
from lobby.errors import NotFound
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.clock import now, timestamp

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

IDLE: Final = timedelta(minutes=2)
"""Longer than the time between two records of a running feeder."""
STUCK: Final = timedelta(minutes=15)


@dataclass
class CampaignReport:
    """The result of one check."""

    started: int = 0
    stuck: int = 0

    def numbers(self) -> dict[str, int]:
        """Return the counts by metric name."""
        return {"CampaignsStarted": self.started, "CampaignsStuck": self.stuck}


class CampaignWatch:
    """`queue` is the URL of the tokens' queue."""

    def __init__(self, campaigns: Campaigns, sqs: "SQSClient", queue: str, clock: Callable[[], datetime] = now) -> None:
        self._campaigns, self._sqs, self._queue, self._clock = campaigns, sqs, queue, clock

    def check(self, time_is_up: Callable[[], bool]) -> CampaignReport:
        """Start the feeders of idle campaigns."""
        report = CampaignReport()
        for name in self._campaigns.active():
            if time_is_up():
                break
            try:
                campaign = self._campaigns.get(name)
            except NotFound:
                continue
            since = self._clock() - datetime.fromisoformat(last_work(campaign))
            if since >= IDLE:
                self._sqs.send_message(QueueUrl=self._queue, **token_message(name, timestamp(self._clock())))
                report.started += 1
            report.stuck += since >= STUCK
        return report


def last_work(campaign: Campaign) -> str:
    """Return when the feeder last recorded something, or should have begun."""
    return max(campaign.createdat, campaign.started_at or "", campaign.progress.worked_at or "")
