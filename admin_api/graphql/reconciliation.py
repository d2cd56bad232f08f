"""Types for the comparison of a target with the ledger."""

import strawberry

from admin_api.graphql.context import Context
from admin_api.graphql.limits import Resource
from admin_api.graphql.value_lists import DIFFERENCES, REPAIRS, one_of
from lobby.names import Target


@strawberry.type(description="A difference between a target and the ledger.")
class Difference:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device.")
    devicename: str | None = strawberry.field(description="The thing name; null if it is unknown.")
    code: str = strawberry.field(description=f"How the target differs. {one_of(DIFFERENCES)}")
    message: str = strawberry.field(description="The value in the target, and the expected one.")
    repair: str | None = strawberry.field(
        description=f"How the lobby can repair it; null if it cannot. {one_of(REPAIRS)}"
    )
    repaired: bool = strawberry.field(description="Whether the repair was started.")


@strawberry.type(description="A page of differences between a target and the ledger.")
class Reconciliation:
    account: str = strawberry.field(description="The AWS account of the target.")
    region: str = strawberry.field(description="The AWS Region of the target.")
    compared: int = strawberry.field(description="The number of devices that were looked up in the target.")
    differences: list[Difference] = strawberry.field(description="The differences of this page.")
    next: str | None = strawberry.field(description="The value of `after` for the next page; null on the last page.")


def reconciled(context: Context, target: Target, cursor: str | None, repair_as: str | None) -> Reconciliation:
    """Return a page of differences. Repair them as the actor `repair_as`, or only report them if it is None. Raise
    `NotFound` UNKNOWN_TARGET, or as `Services.compare`."""
    context.quota.consume(Resource.COMPARISONS, 1)
    registered = context.services.targets.get(target).target
    page = context.services.compare(registered, cursor, repair_as)
    differences = [
        Difference(
            certid=strawberry.ID(each.certid),
            devicename=each.name,
            code=each.code,
            message=each.message,
            repair=each.repair,
            repaired=each.repaired,
        )
        for each in page.differences
    ]
    return Reconciliation(
        account=registered.account,
        region=registered.region,
        compared=page.compared,
        differences=differences,
        next=page.cursor,
    )
