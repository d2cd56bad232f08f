"""The types of campaigns: the input, the preview, a campaign with its progress, and the result of each device."""

from collections import Counter
from collections.abc import Mapping

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.change_types import Operation, RefusalCount, ShadowOption
from admin_api.graphql.context import Context, Info, computed
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.filters import DeviceFilter
from admin_api.graphql.targets import Target
from admin_api.graphql.value_lists import one_of
from admin_api.operations.campaigns import may_control
from lobby.domain.campaigns import campaign as ledger
from lobby.domain.campaigns.campaign import CampaignEvent, CampaignState, SourceKind
from lobby.domain.campaigns.campaign_progress import Outcome
from lobby.domain.campaigns.campaign_rules import canary_arrived, remaining_work
from lobby.domain.lanes.lane import Lane, target_of
from lobby.ledger.clock import timestamp

OUTCOMES = one_of(Outcome)
_ACTIONS = {
    CampaignEvent.APPROVED: "approveCampaign",
    CampaignEvent.PAUSED: "pauseCampaign",
    CampaignEvent.RESUMED: "resumeCampaign",
    CampaignEvent.CANCEL: "cancelCampaign",
    CampaignEvent.UNDONE: "undoCampaign",
}


@strawberry.input(description="Selects the devices of a campaign. A device must match every given field.")
class CampaignFilter(DeviceFilter):
    enrolment: str | None = strawberry.field(
        default=strawberry.UNSET, description="The enrolment that has admitted the device."
    )
    model: str | None = strawberry.field(default=strawberry.UNSET, description="The product model.")
    profile: str | None = strawberry.field(default=strawberry.UNSET, description="The profile of the claim.")
    client_version: str | None = strawberry.field(
        default=strawberry.UNSET, description="The client version that the device reports."
    )


@strawberry.type(description="The predicted results of a campaign. Nothing is changed.")
class CampaignPreview:
    total: int = strawberry.field(description="Devices.")
    changing: int = strawberry.field(description="Devices that would be changed.")
    unchanged: int = strawberry.field(description="Devices that are already as requested.")
    refusals: list[RefusalCount] = strawberry.field(description="Refused devices by reason, highest count first.")
    seconds: float = strawberry.field(description="The minimum duration in seconds, at the rate of the slowest target.")
    limited_by: Target | None = strawberry.field(
        description="The target whose rate determines the duration; null if there is none."
    )
    needs_approval: bool = strawberry.field(description="Whether a second user must approve it.")
    approval_above: int = strawberry.field(
        description="The largest number of changing and refused devices that needs no approval."
    )
    page_info: PageInfo = strawberry.field(
        description="Whether more devices match the filter than there was time for, and where to continue."
    )


@strawberry.type(description="How many devices of a campaign have each outcome.")
class CampaignCounts:
    pending: int = strawberry.field(description="Not processed yet.")
    waiting: int = strawberry.field(description="Changed; they wait for the commissioner.")
    awaited: int = strawberry.field(description="The lobby's work is done; they have not arrived yet.")
    done: int = strawberry.field(description="Arrived, or cleared from the targets that they left.")
    failed: int = strawberry.field(description="Changed, and refused by the target.")
    refused: int = strawberry.field(description="Not changed: the operation is not possible.")
    unchanged: int = strawberry.field(description="They already were as requested.")
    superseded: int = strawberry.field(description="Another user or rule has changed them since they were selected.")


@strawberry.type(description="One entry of a campaign's history.")
class CampaignEntry:
    at: str = strawberry.field(description="When, ISO 8601 UTC.")
    actor: str = strawberry.field(description="Who.")
    event: str = strawberry.field(description=one_of(CampaignEvent))
    detail: str = strawberry.field(description="Why, or the name of another campaign.")


