"""Pages of devices: the types, and the functions that read a page within the request's quota.

The number of devices counts towards the quota of the request, because aliases could multiply it. A count below 1 and a
cursor of another list are rejected.
"""

from enum import Enum

import strawberry

from admin_api.graphql.connections import Statuses
from admin_api.graphql.context import Context, Info, computed, given
from admin_api.graphql.devices import Device, device_from
from admin_api.graphql.limits import MAX_LISTED, Resource
from lobby.errors import InvalidInput
from lobby.ledger.lists.listing import DEFAULT_PAGE, MAX_PAGE, Filter, Page, devices
from lobby.ledger.lists.totals import is_counted, total_of
from lobby.names import parse_fingerprint


@strawberry.type(description="A page of devices of v0.1.")
class PaginatedDevices:
    devices: list[Device] = strawberry.field(description="The devices of the page.")
    next_token: str | None = strawberry.field(
        description="The value of `nextToken` for the next page; null on the last page."
    )


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether another page follows.")
    end_cursor: str | None = strawberry.field(description="The value of `after` for the next page.")


@strawberry.type(
    description="A page of devices. With a filter, a page can have fewer devices than requested, or none, and still be"
    " followed by others."
)
class DevicePage:
    wanted: strawberry.Private[Filter]

    nodes: list[Device] = strawberry.field(description="The devices of the page.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")

    @computed(
        "How many devices match the filter on all pages. Null if the lobby does not count them: with namePrefix,"
        " fingerprintPrefix, enteredBefore or renewal, and with reason unless state is failed or refused."
    )
    def total(self, info: Info) -> int | None:
        return total_of(info.context.tallies, self.wanted) if is_counted(self.wanted) else None


@strawberry.type(
    description="A page of fingerprints, including those of devices whose row and history have been deleted."
)
class AnchoredPage:
    certids: list[strawberry.ID] = strawberry.field(description="The fingerprints of the page, in ascending order.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")


@strawberry.enum(
    description="The order of a list by the time at which the devices entered their state. A list by namePrefix,"
    " fingerprintPrefix or renewal can be in the order of names, fingerprints or deadlines instead."
)
class DeviceOrder(Enum):
    NEWEST_FIRST = strawberry.enum_value("NEWEST_FIRST", description="The latest change first.")
    OLDEST_FIRST = strawberry.enum_value("OLDEST_FIRST", description="Those longest in their state first.")


def device_page(
    context: Context, filter_: Filter, first: int, after: str | None, order: DeviceOrder = DeviceOrder.NEWEST_FIRST
) -> DevicePage:
    """Return a page of the devices that match a filter. Raise `InvalidInput` INVALID_COUNT or INVALID_CURSOR."""
    page = _page(context, filter_, first, after, order)
    return DevicePage(
        wanted=filter_,
        nodes=_devices(context, page),
        page_info=PageInfo(has_next_page=page.cursor is not None, end_cursor=page.cursor),
    )


def paginated_devices(context: Context, filter_: Filter, count: int | None, token: str | None) -> PaginatedDevices:
    """Return a page of v0.1, which accepts every count. Without a count, or with 0, the default applies. The maximum is
    `MAX_PAGE`."""
    page = _page(context, filter_, min(given(count) or DEFAULT_PAGE, MAX_PAGE), token)
    return PaginatedDevices(devices=_devices(context, page), next_token=page.cursor)


def anchored_page(context: Context, first: int, after: str | None) -> AnchoredPage:
    """Return a page of anchored fingerprints in ascending order; the cursor is the last fingerprint. Raise
    `InvalidInput` INVALID_COUNT or INVALID_FINGERPRINT."""
    if not 1 <= first <= MAX_LISTED:
        raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_LISTED}")
    context.quota.consume(Resource.LISTED, first)
    page = context.services.histories.anchored(first, parse_fingerprint(after) if after else None)
    certids = [strawberry.ID(certid) for certid in page.certids]
    last = certids[-1] if certids and page.more else None
    return AnchoredPage(certids=certids, page_info=PageInfo(has_next_page=last is not None, end_cursor=last))


def _page(
    context: Context,
    filter_: Filter,
    first: int,
    cursor: str | None,
    order: DeviceOrder = DeviceOrder.NEWEST_FIRST,
) -> Page:
    if 1 <= first <= MAX_PAGE:  # the ledger rejects any other number, with its own message
        context.quota.consume(Resource.LISTED, first)
    return devices(filter_, first, cursor or None, oldest_first=order is DeviceOrder.OLDEST_FIRST)


def _devices(context: Context, page: Page) -> list[Device]:
    statuses = Statuses(context.services.connections, [row.certid for row in page.devices])
    return [device_from(row, context.caller, in_list=True, statuses=statuses) for row in page.devices]
