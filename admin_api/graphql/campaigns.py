"""The queries and mutations of campaigns."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from admin_api.graphql.arguments import After, First, described
from admin_api.graphql.bulk_changes import request_of
from admin_api.graphql.bulk_claims import parsed_label
from admin_api.graphql.campaign_results import CampaignResults, results_of
from admin_api.graphql.campaign_types import (
    OUTCOMES,
    Campaign,
    CampaignFilter,
    CampaignPage,
    CampaignPreview,
    campaign_from,
    counts_by_reason,
    limiting_target,
)
from admin_api.graphql.change_types import ChosenDevice, WantedChange
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.filters import filter_of
from admin_api.graphql.limits import MAX_BULK, Resource
from admin_api.operations import campaigns as rules
from lobby.domain.campaigns.campaign import DEFAULT_TOLERANCE, MAX_CANARY, CampaignEvent, needs_approval
from lobby.domain.changes import Chosen
from lobby.errors import InvalidInput, LobbyError
from lobby.ledger.campaigns.selection import Selection
from lobby.ledger.lists.listing import DEFAULT_PAGE, MAX_PAGE
from lobby.names import parse_campaign_name, parse_enrolment_name

Name = Annotated[str, described("The campaign's name.")]
Listed = Annotated[
    list[ChosenDevice] | None,
    described(f"The devices, at most {MAX_BULK:,} in a request. These, a filter or failedOf is required."),
]
Matching = Annotated[CampaignFilter | None, described("Selects the devices instead of a list, when it is created.")]
FailedOf = Annotated[
    str | None, described("The name of a campaign: its failed and refused devices, instead of a list.")
]


@strawberry.type(description="The operations that read campaigns.")
class CampaignQuery:
    @operation(
        "Returns the predicted results of a campaign, and its duration at the targets' rates. If a filter has very many"
        " devices, only as many as time permits are examined. Changes nothing."
    )
    def preview_campaign(
        self,
        info: Info,
        change: WantedChange,
        devices: Listed = ABSENT,
        filter: Matching = ABSENT,  # noqa: A002
        failed_of: FailedOf = ABSENT,
        after: After = ABSENT,
    ) -> CampaignPreview:
        context = info.context
        context.quota.consume(Resource.CAMPAIGNS, 1)
        selected = _devices(context, given(devices), given(filter), given(failed_of))
        request = request_of(change)
        entered = rules.NewCampaign("preview", request, selected)
        found = rules.preview(context.services, context.caller, entered, given(after) or None, context.quota.time_is_up)
        seconds, limit = limiting_target(found.sums.work, context)
        above = context.services.approval_above
        return CampaignPreview(
            total=found.sums.total,
            changing=found.sums.changing,
            unchanged=found.sums.unchanged,
            refusals=counts_by_reason(found.sums.refusals),
            seconds=seconds,
            limited_by=limit,
            needs_approval=needs_approval(request, found.sums.possible, above),
            approval_above=above,
            page_info=PageInfo(has_next_page=found.cursor is not None, end_cursor=found.cursor),
        )

    @operation("Returns a campaign with its progress; null if there is none with this name.")
    def campaign(self, info: Info, name: Name) -> Campaign | None:
        campaigns = info.context.services.campaigns
        row = campaigns.find(parse_campaign_name(name))
        return campaign_from(row, info.context) if row else None

    @operation("Returns a page of campaigns, the newest first, at most 100.")
    def campaigns(self, info: Info, first: First = DEFAULT_PAGE, after: After = ABSENT) -> CampaignPage:
        if not 1 <= first <= MAX_PAGE:
            raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_PAGE}")
        context = info.context
        context.quota.consume(Resource.LISTED, first)
        rows, cursor = context.services.campaigns.newest(first, given(after) or None)
        return CampaignPage(
            nodes=[campaign_from(row, context) for row in rows],
            page_info=PageInfo(has_next_page=cursor is not None, end_cursor=cursor),
        )

    @operation("Returns a page of the results of a campaign, device by device, at most 1000.")
    def campaign_results(
        self,
        info: Info,
        name: Name,
        outcome: Annotated[str | None, described(f"Only those with this outcome. {OUTCOMES}")] = ABSENT,
        first: First = MAX_PAGE,
        after: After = ABSENT,
    ) -> CampaignResults:
        return results_of(info.context, name, given(outcome), first, given(after))


@strawberry.type(description="The operations that create and control campaigns.")
class CampaignMutation:
    @operation(
        "Creates a campaign: one operation on many devices. The list of devices is fixed now. It starts immediately,"
        " unless a second user must approve it. Creating the same one again changes nothing."
    )
    def create_campaign(
        self,
        info: Info,
        name: Annotated[str, described("1 to 48 of a-z 0-9 -, the first not a dash. It can be used once.")],
        change: WantedChange,
        devices: Listed = ABSENT,
        filter: Matching = ABSENT,  # noqa: A002
        failed_of: FailedOf = ABSENT,
        complete: Annotated[
            bool, described("Whether the list is complete. If not, addCampaignDevices adds the rest.")
        ] = True,
        canary: Annotated[
            int, described(f"How many devices must arrive before the others are changed, 0 to {MAX_CANARY}.")
        ] = 0,
        max_failure_rate: Annotated[
            float, described("The share of failed and refused devices, 0 to 1, above which it stops.")
        ] = DEFAULT_TOLERANCE,
    ) -> Campaign | None:
        context = info.context
        selected = _devices(context, given(devices), given(filter), given(failed_of))
        entered = rules.NewCampaign(name, request_of(change), selected, complete, canary, max_failure_rate)
        row = rules.create(context.services, context.caller, entered, context.quota.time_is_up)
        return campaign_from(row, context)

    @operation(
        "Adds devices to the list of a campaign that you are creating. Repeating it with the same offset adds nothing."
    )
    def add_campaign_devices(
        self,
        info: Info,
        name: Name,
        devices: Annotated[list[ChosenDevice], described(f"The devices, at most {MAX_BULK:,} in a request.")],
        offset: Annotated[int, described("How many devices it has, as `total` of the previous answer.")],
        complete: Annotated[bool, described("Whether the list is complete now.")] = True,
    ) -> Campaign | None:
        context = info.context
        listed = _listed(context, devices)
        row = rules.add(
            context.services, context.caller, name, listed, offset, context.quota.time_is_up, complete=complete
        )
        return campaign_from(row, context)

    @operation("Approves a campaign of another user. It then starts. SECOND_PERSON_REQUIRED for your own campaign.")
    def approve_campaign(self, info: Info, name: Name) -> Campaign | None:
        return _acted(info, name, CampaignEvent.APPROVED)

    @operation("Pauses a campaign after the devices in progress, at most 100.")
    def pause_campaign(self, info: Info, name: Name) -> Campaign | None:
        return _acted(info, name, CampaignEvent.PAUSED)

    @operation("Resumes a campaign that was paused or has stopped automatically.")
    def resume_campaign(self, info: Info, name: Name) -> Campaign | None:
        return _acted(info, name, CampaignEvent.RESUMED)

    @operation("Cancels a campaign. Devices that it has changed stay as they are.")
    def cancel_campaign(self, info: Info, name: Name) -> Campaign | None:
        return _acted(info, name, CampaignEvent.CANCEL)

    @operation(
        "Creates a campaign that undoes an ended one: it restores the previous target, profile and configuration"
        " of the devices. Devices that were changed since then are listed and skipped."
    )
    def undo_campaign(
        self,
        info: Info,
        name: Name,
        as_: Annotated[
            str | None,
            strawberry.argument(
                name="as",
                description="The name of the new one; omitted: <name>-undo, or <name>-undo-2 after a cancelled undo.",
            ),
        ] = ABSENT,
    ) -> Campaign | None:
        context = info.context
        return campaign_from(rules.undo(context.services, context.caller, name, given(as_)), context)


def _acted(info: Info, name: str, event: CampaignEvent) -> Campaign:
    context = info.context
    return campaign_from(rules.act(context.services, context.caller, name, event), context)


def _devices(
    context: Context, listed: Sequence[ChosenDevice] | None, wanted: CampaignFilter | None, failed_of: str | None
) -> rules.Devices:
    return rules.Devices(
        None if listed is None else _listed(context, listed),
        None if wanted is None else _selection(wanted),
        failed_of,
    )


def _listed(context: Context, listed: Sequence[ChosenDevice]) -> list[Chosen]:
    """Return the devices of a list. Raise `InvalidInput` for the first text that is not a fingerprint: a campaign
    cannot record its result."""
    context.quota.consume(Resource.FINGERPRINTS, len(listed))
    chosen = []
    for each in listed:
        certid = parsed_label(each.certid)
        if isinstance(certid, LobbyError):
            raise certid
        chosen.append(Chosen(certid, given(each.generation)))
    return chosen


def _selection(wanted: CampaignFilter) -> Selection:
    enrolment = given(wanted.enrolment)
    return Selection(
        filter_of(wanted),
        parse_enrolment_name(enrolment) if enrolment is not None else None,
        given(wanted.model),
        given(wanted.profile),
        given(wanted.client_version),
    )
