"""The changes of a campaign by each event: pure functions from a campaign to the new one.

A result that equals the given campaign means that the event was applied before, so requests can be repeated. An event
that the state does not allow raises `Conflict`, and nothing is written.
"""

from collections.abc import Collection
from dataclasses import replace

from lobby.domain.campaigns.campaign import (
    Campaign,
    CampaignEvent,
    CampaignState,
    needs_approval,
    require_not_undone,
    require_second_person,
    state_after,
)
from lobby.domain.campaigns.campaign_rules import UNREADABLE, USER_BLOCKED
from lobby.domain.campaigns.campaign_rules import resumed as resumed_progress
from lobby.errors import Conflict
from lobby.names import CampaignName


def prepared(campaign: Campaign, above: int, at: str) -> Campaign:
    """Return the campaign after its devices are fixed. The campaign starts, unless a second user must approve it;
    `above` as in `needs_approval`."""
    if campaign.state is not CampaignState.PREPARING:
        return campaign
    approval = needs_approval(campaign.request, campaign.prepared.possible, above)
    state = state_after(campaign, CampaignEvent.PREPARED, approval=approval)
    return replace(campaign, state=state, started_at=None if approval else at)


def approved(campaign: Campaign, actor: str, at: str, blocked: Collection[str] = ()) -> Campaign:
    """Return the campaign after a second user has approved it. `blocked` are the blocked users who answer for it. Raise
    `Conflict` SECOND_PERSON_REQUIRED, AUTHOR_BLOCKED or NOT_ALLOWED."""
    if campaign.approved_by == actor:
        return campaign
    state = state_after(campaign, CampaignEvent.APPROVED)
    require_second_person(campaign, actor)
    if blocked:
        raise _blocked(campaign, blocked)
    return replace(campaign, state=state, approved_by=actor, started_at=at)


def paused(campaign: Campaign) -> Campaign:
    if campaign.state is CampaignState.PAUSED:
        return campaign
    return replace(campaign, state=state_after(campaign, CampaignEvent.PAUSED))


def resumed(campaign: Campaign, actor: str, blocked: Collection[str] = ()) -> Campaign:
    """Return a paused or stopped campaign that continues. If it has stopped because of its devices, earlier failures
    and the canary do not stop it again. `blocked` are the blocked users who answer for it; `actor` takes the place of
    one. Raise `Conflict` SECOND_PERSON_REQUIRED, AUTHOR_BLOCKED or NOT_ALLOWED."""
    if campaign.state is CampaignState.RUNNING:
        return campaign
    state = state_after(campaign, CampaignEvent.RESUMED)
    is_accepted = campaign.state is CampaignState.STOPPED and campaign.why not in {USER_BLOCKED, *UNREADABLE}
    progress = resumed_progress(campaign.progress) if is_accepted else campaign.progress
    return replace(_answered(campaign, actor, blocked), state=state, why=None, progress=progress)


def _answered(campaign: Campaign, actor: str, blocked: Collection[str]) -> Campaign:
    """Return the campaign with `actor` in the place of a blocked user. Two users must still answer for a campaign that
    needed two."""
    if not blocked:
        return campaign
    if set(campaign.answerable) <= set(blocked) and campaign.approved_by is not None:
        raise _blocked(campaign, blocked)
    if actor in campaign.answerable:
        message = f"got {actor}, who answers for it already, want a user in the place of {', '.join(blocked)}"
        raise Conflict("SECOND_PERSON_REQUIRED", message)
    if campaign.approved_by in blocked:
        return replace(campaign, approved_by=actor)
    return replace(campaign, taken_over_by=actor)


def _blocked(campaign: Campaign, blocked: Collection[str]) -> Conflict:
    who = " and ".join(sorted(blocked))
    message = f"got campaign {campaign.name} of {who}, blocked: want it cancelled, and a new one of another user"
    return Conflict("AUTHOR_BLOCKED", message)


def stopped(campaign: Campaign, why: str) -> Campaign:
    """Return the campaign after the feeder has stopped it because of `why`."""
    return replace(campaign, state=state_after(campaign, CampaignEvent.STOPPED), why=why)


def cancelling(campaign: Campaign, at: str) -> Campaign:
    """Return the campaign after a user has cancelled it. The feeder first finishes the page in progress."""
    if campaign.state in (CampaignState.STOPPING, CampaignState.CANCELLED):
        return campaign
    state = state_after(campaign, CampaignEvent.CANCEL)
    return replace(campaign, state=state, ended_at=at if state is CampaignState.CANCELLED else None)


def cancelled(campaign: Campaign, at: str) -> Campaign:
    """Return the campaign after the feeder has finished the page in progress. No further device is changed."""
    if campaign.state is CampaignState.CANCELLED:
        return campaign
    return replace(campaign, state=state_after(campaign, CampaignEvent.CANCELLED), ended_at=at)


def finished(campaign: Campaign, at: str) -> Campaign:
    if campaign.state is CampaignState.DONE:
        return campaign
    return replace(campaign, state=state_after(campaign, CampaignEvent.FINISHED), ended_at=at)


def undone(campaign: Campaign, by: CampaignName, ended: CampaignName | None = None) -> Campaign:
    """Return the campaign after the campaign `by` was created to undo it. `ended` is an earlier undo that has left
    devices. Raise `Conflict` ALREADY_UNDONE or NOT_ALLOWED."""
    if campaign.undone_by == by:
        return campaign
    require_not_undone(campaign, ended)
    return replace(campaign, state=state_after(campaign, CampaignEvent.UNDONE), undone_by=by)


def needs_feeder(campaign: Campaign) -> bool:
    """Return whether the feeder has, or will soon have, something to do."""
    return campaign.state in (CampaignState.RUNNING, CampaignState.STOPPING) or bool(campaign.progress.open)
