"""A comparison of a target with the ledger, as the API shows it."""

import strawberry

from admin_api.graphql.context import Context
from admin_api.graphql.limits import Share
from lobby.names import Target


@strawberry.type(description="Something in a target that is not as the ledger says.")
class Difference:
    certid: strawberry.ID
    devicename: str | None
    code: str = strawberry.field(description="CERTIFICATE_MISSING, ORPHANED and so on; see docs/decisions/0012.")
    message: str
    repair: str | None = strawberry.field(description="retry or deactivate; null where the lobby may do nothing.")
    repaired: bool = strawberry.field(description="Whether that was begun.")


@strawberry.type(description="A page of what differs. Pages follow each other until next is null.")
class Reconciliation:
    account: str
    region: str
    compared: int = strawberry.field(description="How many devices were looked up in the target for this page.")
    differences: list[Difference]
    next: str | None


def reconciled(context: Context, target: Target, cursor: str | None, mender: str | None) -> Reconciliation:
    """A page, told or mended in somebody's name. Raises `NotFound` UNKNOWN_TARGET, and what asking for it raises."""
    context.allowance.take(Share.COMPARISONS, 1)
    known = context.services.targets.get(target).target
    found = context.services.compare(known, cursor, mender)
    differences = [
        Difference(
            certid=strawberry.ID(each.certid),
            devicename=each.name,
            code=each.code,
            message=each.message,
            repair=each.repair,
            repaired=each.repaired,
        )
        for each in found.differences
    ]
    return Reconciliation(
        account=known.account, region=known.region, compared=found.compared, differences=differences, next=found.cursor
    )
