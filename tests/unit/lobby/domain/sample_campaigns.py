"""Campaigns in the states that tests start from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lobby.domain.campaigns.campaign import Author, Campaign, CampaignState, Source, SourceKind
from lobby.domain.campaigns.campaign_progress import Outcome, Prepared, Progress
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.names import CampaignName
from tests.unit.lobby.domain.sample_devices import B, T

NAME = CampaignName("to-b")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MOVE = ChangeRequest(ChangeOperation.MOVE, B)
ANN = Author("user:ann")


def campaign(state: CampaignState = CampaignState.RUNNING, **more: Any) -> Campaign:
    """Return a campaign of three pages. None was carried out."""
    values = {"prepared": Prepared(3, 300, 300, work={str(B): 300}, complete=True), **more}
    return Campaign(NAME, MOVE, Source(SourceKind.FILTER), ANN, T, state=state, **values)


def with_progress(campaign: Campaign, **fields: Any) -> Campaign:
    return replace(campaign, progress=replace(campaign.progress, **fields))


def outcomes(**counts: int) -> dict[str, int]:
    return {Outcome[name.upper()].value: count for name, count in counts.items()}


def progress(**counts: int) -> Progress:
    """Return a progress with these outcomes after one page."""
    return Progress(fed=1, outcomes=outcomes(**counts), first=outcomes(**counts))


def ago(seconds: float) -> str:
    """Return the time so many seconds before `NOW`, as the ledger formats it."""
    at = NOW - timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
