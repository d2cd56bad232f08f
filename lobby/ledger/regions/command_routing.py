"""Routes the calls of a command that an administrator runs, as the Lambdas' calls are routed.

The Lambdas' settings name the lobby's Regions; a command finds them in the replicas of the ledger's table. So a write
by a command is also checked against the lease: it never reaches the replica of a Region that is not home.
"""

import os
from typing import Any, Final, Protocol

from lobby.ledger.models import LedgerRow
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.routing import Access, route
from lobby.names import Region
from lobby.settings import REGIONS

_REGION: Final = "AWS_REGION"


class Client(Protocol):
    """The call of a DynamoDB client that this module uses."""

    def describe_table(self, *, TableName: str) -> Any: ...  # noqa: N803  # DynamoDB's name


def route_command(dynamodb: Client, own: Region, access: Access) -> Fence | None:
    """Prepare this process for the lobby's Regions. `own` is the Region that the user has chosen, and `dynamodb` a
    client there. Return None for a lobby with one Region."""
    table = dynamodb.describe_table(TableName=LedgerRow.Meta.table_name)["Table"]
    replicas = {str(each["RegionName"]) for each in table.get("Replicas", ())} - {own}
    if replicas:
        os.environ |= {_REGION: own, REGIONS: ",".join([own, *sorted(replicas)])}
    return route(access)
