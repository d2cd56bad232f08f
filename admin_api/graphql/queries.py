"""The queries: those of v0.1, unchanged, and the later ones.

They change no device and no target, so a client can repeat them. Each is authorised by the table of roles before its
resolver runs.
"""

from typing import Annotated

import strawberry

from admin_api.graphql.activity import ActivityQuery
from admin_api.graphql.alerts import AlertQuery
from admin_api.graphql.arguments import Account, After, Certid, First, Region, V01Certid, V01Count, V01Token, described
from admin_api.graphql.bulk_changes import preview_change
from admin_api.graphql.campaigns import CampaignQuery
from admin_api.graphql.change_types import ChangePreview, ListedDevices, MatchingDevices, WantedChange
from admin_api.graphql.comparisons import TargetComparison, comparisons
from admin_api.graphql.connections import ConnectionProblem, recent_problems
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.device_pages import (
    AnchoredPage,
    DeviceOrder,
    DevicePage,
    PaginatedDevices,
    anchored_page,
    device_page,
    paginated_devices,
)
from admin_api.graphql.devices import Device, device_from
from admin_api.graphql.enrolment_tokens import EnrolmentToken, tokens_of
from admin_api.graphql.enrolments import Enrolment, EnrolmentEntry, enrolments_of, history_of
from admin_api.graphql.filters import DeviceFilter, filter_of, state_of
from admin_api.graphql.histories import HistoryCheck, history_check_from
from admin_api.graphql.history_exports import HistoryExportQuery
from admin_api.graphql.lobby_regions import RegionQuery
from admin_api.graphql.overview import Overview, overview_of
from admin_api.graphql.reconciliation import Reconciliation, reconciled
from admin_api.graphql.serial_claims import SerialClaimQuery
from admin_api.graphql.targets import (
    RegisteredTarget,
    TargetCheck,
    TargetEntry,
    check_from,
    entry_from,
    target_from,
)
from admin_api.graphql.templates import TargetTemplate, TemplateFormat, template_of
from admin_api.graphql.transfer_pages import TransferListQuery
from admin_api.graphql.transfers import TransferQuery
from admin_api.graphql.users import UserQuery
from admin_api.graphql.value_lists import STATES, one_of
from admin_api.graphql.webhooks import WebhookQuery
from admin_api.roles import Role
from lobby.domain.states import State
from lobby.ledger.lists.listing import DEFAULT_PAGE, MAX_PAGE, Filter
from lobby.names import parse_target
from lobby.text.label import decode_label


@strawberry.type(description="The authenticated user.")
class Me:
    name: str = strawberry.field(description="The name that the user signed in with.")
    role: str = strawberry.field(description=f"The highest role. {one_of(Role)}")
    operations: list[str] = strawberry.field(description="The fields of Query and Mutation that the role permits.")


