"""The lobby's Regions: which one is home, and the operations that make another Region home (docs/regions.md)."""

from datetime import UTC, datetime
from typing import Annotated, Final

import strawberry

from admin_api.graphql.arguments import After, First, described
from admin_api.graphql.context import ABSENT, Info, computed, given, operation
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.limits import Resource
from admin_api.graphql.value_lists import one_of
from admin_api.operations.regions import LobbyRegions, RegionStatus
from lobby.domain.regions.home import Vote
from lobby.domain.regions.replication import Gap
from lobby.domain.regions.settings_replication import SettingKind
from lobby.errors import InvalidInput, NotHome
from lobby.ledger.clock import timestamp
from lobby.names import parse_fingerprint, parse_region

MAX_CHECKED: Final = 100
"""The number of devices on a page of `regionCheck`."""
Promoted = Annotated[str, described("The Region to make home: that of the API which gets the request.")]
Down = Annotated[str, described("The Region that is down.")]
AnchorsOf = Annotated[
    str | None, described("Compare with the anchors of this Region, instead of each row with its last entry.")
]


@strawberry.type(description="A Region of the lobby, as the Region of this API sees it now.")
class LobbyRegion:
    name: str = strawberry.field(description="The AWS Region.")
    is_home: bool = strawberry.field(description="Whether it is the home.")
    answers: bool = strawberry.field(description="Whether its DynamoDB answers this Region.")
    why: str | None = strawberry.field(description="Why it does not answer.")
    is_needed: bool = strawberry.field(
        description="Whether the home needs its vote to extend the lease: false after `continueWithout`, until the"
        " Region answers again."
    )
    replicated_at: str | None = strawberry.field(
        description="When the newest item of that Region that was replicated here was written. It is at most about a"
        " minute ago while replication works. Null for this Region; ISO 8601, UTC."
    )


@strawberry.type(description="The lobby, and its Regions. A lobby with one Region is always its own home.")
class Lobby:
    vote: strawberry.Private[Vote | None]
    known: strawberry.Private[LobbyRegions]

    region: str = strawberry.field(description="The Region of this API.")
    home: str | None = strawberry.field(
        description="The home Region, whose API accepts changes; null if no Region is home yet."
    )
    accepts_changes: bool = strawberry.field(description="Whether this Region accepts changes now.")
    code: str | None = strawberry.field(
        description="Why it accepts no changes: NOT_HOME, LEASE_EXPIRED (no Region accepts changes) or NO_HOME."
    )
    message: str | None = strawberry.field(description="A description of the reason.")

    @computed("When the home Region became home; null in a lobby with one Region. ISO 8601, UTC.")
    def home_since(self) -> str | None:
        return _time(self.vote.since) if self.vote else None

    @computed("When the lease of the home ends, unless it is extended; null in a lobby with one Region. ISO 8601, UTC.")
    def lease_until(self) -> str | None:
        return _time(self.vote.until) if self.vote else None

    @computed("All Regions, the first home first. The query tests whether each of them answers.")
    def regions(self) -> list[LobbyRegion]:
        return [_region_from(each) for each in self.known.statuses()]


@strawberry.type(description="The state of a promotion.")
class RegionPromotion:
    promoted: bool = strawberry.field(description="Whether the Region is home now.")
    wait_seconds: int = strawberry.field(
        description="If it is not: after how many seconds the same request can complete the promotion."
    )


@strawberry.type(description="A device whose last changes were not replicated completely.")
class RegionFinding:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device.")
    code: str = strawberry.field(description=f"What is incomplete. {one_of(Gap)}")
    seq: int = strawberry.field(description="The number of the entry that it concerns.")
    message: str = strawberry.field(description="A description.")


@strawberry.type(description="A target or an enrolment whose last changes were not replicated completely.")
class SettingFinding:
    kind: str = strawberry.field(description=one_of(SettingKind))
    name: str = strawberry.field(description="The target, as account/Region, or the name of the enrolment.")
    code: str = strawberry.field(description=f"What is incomplete. {one_of((Gap.ENTRY_MISSING, Gap.ENTRY_DIFFERS))}")
    message: str = strawberry.field(description="A description.")


