"""The streams of a Region's replicas, which DynamoDB names when it creates them: a setting of the stack there.

Without the CDK, whose import takes seconds. Rejects a Region that has no replica yet.
"""

from typing import Any

from botocore.exceptions import ClientError

from infra.errors import InfraError
from lobby.ledger.models import HistoryRow, LedgerRow

CONTEXT = "replicaStreams"


class NoReplica(InfraError):
    """A Region has no replica of a table that the stack there needs: NO_REPLICA."""


def streams_of(dynamodb: Any) -> str:
    """Return the value of the setting. `dynamodb` is a client of the Region. Raise `NoReplica`."""
    return ",".join(_stream(dynamodb, str(model.Meta.table_name)) for model in (LedgerRow, HistoryRow))


def _stream(dynamodb: Any, table: str) -> str:
    try:
        found = dynamodb.describe_table(TableName=table)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        found = {}
    if not found.get("LatestStreamArn"):
        region = dynamodb.meta.region_name
        raise NoReplica("NO_REPLICA", f"got no table {table} with a stream in {region}, want the replica first")
    return str(found["LatestStreamArn"])