@strawberry.type(description="One operation on many devices, carried out in the cloud. Times are ISO 8601, UTC.")
class Campaign:
    row: strawberry.Private[ledger.Campaign]

    id: strawberry.ID = strawberry.field(description="Identifies the campaign in caches: its name.")
    name: str = strawberry.field(description="Its name. The actor of its changes is campaign:<name>.")
    operation: Operation = strawberry.field(description="The operation on each device.")
    target: Target | None = strawberry.field(description="The target of a claim or move; null in an undo.")
    profile: str | None = strawberry.field(description="The profile that it sets; null if none.")
    config: JSON | None = strawberry.field(description="The configuration that it sets; null if none.")
    shadows: ShadowOption | None = strawberry.field(
        description="What happens to the shadows of devices that it moves; null if nothing was chosen."
    )
    why: str | None = strawberry.field(description="The reason of a revocation.")
    state: str = strawberry.field(description=one_of(CampaignState))
    stopped_because: str | None = strawberry.field(
        description="Why it has stopped: FAILURE_RATE, CANARY_FAILED, CANARY_NOT_ARRIVED, INVALID_MANIFEST,"
        " MANIFEST_MISSING, or USER_BLOCKED if a user was blocked who has created, taken over or approved it."
    )
    source: str = strawberry.field(description=f"Where its devices come from. {one_of(SourceKind)}")
    source_campaign: str | None = strawberry.field(description="The campaign whose devices it takes.")
    undoes: str | None = strawberry.field(description="The campaign that it undoes.")
    undone_by: str | None = strawberry.field(description="The campaign that undoes it.")
    created_by: str = strawberry.field(description="Who created it.")
    created_at: str = strawberry.field(description="When it was created.")
    approved_by: str | None = strawberry.field(description="The second user; null if none has approved it.")
    taken_over_by: str | None = strawberry.field(
        description="The user who has resumed it after its author was blocked; null if nobody has."
    )
    started_at: str | None = strawberry.field(description="When it began to change devices.")
    ended_at: str | None = strawberry.field(description="When it was done or cancelled.")
    canary: int = strawberry.field(description="How many devices must arrive before the others are changed.")
    canary_arrived: int = strawberry.field(description="How many of them have arrived.")
    max_failure_rate: float = strawberry.field(description="The failure rate, 0 to 1, above which it stops.")
    total: int = strawberry.field(description="The number of devices in the list so far.")
    changing: int = strawberry.field(description="The number of devices to change, when the list was created.")
    unchanged: int = strawberry.field(
        description="The number of devices that already were as requested, when the list was created."
    )
    refusals: list[RefusalCount] = strawberry.field(
        description="The devices that were refused when the list was created, by reason."
    )
    counts: CampaignCounts = strawberry.field(description="The outcomes so far.")
    failures: list[RefusalCount] = strawberry.field(
        description="Failed and refused devices by reason, highest count first."
    )
    seconds: float = strawberry.field(description="The minimum duration in seconds, at the targets' rates.")
    allowed_actions: list[str] = strawberry.field(
        description="The operations that its state permits; undoCampaign only if it can be undone."
        f" Values: {', '.join(_ACTIONS.values())}."
    )

    @computed("The estimated end; null unless the campaign is running, or while a target waits.")
    def expected_end(self, info: Info) -> str | None:
        forecast = info.context.forecasts.of_work(remaining_work(self.row)) if self._is_running else None
        return timestamp(forecast.expected_at) if forecast and forecast.expected_at else None

    @computed("What the campaign waits for, as text; null unless it is running.")
    def waits_for(self, info: Info) -> str | None:
        forecast = info.context.forecasts.of_work(remaining_work(self.row)) if self._is_running else None
        return forecast.waits_for if forecast else None

    @computed("Its history, with users, oldest entry first.")
    def history(self, info: Info) -> list[CampaignEntry]:
        entries = info.context.services.campaigns.history(self.row.name)
        return [
            CampaignEntry(at=each.at, actor=each.actor, event=each.event.value, detail=each.detail) for each in entries
        ]

    @property
    def _is_running(self) -> bool:
        return self.row.state is CampaignState.RUNNING


@strawberry.type(description="A page of campaigns, the newest first.")
class CampaignPage:
    nodes: list[Campaign] = strawberry.field(description="The campaigns of the page.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")


def campaign_from(row: ledger.Campaign, context: Context) -> Campaign:
    prepared, progress, request = row.prepared, row.progress, row.request
    target = request.target
    return Campaign(
        row=row,
        id=strawberry.ID(row.name),
        name=row.name,
        operation=Operation(request.operation.value),
        target=Target(account=target.account, region=target.region) if target else None,
        profile=request.profile,
        config=None if request.config is None else JSON(request.config),
        shadows=None if request.shadows is None else ShadowOption(str(request.shadows)),
        why=request.why,
        state=row.state.value,
        stopped_because=row.why,
        source=row.source.kind.value,
        source_campaign=row.source.campaign,
        undoes=row.undoes,
        undone_by=row.undone_by,
        created_by=row.author.actor,
        created_at=row.createdat,
        approved_by=row.approved_by,
        taken_over_by=row.taken_over_by,
        started_at=row.started_at,
        ended_at=row.ended_at,
        canary=row.canary,
        canary_arrived=canary_arrived(row),
        max_failure_rate=row.tolerance,
        total=prepared.total,
        changing=prepared.changing,
        unchanged=prepared.unchanged,
        refusals=counts_by_reason(prepared.refusals),
        counts=_counts(row),
        failures=counts_by_reason(progress.reasons),
        seconds=round(context.forecasts.estimate(prepared.work).seconds, 1),
        allowed_actions=[
            name
            for event, name in _ACTIONS.items()
            if ledger.allowed(row, event) and context.caller.may(name) and may_control(context.caller, row)
        ],
    )


def counts_by_reason(counts: Mapping[str, int]) -> list[RefusalCount]:
    return [RefusalCount(code=code, count=count) for code, count in Counter(counts).most_common()]


def limiting_target(work: Mapping[str, int], context: Context) -> tuple[float, Target | None]:
    """Return how long so much work takes, and the target whose rate limits it."""
    found = context.forecasts.estimate(work)
    target = target_of(Lane(found.lane)) if found.lane else None
    return round(found.seconds, 1), Target(account=target.account, region=target.region) if target else None


def _counts(row: ledger.Campaign) -> CampaignCounts:
    counts = {outcome: row.progress.outcomes.get(outcome.value, 0) for outcome in Outcome}
    tried = sum(counts.values()) - counts[Outcome.NOT_TRIED]
    return CampaignCounts(
        pending=row.prepared.total - tried,
        waiting=counts[Outcome.WAITING],
        awaited=counts[Outcome.AWAITED],
        done=counts[Outcome.DONE],
        failed=counts[Outcome.FAILED],
        refused=counts[Outcome.REFUSED],
        unchanged=counts[Outcome.UNCHANGED],
        superseded=counts[Outcome.SUPERSEDED],
    )
