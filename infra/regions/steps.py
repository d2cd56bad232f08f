"""The steps between the stacks when a lobby with several Regions is deployed.

DynamoDB names the streams of a Region's replicas when it creates them, so the names are a setting of that Region's
stack. The lease renewal of the first Region makes it home, within a minute or when it is called. This module does not
import the CDK, which takes seconds. Rejects a Region that has no replica yet.
"""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.errors import InfraError
from lobby import strict_json
from lobby.deployment import NAMES
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Region, parse_region

HOME_LEASE: Final = NAMES.name("home-lease")
STREAMS: Final = "replicaStreams"
_ABSENT: Final = "ResourceNotFoundException"
_DONE: Final = frozenset({"begun", "extended", "door", "lost"})
"""The last two mean that another Region is home."""
_ALONE: Final = "alone"
"""Too few of the other Regions have answered."""
_ATTEMPTS: Final = 7
_PAUSE: Final = 5.0


class RegionNotReady(InfraError):
    """A Region is not ready for the next step: NO_REPLICA, NO_HOME."""


def streams_of(dynamodb: Any) -> dict[str, str]:
    """Return the setting for the stack in a Region. `dynamodb` is a client there. Raise `RegionNotReady` NO_REPLICA."""
    return {STREAMS: ",".join(_stream(dynamodb, str(model.Meta.table_name)) for model in (LedgerRow, HistoryRow))}


def _stream(dynamodb: Any, table: str) -> str:
    try:
        found = dynamodb.describe_table(TableName=table)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        found = {}
    if not found.get("LatestStreamArn"):
        region = dynamodb.meta.region_name
        raise RegionNotReady("NO_REPLICA", f"got no table {table} with a stream in {region}, want the replica first")
    return str(found["LatestStreamArn"])


def replicas_of(dynamodb: Any) -> set[Region] | None:
    """Return the Regions that the ledger lists as replicas: none in one Region. None: there is no ledger. `dynamodb` is
    a client in one of the Regions."""
    try:
        table = dynamodb.describe_table(TableName=LedgerRow.Meta.table_name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return None
    return {parse_region(each["RegionName"]) for each in table.get("Replicas", ())}


def begin_home(client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
    """Run the lease renewal now. `client` is a client of Lambda in the first Region. In a new lobby, no Region is home
    before the first renewal. If the other Regions do not answer, run it again for half a minute. Raise `RegionNotReady`
    NO_HOME."""
    outcome, result = None, None
    for number in range(_ATTEMPTS):
        if number:
            sleep(_PAUSE)
        response = client.invoke(FunctionName=HOME_LEASE, Payload=json.dumps({}))
        result = strict_json.loads(response["Payload"].read())
        outcome = result.get("outcome") if isinstance(result, dict) else None
        if outcome != _ALONE:
            break
    if outcome not in _DONE:
        raise RegionNotReady("NO_HOME", f"got {result} from {HOME_LEASE}, want one of: {', '.join(sorted(_DONE))}")
