"""The feeder of campaigns: prepares one, carries it out a page at a time, and records the outcomes of its devices. Each
step first reads the record of the campaign, so a pause or a cancellation takes effect after the page in progress. A
block of a user who answers for the campaign is read before each page. Each step ends with a conditional write of the
record, so it can be repeated, and two feeders at the same time cause no error. A run lasts at most twenty seconds; then
a new token starts the next run.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger

from commissioner.campaigns.pages import Interrupted, Pages
from commissioner.token_messages import DELETE, Verdict
from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Campaign, CampaignEvent, CampaignState
from lobby.domain.campaigns.campaign_progress import PageState
from lobby.domain.campaigns.campaign_rules import UNREADABLE, USER_BLOCKED, canary_pages, recorded, unfollowed
from lobby.domain.campaigns.campaign_steps import Action, Step, next_step, pages_to_check
from lobby.domain.change_requests import TargetRegister
from lobby.domain.lanes.lane import Lane, lane_to
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.campaigns.campaign_preparation import Preparation
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.campaign_rows import Page
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.ledger.clock import timestamp
from lobby.ledger.users.user_blocks import blocked_among
from lobby.names import CampaignName

ACTOR: Final = "service:campaigns"
SLICE: Final = timedelta(seconds=20)
PAGE_TIME: Final = timedelta(seconds=10)
"""How long one page may take. The token stays hidden longer than this."""
HIDDEN_WHILE_WORKING: Final = 15
HIDDEN_AFTER_CONFLICT: Final = 2
logger = Logger(service="campaigns")


@dataclass
class Feeder:
    """`above` is the largest size that needs no approval. `clock` returns the time, and `blocked` those of some users
    who are blocked."""

    campaigns: Campaigns
    sources: Sources
    preparation: Preparation
    pages: Pages
    targets: TargetRegister
    above: int
    clock: Callable[[], datetime]
    blocked: Callable[[Iterable[str]], Collection[str]] = blocked_among

    def run(self, name: CampaignName, hide: Callable[[int], None]) -> Verdict:
        """Work on a campaign, and return what to do with its token. `hide` hides it while the feeder works. Raise any
        error after which the token must be delivered again."""
        ends, rates = self.clock() + SLICE, self._rates()
        while True:
            try:
                campaign = self.campaigns.get(name)
            except NotFound:
                return DELETE
            page = self._next_page(campaign)
            lanes = [Lane(lane) for lane in page.lanes] if page else []
            step = next_step(campaign, lanes, lambda lane: rates.get(lane, DEFAULT_RATE), self.clock())
            if step.action is Action.END:
                self.campaigns.rest(campaign)
                return DELETE
            if step.action is Action.WAIT:
                return Verdict(hide=step.seconds)
            if self.clock() >= ends:
                return Verdict(hand_over=True)
            hide(HIDDEN_WHILE_WORKING)
            logger.info(
                "campaign step", extra={"campaign": name, "step": step.action.value, "fed": campaign.progress.fed}
            )
            if not self._take(step, campaign, page):
                return Verdict(hide=HIDDEN_AFTER_CONFLICT)

    def _rates(self) -> dict[Lane, float]:
        return {lane_to(each.target): each.rate for each in self.targets.all()}

    def _next_page(self, campaign: Campaign) -> Page | None:
        fed = campaign.progress.fed
        return self.campaigns.page(campaign.name, fed) if fed < campaign.prepared.pages else None

    def _take(self, step: Step, campaign: Campaign, page: Page | None) -> bool:
        """Take a step. Return False if it must be repeated later."""
        try:
            return self._taken(step, campaign, page)
        except Interrupted:
            return False
        except Conflict as conflict:  # the next read of the campaign's record shows the result
            logger.info("conflict", extra={"campaign": campaign.name, "code": conflict.code})
            return False
        except (InvalidInput, NotFound) as error:
            if error.code not in UNREADABLE:
                raise
            logger.exception("manifest not read", extra={"campaign": campaign.name, "code": error.code})
            self._give_up(campaign, error.code)
            return True

    def _taken(self, step: Step, campaign: Campaign, page: Page | None) -> bool:
        until = self.clock() + PAGE_TIME
        match step.action:
            case Action.FEED if page is not None:
                return self._feed(campaign, page, lambda: self.clock() >= until)
            case Action.LOOK:
                return self._check(campaign)
            case Action.PREPARE:
                self._prepare(campaign, lambda: self.clock() >= until)
            case Action.CLOSE:
                self._close(campaign, page)
            case Action.STOP:
                self._stop(campaign, step.reason)
            case _:
                self._change(campaign, CampaignEvent.FINISHED, transitions.finished)
        return True

    def _prepare(self, campaign: Campaign, deadline: Callable[[], bool]) -> None:
        if campaign.prepared.complete:
            self._change(
                campaign, CampaignEvent.PREPARED, lambda before, at: transitions.prepared(before, self.above, at)
            )
            return
        # A device that falls back to the lobby in the meantime enters a new state, but still belongs to an evacuation.
        before = None if campaign.request.operation.is_of_targets else campaign.createdat
        part = self.sources.part(campaign.source, campaign.prepared.cursor, before)
        self.preparation.add(
            campaign,
            part.candidates,
            cursor=part.cursor,
            complete=part.cursor is None,
            keep=part.keep,
            deadline=deadline,
        )

    def _feed(self, campaign: Campaign, page: Page, deadline: Callable[[], bool]) -> bool:
        if self.blocked(campaign.answerable):
            self._stop(campaign, USER_BLOCKED)
            return True
        after = self.pages.carry_out(campaign, page, deadline)
        return self._record(campaign, [(page, after)]) is not None

    def _check(self, campaign: Campaign) -> bool:
        """Check the outcomes of earlier pages. A page that cannot be read is no longer followed once the campaign has
        stopped or ended. A paused campaign keeps it: after it is resumed, it stops."""
        found: list[tuple[Page, PageState]] = []
        lost: list[int] = []
        for number in pages_to_check(campaign):
            page = self.campaigns.page(campaign.name, number)
            try:
                found.append((page, self.pages.look(campaign, page)))
            except (InvalidInput, NotFound) as error:
                if campaign.state is CampaignState.RUNNING or error.code not in UNREADABLE:
                    raise
                if campaign.state is not CampaignState.PAUSED:
                    lost.append(number)
        changed = [(page, after) for page, after in found if after != page.state]
        return self._record(campaign, changed, looked=True, lost=lost) is not None

    def _close(self, campaign: Campaign, page: Page | None) -> None:
        """Record the changes of a page in progress, then end the campaign. A repetition finds the page already
        recorded."""
        if page is not None and campaign.started_at is not None:
            begun = self.pages.close(campaign, page)
            if begun is not None and self._record(campaign, [(page, begun)]) is None:
                return
        self._change(campaign, CampaignEvent.CANCELLED, transitions.cancelled)

    def _stop(self, campaign: Campaign, reason: str) -> None:
        self._change(
            campaign, CampaignEvent.STOPPED, lambda before, _at: transitions.stopped(before, reason), detail=reason
        )

    def _give_up(self, campaign: Campaign, why: str) -> None:
        """Stop a campaign whose manifest cannot be used, or end one that was cancelled or is being prepared."""
        if campaign.state is CampaignState.PREPARING:
            self._change(campaign, CampaignEvent.CANCEL, transitions.cancelling, why)
            return
        with suppress(Conflict):
            self._stop(campaign, why)
            return
        self._change(campaign, CampaignEvent.CANCELLED, transitions.cancelled)

    def _change(
        self,
        campaign: Campaign,
        event: CampaignEvent,
        decide: Callable[[Campaign, str], Campaign],
        detail: str = "",
    ) -> None:
        self.campaigns.change(campaign.name, event, ACTOR, decide, detail)

    def _record(
        self,
        campaign: Campaign,
        changed: list[tuple[Page, PageState]],
        *,
        looked: bool = False,
        lost: Collection[int] = (),
    ) -> Campaign | None:
        at, progress = timestamp(self.clock()), unfollowed(campaign.progress, lost)
        for page, after in changed:
            progress = recorded(progress, page.number, page.state, after, at, canary_pages(campaign))
        if looked:
            progress = replace(progress, looked_at=at)
        return self.campaigns.record(campaign, progress, {page.number: after for page, after in changed})