@strawberry.type(description="The operations that only read.")
class Query(
    CampaignQuery,
    WebhookQuery,
    ActivityQuery,
    AlertQuery,
    HistoryExportQuery,
    TransferQuery,
    TransferListQuery,
    SerialClaimQuery,
    UserQuery,
    RegionQuery,
):
    @operation("Returns the authenticated user and the operations that their role permits.")
    def me(self, info: Info) -> Me:
        caller = info.context.caller
        return Me(name=caller.name, role=caller.role.value, operations=caller.operations)

    @operation("Returns device counts by state, target and reason.")
    def overview(self, info: Info) -> Overview:
        return overview_of(info.context.tallies, info.context.caller)

    @operation(
        "Returns a device by its fingerprint or label; null if it is unknown.",
        deprecated="Of v0.1, kept for its clients. Use `device`.",
    )
    def get_device(self, info: Info, certid: V01Certid = ABSENT) -> Device | None:
        return _device(info.context, certid)

    @operation(
        "Returns all devices, those with the most recent state change first.",
        deprecated="Of v0.1, kept for its clients. Use `devices`.",
    )
    def list_devices(self, info: Info, count: V01Count = ABSENT, next_token: V01Token = ABSENT) -> PaginatedDevices:
        return paginated_devices(info.context, Filter(), count, next_token)

    @operation(
        "Returns the devices in one state; by default those waiting in the lobby.",
        deprecated="Of v0.1, kept for its clients. Use `devices` with the filter `state`.",
    )
    def list_lobby_devices(
        self,
        info: Info,
        count: V01Count = ABSENT,
        devstate: Annotated[str | None, described(f"The state; omitted: inlobby. {STATES}")] = ABSENT,
        next_token: V01Token = ABSENT,
    ) -> PaginatedDevices:
        state = state_of(given(devstate)) or State.INLOBBY
        return paginated_devices(info.context, Filter(state=state), count, next_token)

    @operation("Returns a device by its fingerprint or label; null if it is unknown.")
    def device(self, info: Info, certid: Certid) -> Device | None:
        return _device(info.context, certid)

    @operation("Returns a page of the devices that match the filter, at most 100.")
    def devices(
        self,
        info: Info,
        filter: Annotated[DeviceFilter | None, described("Which devices; omitted: all.")] = ABSENT,  # noqa: A002
        first: First = DEFAULT_PAGE,
        after: After = ABSENT,
        order: Annotated[DeviceOrder, described("The order; a cursor is valid for one order.")] = (
            DeviceOrder.NEWEST_FIRST
        ),
    ) -> DevicePage:
        return device_page(info.context, filter_of(filter or DeviceFilter()), first, after, order)

    @operation("Returns all enrolments in the order of their names, with their progress and refusals.")
    def enrolments(self, info: Info) -> list[Enrolment]:
        return enrolments_of(info.context)

    @operation("Returns the tokens of an enrolment of door token, the newest first.")
    def enrolment_tokens(
        self, info: Info, enrolment: Annotated[str, described("The enrolment's name.")]
    ) -> list[EnrolmentToken]:
        return tokens_of(info.context, enrolment)

    @operation("Returns the history of an enrolment, with users, oldest entry first.")
    def enrolment_history(
        self, info: Info, name: Annotated[str, described("The enrolment's name.")]
    ) -> list[EnrolmentEntry]:
        return history_of(info.context, name)

    @operation(
        "Predicts the results of changeDevices for up to 1,000 devices of a list, or for a page of those that match a"
        " filter. Changes nothing."
    )
    def preview_change(
        self,
        info: Info,
        change: WantedChange,
        devices: ListedDevices = ABSENT,
        filter: MatchingDevices = ABSENT,  # noqa: A002
        first: First = MAX_PAGE,
        after: After = ABSENT,
    ) -> ChangePreview:
        return preview_change(info.context, change, given(devices), given(filter), first, given(after))

    @operation(
        "Returns the registered targets; for a technician, those that they may claim for. Archived ones, which take no"
        " claims, only on request."
    )
    def targets(
        self, info: Info, include_archived: Annotated[bool, described("Whether to include archived targets.")] = False
    ) -> list[RegisteredTarget]:
        registered = info.context.services.targets.all()
        listed = [target for target in registered if info.context.caller.may_list(target.target)]
        shown = [target for target in listed if include_archived or target.archivedat is None]
        return [target_from(target, registered, info.context) for target in shown]

    @operation(
        "Returns a template that sets a target's account up without this project. It contains the target's ExternalId."
    )
    def target_template(
        self,
        info: Info,
        account: Account,
        region: Region,
        format: Annotated[TemplateFormat, described("The owner's deployment tool.")] = TemplateFormat.CLOUDFORMATION,  # noqa: A002
    ) -> TargetTemplate:
        return template_of(info.context, parse_target(account, region), format)

    @operation("Returns the history of a target, with users, oldest entry first, also of a removed one.")
    def target_history(self, info: Info, account: Account, region: Region) -> list[TargetEntry]:
        administration = info.context.services.target_administration
        return [entry_from(entry) for entry in administration.history(parse_target(account, region))]

    @operation("Returns the recent problems of connections of all devices, the latest first; at most 100.")
    def connection_problems(self, info: Info, first: First = DEFAULT_PAGE) -> list[ConnectionProblem]:
        return recent_problems(info.context, first)

    @operation("Checks the role and the permissions in a target without changing anything, and returns the findings.")
    def check_target(self, info: Info, account: Account, region: Region) -> TargetCheck:
        target = info.context.services.targets.get(parse_target(account, region)).target
        return check_from(target, info.context.services.survey(target))

    @operation(
        "Compares a target with the ledger without changing anything, and returns a page of differences."
        " At most one page in a request."
    )
    def reconcile_target(self, info: Info, account: Account, region: Region, after: After = ABSENT) -> Reconciliation:
        return reconciled(info.context, parse_target(account, region), given(after), None)

    @operation("Returns the result and the progress of the daily comparison of each target with the ledger.")
    def target_comparisons(self, info: Info) -> list[TargetComparison]:
        return comparisons(info.context)

    @operation("Verifies a device's history against its row and its anchors; null if the device is unknown.")
    def verify_history(self, info: Info, certid: Certid) -> HistoryCheck | None:
        fingerprint = decode_label(certid)
        verdict = info.context.services.histories.verify(fingerprint)
        return history_check_from(fingerprint, verdict) if verdict else None

    @operation("Returns a page of the fingerprints of all devices that the notary has ever anchored, at most 1000.")
    def anchored_devices(
        self,
        info: Info,
        first: First = DEFAULT_PAGE,
        after: Annotated[strawberry.ID | None, described("The last fingerprint of the previous page.")] = ABSENT,
    ) -> AnchoredPage:
        return anchored_page(info.context, first, given(after))


def _device(context: Context, certid: str | None) -> Device | None:
    row = context.services.ledger.find(decode_label(certid or ""))
    return device_from(row, context.caller) if row else None
