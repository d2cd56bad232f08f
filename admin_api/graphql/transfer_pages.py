"""The list of transfers in the API: by default the open offers of all devices, on request the transfers in another
step.

A page is one query of an index. The devices of one offer are together, so a client that needs all of them names the
offer.
"""

from enum import Enum
from typing import Annotated

import strawberry

from admin_api.graphql.arguments import After, First, described
from admin_api.graphql.context import ABSENT, Info, given, operation
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.limits import Resource
from admin_api.graphql.transfers import DeviceTransfer, transfer_of
from admin_api.graphql.value_lists import STATES
from lobby.domain.transfers.transfer import TransferStep
from lobby.ledger.lists.listing import DEFAULT_PAGE, MAX_PAGE
from lobby.ledger.transfers import transfer_lists as ledger


@strawberry.enum(name="TransferStep", description="The step of a transfer in this lobby.")
class Step(Enum):
    OFFERED = strawberry.enum_value(
        TransferStep.OFFERED.value, description="The device is offered to another lobby. The offer may have expired."
    )
    COMPLETED = strawberry.enum_value(
        TransferStep.COMPLETED.value, description="The device was transferred to another lobby."
    )
    ACCEPTED = strawberry.enum_value(TransferStep.ACCEPTED.value, description="This lobby has accepted the device.")


@strawberry.type(description="A device that has a transfer.")
class TransferredDevice:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device in this lobby.")
    devicename: str | None = strawberry.field(description="The thing name.")
    devstate: str = strawberry.field(description=f"The state. {STATES}")
    transfer: DeviceTransfer = strawberry.field(description="Its transfer.")


@strawberry.type(
    description="A page of devices that have a transfer. It can have fewer than requested, and still be followed by"
    " others."
)
class TransferPage:
    nodes: list[TransferredDevice] = strawberry.field(description="The devices, those of one offer together.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")


@strawberry.type(description="The operation that lists transfers.")
class TransferListQuery:
    @operation(
        "Returns a page of the devices that have a transfer in one step, at most 100; by default, those that are"
        " offered."
    )
    def transfers(
        self,
        info: Info,
        step: Annotated[Step, described("The step.")] = Step.OFFERED,
        offer: Annotated[str | None, described("Only the devices of this offer, by its id.")] = ABSENT,
        first: First = DEFAULT_PAGE,
        after: After = ABSENT,
    ) -> TransferPage:
        if 1 <= first <= MAX_PAGE:  # the ledger rejects any other number, with its own message
            info.context.quota.consume(Resource.LISTED, first)
        page = ledger.transfers(TransferStep[step.name], given(offer), first, given(after))
        nodes = [
            TransferredDevice(
                certid=strawberry.ID(row.certid),
                devicename=row.devicename,
                devstate=row.devstate.value,
                transfer=found,
            )
            for row in page.devices
            if (found := transfer_of(row)) is not None
        ]
        return TransferPage(
            nodes=nodes, page_info=PageInfo(has_next_page=page.cursor is not None, end_cursor=page.cursor)
        )
