"""The deployments that replace the ledger's indexes of an earlier version with the indexes of this version.

CloudFormation creates or deletes one index of a table in an update. New indexes are created first, because the new code
needs them. Then the indexes of the old code are deleted. An interrupted upgrade continues from the existing indexes.
"""

from collections.abc import Collection
from typing import Any

from infra.errors import InfraError
from infra.parts.earlier_indexes import RETIRED_NAMES
from infra.parts.tables import index_names
from lobby.ledger.models import LedgerRow

CONTEXT = "ledgerIndexes"


class UnknownIndex(InfraError):
    """The ledger has an index that is in neither this version nor the previous one: UNKNOWN_INDEX."""


def earlier_steps(session: Any, *, is_new: bool) -> list[dict[str, str]]:
    """Return the context of each deployment that must precede the last one. `is_new`: there is no stack yet, so the
    first deployment adopts a retained table with its indexes. Raise `UnknownIndex`."""
    dynamodb = session.client("dynamodb")
    try:
        table = dynamodb.describe_table(TableName=LedgerRow.Meta.table_name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return []
    deployed = {str(index["IndexName"]) for index in table.get("GlobalSecondaryIndexes", [])}
    sets = steps(deployed, index_names(LedgerRow), is_new=is_new)
    return [{CONTEXT: ",".join(sorted(each))} for each in sets[:-1]]


def steps(deployed: Collection[str], wanted: Collection[str], *, is_new: bool) -> list[set[str]]:
    """Return the sets of indexes to deploy, one after the other. The last one is `wanted`."""
    unknown = set(deployed) - set(wanted) - RETIRED_NAMES
    if unknown:
        raise UnknownIndex(
            "UNKNOWN_INDEX",
            f"got the index {', '.join(sorted(unknown))} of the ledger's table, want only indexes of this"
            " version or of 0.2.0: upgrade to 0.2.0 first, or delete the index if it is your own",
        )
    current = set(deployed)
    found = [set(current)] if is_new else []
    for name in sorted(set(wanted) - current):
        current.add(name)
        found.append(set(current))
    for name in sorted(current - set(wanted)):
        current.remove(name)
        found.append(set(current))
    return found or [set(wanted)]