@strawberry.type(description="A page of the search for changes that were not replicated.")
class RegionCheck:
    checked: int = strawberry.field(description="How many devices this page has checked.")
    findings: list[RegionFinding] = strawberry.field(description="The devices with a gap.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")

    @computed(
        "Targets and enrolments whose row and history differ in this Region; the same on each page. Settings of which"
        " nothing was replicated are not found."
    )
    def settings(self, info: Info) -> list[SettingFinding]:
        return [
            SettingFinding(kind=each.kind.value, name=each.name, code=each.gap.value, message=each.message)
            for each in info.context.services.regions.check_settings()
        ]


@strawberry.type(description="The operations that read the state of the lobby's Regions.")
class RegionQuery:
    @operation("Returns the lobby's Regions, and whether this one accepts changes.")
    def lobby(self, info: Info) -> Lobby:
        return _lobby_from(info.context.services.regions)

    @operation(
        "Searches for changes that the old home had not replicated when another Region became home; at most 100 devices"
        " a page. Only reads."
    )
    def region_check(
        self, info: Info, first: First = MAX_CHECKED, after: After = ABSENT, anchors_of: AnchorsOf = ABSENT
    ) -> RegionCheck:
        if not 1 <= first <= MAX_CHECKED:
            raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_CHECKED}")
        info.context.quota.consume(Resource.LISTED, first)
        region, start = given(anchors_of), given(after)
        page = info.context.services.regions.check(
            first, parse_fingerprint(start) if start else None, parse_region(region) if region else None
        )
        findings = [
            RegionFinding(certid=strawberry.ID(each.certid), code=each.gap.value, seq=each.seq, message=each.message)
            for each in page.findings
        ]
        info_ = PageInfo(has_next_page=page.after is not None, end_cursor=page.after)
        return RegionCheck(checked=page.checked, findings=findings, page_info=info_)


@strawberry.type(description="The operations that change which Region is home.")
class RegionMutation:
    @operation(
        "Makes the Region of this API home. If the old home answers, it stops immediately, and the promotion is"
        " complete after a minute, or when its last changes are replicated, at most six minutes later. Otherwise it is"
        " complete a minute after the old home's lease has ended. Repeat the request until it is complete. Changes that"
        " were not replicated then are lost; `regionCheck` reports them."
    )
    def promote_region(self, info: Info, region: Promoted) -> RegionPromotion | None:
        promotion = info.context.services.regions.promote(parse_region(region))
        return RegionPromotion(promoted=promotion.done, wait_seconds=-(-promotion.wait_ms // 1000))

    @operation(
        "Lets the home extend its lease without the vote of a Region that is down, until that Region answers"
        " again. Never do this if the other Region was promoted or may be promoted: both would accept changes."
    )
    def continue_without(self, info: Info, region: Down) -> Lobby | None:
        regions = info.context.services.regions
        regions.continue_without(parse_region(region))
        return _lobby_from(regions)


def _lobby_from(regions: LobbyRegions) -> Lobby:
    refusal = regions.refusal()
    try:
        vote = regions.vote()
    except NotHome:
        vote = None
    home = vote.home if vote else None
    return Lobby(
        vote=vote,
        known=regions,
        region=regions.own,
        home=home or (regions.own if refusal is None else None),
        accepts_changes=refusal is None,
        code=refusal.code if refusal else None,
        message=refusal.message if refusal else None,
    )


def _region_from(status: RegionStatus) -> LobbyRegion:
    return LobbyRegion(
        name=status.name,
        is_home=status.is_home,
        answers=status.answers,
        why=status.why,
        is_needed=status.is_needed,
        replicated_at=status.replicated_at,
    )


def _time(ms: int) -> str:
    return timestamp(datetime.fromtimestamp(ms / 1000, UTC))
