"""Types for the comparison of a target with the ledger."""

import strawberry

from admin_api.graphql.context import Context
from admin_api.graphql.limits import Resource
from lobby.names import Target


@strawberry.type(description="A difference between a target and the ledger.")
class Difference:
    certid: strawberry.ID
    devicename: str | None
    code: str = strawberry.field(description="CERTIFICATE_MISSING, ORPHANED and so on; see docs/decisions/0012.")
    message: str
    repair: str | None = strawberry.field(description="retry or deactivate; null if the lobby cannot repair it.")
    repaired: bool = strawberry.field(description="Whether the repair was started.")


@strawberry.type(description="A page of differences between a target and the ledger.")
class Reconciliation:
    account: str
    region: str
    compared: int = strawberry.field(description="The number of devices that were looked up in the target.")
    differences: list[Difference]
    next: str | None = strawberry.field(description="The value of `after` for the next page; null on the last page.")


def reconciled(context: Context, target: Target, cursor: str | None, repair_as: str | None) -> Reconciliation:
    """Return a page of differences. They are repaired as the actor `repair_as`, or only reported if it is None. Raise
    `NotFound` UNKNOWN_TARGET, and what `Services.compare` raises."""
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
