"""The changes of a campaign's record after a page was carried out or checked, and the conditions under which it must
stop.

A campaign stops itself if more devices fail than it tolerates, or if its canary does not arrive. Devices of a target
that does not answer do not count as failures: their lane waits.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.campaigns.campaign import Campaign
from lobby.domain.campaigns.campaign_progress import FAILURES, TRIED, Outcome, PageState, Progress
from lobby.domain.lanes.lane import Lane

MIN_TRIED: Final = 10
"""Devices that must have been tried before the failure rate counts."""
_ROUNDING: Final = 1e-6
"""More than the rounding of a product, and less than a device: 29 of 100 devices are not more than 29 %."""
CANARY_TIME: Final = timedelta(minutes=15)
"""How long the canary has time to arrive."""
MAX_FOLLOWED: Final = 1000
"""Pages whose devices are followed until they arrive: 100,000 devices. An evacuation changes all rows in some minutes,
before most devices arrive. The outcomes of earlier pages stay as they are."""
FAILURE_RATE: Final = "FAILURE_RATE"
CANARY_FAILED: Final = "CANARY_FAILED"
CANARY_NOT_ARRIVED: Final = "CANARY_NOT_ARRIVED"
INVALID_MANIFEST: Final = "INVALID_MANIFEST"
"""Its list of devices was changed."""
MANIFEST_MISSING: Final = "MANIFEST_MISSING"
"""Its list of devices is missing, for example because it was in the bucket of a home Region that was lost."""
UNREADABLE: Final = frozenset({INVALID_MANIFEST, MANIFEST_MISSING})
"""The reasons of a campaign that has no list of devices to continue with."""
USER_BLOCKED: Final = "USER_BLOCKED"
"""A user who answers for it was blocked."""


def recorded(
    progress: Progress, page: int, before: PageState, after: PageState, at: str, canary_pages: int = 1
) -> Progress:
    """Return the progress after the results of a page have changed. The first `canary_pages` pages are the canary."""
    opened: dict[int, Mapping[str, int]] = {number: lanes for number, lanes in progress.open.items() if number != page}
    followed = [number for number in progress.followed if number != page]
    if after.outcomes[Outcome.WAITING]:
        opened[page] = {str(lane): count for lane, count in after.waiting.items()}
    elif after.outcomes[Outcome.AWAITED]:
        followed.append(page)
    return replace(
        progress,
        fed=max(progress.fed, page + 1),
        outcomes=_shifted(progress.outcomes, before.outcomes, after.outcomes),
        reasons=_shifted(progress.reasons, before.reasons, after.reasons),
        first=_shifted(progress.first, before.outcomes, after.outcomes) if page < canary_pages else progress.first,
        open=opened,
        followed=tuple(followed[-MAX_FOLLOWED:]),
        advanced_at=at if before.results != after.results else progress.advanced_at,
    )


def _shifted(sums: Mapping[str, int], before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """Return the sums after the results of a page have changed. Devices that were not tried are not counted."""
    counts = Counter(sums)
    counts.update(after)
    counts.subtract(before)
    del counts[Outcome.PENDING]
    return {name: count for name, count in sorted(counts.items()) if count}


def canary_pages(campaign: Campaign) -> int:
    """Return how many pages at the start of the manifest are the canary. A record of an earlier version has one."""
    return max(1, campaign.prepared.canary_pages)


def unfollowed(progress: Progress, pages: Collection[int]) -> Progress:
    """Return the progress without following these pages, because their devices cannot be read. Their last outcomes
    stay."""
    opened = {number: lanes for number, lanes in progress.open.items() if number not in pages}
    return replace(progress, open=opened, followed=tuple(number for number in progress.followed if number not in pages))


def resumed(progress: Progress) -> Progress:
    """Return the progress with which a campaign continues: earlier failures and the canary do not stop it again."""
    return replace(progress, tolerated=(progress.count(FAILURES), progress.count(TRIED)), canary_passed=True)


def stop_reason(campaign: Campaign) -> str | None:
    """Return why a running campaign must stop, or None."""
    progress = campaign.progress
    canary = canary_state(campaign)
    if canary.failed:
        return CANARY_FAILED
    failures = progress.count(FAILURES) - progress.tolerated[0]
    tried = progress.count(TRIED) - progress.tolerated[1]
    if tried >= MIN_TRIED and failures > campaign.tolerance * tried + _ROUNDING:
        return FAILURE_RATE
    if canary.pending:
        return CANARY_NOT_ARRIVED if _is_overdue(progress) else None
    return CANARY_NOT_ARRIVED if _lacks_arrivals(campaign) else None


def _is_overdue(progress: Progress) -> bool:
    """Return whether the canary was still missing at a check after its time. A feeder that was not running, for example
    during a pause, checks first."""
    if progress.open or progress.advanced_at is None or progress.looked_at is None:
        return False
    return datetime.fromisoformat(progress.looked_at) - datetime.fromisoformat(progress.advanced_at) >= CANARY_TIME


def _lacks_arrivals(campaign: Campaign) -> bool:
    """Return whether the canary is complete, but fewer devices have arrived than required, because devices were already
    as requested or were changed by others. The campaign has proven nothing, and further devices are left."""
    progress = campaign.progress
    if not campaign.canary or progress.canary_passed:
        return False
    if not canary_pages(campaign) <= progress.fed < campaign.prepared.pages:
        return False
    return canary_arrived(campaign) < campaign.canary


@dataclass(frozen=True)
class CanaryState:
    """`pending`: devices of the canary that have not arrived; `failed`: devices of the canary that failed or were
    refused."""

    pending: int = 0
    failed: int = 0


def canary_state(campaign: Campaign) -> CanaryState:
    """Return the state of the canary; nothing is pending without one, or before it began."""
    if not campaign.canary or campaign.progress.canary_passed:
        return CanaryState()
    first = campaign.progress.first
    pending = first.get(Outcome.WAITING, 0) + first.get(Outcome.AWAITED, 0)
    return CanaryState(pending, sum(first.get(each, 0) for each in FAILURES))


def canary_arrived(campaign: Campaign) -> int:
    return min(campaign.canary, campaign.progress.first.get(Outcome.DONE, 0)) if campaign.canary else 0


@dataclass(frozen=True)
class Estimate:
    """How long a campaign takes: `seconds`, and the lane that limits it; None if no lane has work."""

    seconds: float
    lane: Lane | None = None


def estimate(work: Mapping[str, int], rate_of: Callable[[Lane], float]) -> Estimate:
    """Return the time for these numbers of devices in each lane. Lanes work in parallel, so the slowest one decides."""
    times = [Estimate(count / rate_of(Lane(lane)), Lane(lane)) for lane, count in work.items() if count]
    return max(times, key=lambda each: each.seconds, default=Estimate(0.0))


def remaining_work(campaign: Campaign) -> dict[str, int]:
    """Estimate how many devices each lane still has to work on, in proportion to the devices that are left."""
    prepared, progress = campaign.prepared, campaign.progress
    settled = progress.count((*TRIED, Outcome.SUPERSEDED))
    left = max(0, prepared.total - settled)
    share = left / prepared.total if prepared.total else 0.0
    return {lane: round(count * share) for lane, count in prepared.work.items()}
