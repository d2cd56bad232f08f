"""The next step of a campaign's feeder: prepare, carry out a page, check the outcomes of earlier pages, wait, end. The
decision depends only on the record of the campaign, so the next feeder continues the work of a killed one. The feeder
keeps at most a minute's work waiting in a lane: a pause then takes effect soon, and the lane never runs empty.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lobby.domain.campaigns.campaign import Campaign, CampaignState, SourceKind
from lobby.domain.campaigns.campaign_rules import canary_pages, canary_state, stop_reason
from lobby.domain.lanes.lane import Lane

MOST_WAITING: Final = 2000
FEWEST_WAITING: Final = 100
"""Limits of the devices of a campaign that wait in one lane."""
WAITING_SECONDS: Final = 60
CHECK_INTERVAL: Final = timedelta(seconds=3)
"""Between two checks of devices that wait for the commissioner, or of more pages than one check reads."""
LATER_CHECK_INTERVAL: Final = timedelta(seconds=15)
"""Between two checks of devices that only have to arrive."""
QUIET_TIME: Final = timedelta(minutes=2)
"""After this time without progress, checks are less frequent."""
FOLLOW_TIME: Final = timedelta(minutes=10)
"""How long the feeder waits for the last devices to arrive."""
OPEN_PAGES: Final = 25
"""The most pages with waiting devices that one check reads; the same for pages whose devices only have to arrive, if
there is no other work. All pages of a check are fewer than the 100 items of a transaction."""
FOLLOWED_PAGES: Final = 5
"""The most pages whose devices only have to arrive that one check reads while there is other work."""
CANARY_PAGES: Final = 40
"""The most pages of the canary that one check reads."""


class Action(StrEnum):
    """What to do next."""

    PREPARE = "prepare"
    FEED = "feed"
    LOOK = "look"
    CLOSE = "close"
    """Record what was changed of the page in progress, then end."""
    STOP = "stop"
    FINISH = "finish"
    WAIT = "wait"
    END = "end"


@dataclass(frozen=True)
class Step:
    """`seconds` is how long to wait, `reason` why the campaign stops."""

    action: Action
    seconds: int = 0
    reason: str = ""


END: Final = Step(Action.END)


def most_waiting(rate: float) -> int:
    """Return how many devices of a campaign may wait in a lane with this rate."""
    return round(min(MOST_WAITING, max(FEWEST_WAITING, rate * WAITING_SECONDS)))


def next_step(
    campaign: Campaign, next_lanes: Collection[Lane], rate_of: Callable[[Lane], float], now: datetime
) -> Step:
    """Return the next step. `next_lanes` are the lanes in which devices of the next page will wait."""
    match campaign.state:
        case CampaignState.PREPARING:
            return END if campaign.source.kind is SourceKind.LIST else Step(Action.PREPARE)
        case CampaignState.APPROVAL:
            return END
        case CampaignState.STOPPING:
            return Step(Action.CLOSE)
        case CampaignState.RUNNING:
            return _running(campaign, next_lanes, rate_of, now)
        case _:
            return _check_or_wait(campaign, now) if campaign.progress.open else END


def pages_to_check(campaign: Campaign) -> list[int]:
    """Return the pages to check: pages with waiting devices, in turn if there are many, and some of the pages whose
    devices have not arrived."""
    progress = campaign.progress
    opened, followed = sorted(progress.open), list(progress.followed)
    has_other_work = opened or progress.fed < campaign.prepared.pages
    count = FOLLOWED_PAGES if has_other_work else OPEN_PAGES
    chosen = _in_turn(opened, OPEN_PAGES, progress.number) + _in_turn(followed, count, progress.number)
    canary = range(canary_pages(campaign) if campaign.canary else 0)
    return sorted({*chosen, *[number for number in canary if number in followed][:CANARY_PAGES]})


def _running(campaign: Campaign, next_lanes: Collection[Lane], rate_of: Callable[[Lane], float], now: datetime) -> Step:
    progress = campaign.progress
    if reason := stop_reason(campaign):
        return Step(Action.STOP, reason=reason)
    if _check_is_due(campaign, now):
        return Step(Action.LOOK)
    if progress.fed < campaign.prepared.pages:
        is_held = canary_state(campaign).pending > 0 and progress.fed >= canary_pages(campaign)
        if not is_held and _has_room(campaign, next_lanes, rate_of):
            return Step(Action.FEED)
        return _check_or_wait(campaign, now)
    if progress.open or (progress.followed and not _is_older(progress.advanced_at, now, FOLLOW_TIME)):
        return _check_or_wait(campaign, now)
    return Step(Action.FINISH)


def _has_room(campaign: Campaign, next_lanes: Collection[Lane], rate_of: Callable[[Lane], float]) -> bool:
    """Return whether at least one lane of the next page has room, so that a target that does not answer does not delay
    the others."""
    waiting = campaign.progress.waiting
    return not next_lanes or any(waiting[lane] < most_waiting(rate_of(lane)) for lane in next_lanes)


def _check_is_due(campaign: Campaign, now: datetime) -> bool:
    progress = campaign.progress
    return bool(progress.open or progress.followed) and _time_to_check(campaign, now) <= timedelta(0)


def _time_to_check(campaign: Campaign, now: datetime) -> timedelta:
    progress = campaign.progress
    needs_several = len(progress.followed) > OPEN_PAGES
    is_moving = (progress.open or needs_several) and not _is_older(progress.advanced_at, now, QUIET_TIME)
    is_soon = is_moving or canary_state(campaign).pending > 0
    interval = CHECK_INTERVAL if is_soon else LATER_CHECK_INTERVAL
    looked_at = datetime.fromisoformat(progress.looked_at) if progress.looked_at else now - interval
    return looked_at + interval - now


def _check_or_wait(campaign: Campaign, now: datetime) -> Step:
    left = _time_to_check(campaign, now)
    return Step(Action.LOOK) if left <= timedelta(0) else Step(Action.WAIT, max(1, round(left.total_seconds())))


def _is_older(at: str | None, now: datetime, age: timedelta) -> bool:
    return at is not None and now - datetime.fromisoformat(at) >= age


def _in_turn(pages: list[int], count: int, turn: int) -> list[int]:
    start = turn * count % len(pages) if len(pages) > count else 0
    return (pages[start:] + pages[:start])[:count]
