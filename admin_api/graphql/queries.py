"""What may be asked: v0.1's three queries as they were, and ours beside them."""

import strawberry

from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.devices import Device, DevicePage, PageInfo, PaginatedDevices, shown_device
from admin_api.graphql.filters import DeviceFilter, filter_of, state_of
from admin_api.graphql.histories import AnchoredPage, HistoryCheck, shown_anchored, shown_verdict
from admin_api.graphql.limits import MAX_LISTED, Share
from admin_api.graphql.overview import Overview, overview_of
from admin_api.graphql.reconciliation import Reconciliation, reconciled
from admin_api.graphql.targets import TargetCheck, TargetEntry, shown_check, shown_target
from admin_api.me import Me, me_of
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.counts import read_counts
from lobby.ledger.listing import DEFAULT_PAGE, MAX_PAGE, Filter, Page, devices
from lobby.names import parse_fingerprint, parse_target
from lobby.wire import decode_label


@strawberry.type
class Query:
    @operation("Who you are and what you may do.")
    def me(self, info: Info) -> Me:
        return me_of(info.context.caller)

    @operation("How many devices are where; kept with every transition, read with one query.")
    def overview(self, info: Info) -> Overview:
        return overview_of(read_counts(), info.context.caller)

    @operation("v0.1. A device by its fingerprint, in any form a label may have; null if it is unknown.")
    def get_device(self, info: Info, certid: strawberry.ID | None = ABSENT) -> Device | None:
        return _device(info.context, certid)

    @operation("v0.1. All devices, those first whose state is the newest.")
    def list_devices(self, info: Info, count: int | None = ABSENT, next_token: str | None = ABSENT) -> PaginatedDevices:
        return _paginated(info.context, Filter(), count, next_token)

    @operation("v0.1. The devices of one state: those in the lobby, unless another is named.")
    def list_lobby_devices(
        self, info: Info, count: int | None = ABSENT, devstate: str | None = ABSENT, next_token: str | None = ABSENT
    ) -> PaginatedDevices:
        state = state_of(given(devstate)) or State.INLOBBY
        return _paginated(info.context, Filter(state=state), count, next_token)

    @operation("A device by its fingerprint, in any form a label may have; null if it is unknown.")
    def device(self, info: Info, certid: strawberry.ID) -> Device | None:
        return _device(info.context, certid)

    @operation("Devices, by what the filter names; at most 100 a page. Each page is one query of an index.")
    def devices(
        self,
        info: Info,
        filter: DeviceFilter | None = ABSENT,  # noqa: A002  # the argument's name in the schema
        first: int = DEFAULT_PAGE,
        after: str | None = ABSENT,
    ) -> DevicePage:
        page = _page(info.context, filter_of(filter or DeviceFilter()), first, after)
        return DevicePage(
            nodes=_nodes(info.context, page),
            page_info=PageInfo(has_next_page=page.cursor is not None, end_cursor=page.cursor),
        )

    @operation("Where devices may be sent; for a technician, those that they may claim for.")
    def targets(self, info: Info) -> list[TargetEntry]:
        registered = info.context.services.targets.all()
        seen = [target for target in registered if info.context.caller.sees(target.target)]
        return [shown_target(target, registered, info.context) for target in seen]

    @operation("Tries a target's role and permissions, changing nothing, and says what is missing.")
    def check_target(self, info: Info, account: str, region: str) -> TargetCheck:
        target = info.context.services.targets.get(parse_target(account, region)).target
        return shown_check(target, info.context.services.survey(target))

    @operation("Compares a target with the ledger, a page at a time, changing nothing. One page in a request.")
    def reconcile_target(self, info: Info, account: str, region: str, after: str | None = ABSENT) -> Reconciliation:
        return reconciled(info.context, parse_target(account, region), given(after), None)

    @operation("Whether a device's history is what it was, by its row and its anchors; null if it was never here.")
    def verify_history(self, info: Info, certid: strawberry.ID) -> HistoryCheck | None:
        device = decode_label(certid)
        verdict = info.context.services.histories.verify(device)
        return shown_verdict(device, verdict) if verdict else None

    @operation("Every device that was ever here, by what the notary has anchored; at most 1000 a page.")
    def anchored_devices(
        self, info: Info, first: int = DEFAULT_PAGE, after: strawberry.ID | None = ABSENT
    ) -> AnchoredPage:
        if not 1 <= first <= MAX_LISTED:
            raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_LISTED}")
        info.context.allowance.take(Share.LISTED, first)
        cursor = given(after)
        return shown_anchored(
            info.context.services.histories.anchored(first, parse_fingerprint(cursor) if cursor else None)
        )


def _device(context: Context, certid: str | None) -> Device | None:
    row = context.services.ledger.get(decode_label(certid or ""))
    return shown_device(row, context.caller) if row else None


def _paginated(context: Context, wanted: Filter, count: int | None, token: str | None) -> PaginatedDevices:
    """v0.1 took any count, and none or 0 for its own: it gets as many as one page holds."""
    page = _page(context, wanted, min(given(count) or DEFAULT_PAGE, MAX_PAGE), token)
    return PaginatedDevices(devices=_nodes(context, page), next_token=page.cursor)


def _page(context: Context, wanted: Filter, first: int, cursor: str | None) -> Page:
    if 1 <= first <= MAX_PAGE:  # another number is refused with words of its own
        context.allowance.take(Share.LISTED, first)
    return devices(wanted, first, cursor or None)


def _nodes(context: Context, page: Page) -> list[Device]:
    return [shown_device(row, context.caller, whole=False) for row in page.devices]
