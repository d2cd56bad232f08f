"""The results of a campaign, device by device, a page at a time.

The outcome is the one that the campaign has recorded. If the query selects the devices, the rows of a page are read
together. They have the current state, which may have changed since the campaign stopped following the devices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import strawberry

from admin_api.graphql.campaign_types import OUTCOMES
from admin_api.graphql.context import Context, Info, computed
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.devices import Device, device_from
from admin_api.graphql.limits import MAX_LISTED, Resource
from admin_api.graphql.targets import Target
from lobby.chunks import chunks
from lobby.domain import device as ledger
from lobby.domain.campaigns.campaign import Campaign
from lobby.domain.campaigns.campaign_manifest import ManifestLine
from lobby.domain.campaigns.campaign_progress import Outcome, Result
from lobby.errors import InvalidInput
from lobby.ledger.batch_reader import READ_SIZE, read_rows
from lobby.ledger.clock import pause
from lobby.names import Fingerprint, parse_campaign_name, shown

_PAGES = 5
"""Pages of a campaign that are read together."""


@dataclass
class PageRows:
    """The rows of a page's devices. They are read once, at the first use."""

    certids: list[Fingerprint]
    deadline: Callable[[], bool]

    @cached_property
    def rows(self) -> dict[Fingerprint, ledger.Device | None]:
        found: dict[Fingerprint, ledger.Device | None] = {}
        for some in chunks(self.certids, READ_SIZE):
            found |= read_rows(some, pause, self.deadline)
        return found


@strawberry.type(description="The result of a campaign for a device.")
class CampaignResult:
    shared: strawberry.Private[PageRows]

    certid: strawberry.ID = strawberry.field(description="The fingerprint.")
    outcome: str = strawberry.field(description=f"The outcome of the device. {OUTCOMES}")
    code: str | None = strawberry.field(description="The reason of a failure or refusal.")
    previous_target: Target | None = strawberry.field(
        description="The target of the claim when the list was created; null without a claim."
    )
    previous_profile: str | None = strawberry.field(
        description="The profile of the claim when the list was created; null without a claim."
    )

    @computed("The device as it is now, as in a list; null without a row.")
    def device(self, info: Info) -> Device | None:
        row = self.shared.rows.get(Fingerprint(self.certid))
        return device_from(row, info.context.caller, in_list=True) if row else None


@strawberry.type(description="A page of a campaign's results, in the order of its devices.")
class CampaignResults:
    nodes: list[CampaignResult] = strawberry.field(description="The results of the page.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")


def results_of(context: Context, name: str, outcome: str | None, first: int, after: str | None) -> CampaignResults:
    """Return up to `first` results. If an outcome is given, return only results with this outcome. Raise `NotFound`
    UNKNOWN_CAMPAIGN, or `InvalidInput` INVALID_CAMPAIGN, INVALID_COUNT, INVALID_CURSOR or INVALID_OUTCOME."""
    if not 1 <= first <= MAX_LISTED:
        raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_LISTED}")
    context.quota.consume(Resource.LISTED, first)
    campaign, wanted = context.services.campaigns.get(parse_campaign_name(name)), _outcome(outcome)
    place: ResultPosition | None = _position(after)
    found: Found = []
    while place is not None and len(found) < first and not context.quota.time_is_up():
        more, place = _results_from(context, campaign, place, wanted, first - len(found))
        found += more
    shared = PageRows([line.certid for line, _ in found], context.quota.time_is_up)
    return CampaignResults(
        nodes=[_result(line, result, shared) for line, result in found],
        page_info=PageInfo(has_next_page=place is not None, end_cursor=f"{place[0]}.{place[1]}" if place else None),
    )


ResultPosition = tuple[int, int]
"""The number of a page, and of a device on it."""
Found = list[tuple[ManifestLine, Result]]


def _results_from(
    context: Context, campaign: Campaign, place: ResultPosition, wanted: Outcome | None, count: int
) -> tuple[Found, ResultPosition | None]:
    """Return results from a few pages, and the position of the next result."""
    services, (number, start) = context.services, place
    found: Found = []
    for page in services.campaigns.pages(campaign.name, number, _PAGES):
        lines = services.manifests.read(campaign.name, page.number, page.digest)
        for index in range(start if page.number == number else 0, len(lines)):
            if len(found) == count:
                return found, (page.number, index)
            result = page.state.results[index]
            if wanted is None or result.outcome is wanted:
                found.append((lines[index], result))
    following = number + _PAGES
    return found, (following, 0) if following < campaign.prepared.pages else None


def _result(line: ManifestLine, result: Result, shared: PageRows) -> CampaignResult:
    place = line.place
    return CampaignResult(
        shared=shared,
        certid=strawberry.ID(line.certid),
        outcome=result.outcome.value,
        code=result.code,
        previous_target=Target(account=place.target.account, region=place.target.region) if place else None,
        previous_profile=place.profile if place else None,
    )


def _outcome(text: str | None) -> Outcome | None:
    try:
        return None if text is None else Outcome(text)
    except ValueError:
        want = ", ".join(Outcome)
        raise InvalidInput("INVALID_OUTCOME", f"got {shown(text)}, want one of: {want}") from None


def _position(cursor: str | None) -> ResultPosition:
    if not cursor:
        return 0, 0
    page, dot, index = cursor.partition(".")
    if not (dot and page.isdecimal() and index.isdecimal() and len(cursor) <= 16 and cursor.isascii()):
        raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")
    return int(page), int(index)
