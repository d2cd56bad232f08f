"""The votes of a lobby's Regions (`lobby.domain.regions.home`), in the table of targets of each Region.

The vote of a Region is read and written at that Region's own endpoint, so that only one replica decides. The replicated
copies in other Regions only show when replication last worked. A vote is written on condition that it is unchanged
since it was read. A Region that does not answer, or refuses the call, is `Unreachable`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, Protocol, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lobby.domain.regions.home import Answer, Unreachable, Vote
from lobby.ledger.connection import aws_session
from lobby.ledger.models import TargetRow
from lobby.names import Region

KIND: Final = "home"
_TABLE: Final = TargetRow.Meta.table_name
_CONFIG: Final = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


class Client(Protocol):
    """The calls of a DynamoDB client that this module uses."""

    def get_item(self, **arguments: Any) -> Any: ...

    def put_item(self, **arguments: Any) -> Any: ...


@cache
def client_of(region: Region) -> Client:
    """Return a client of DynamoDB in a Region of the lobby, with short timeouts."""
    created: Any = aws_session().create_client("dynamodb", region, config=_CONFIG)
    return cast("Client", created)


class Votes:
    """`clients` returns the client of a Region."""

    def __init__(self, clients: Callable[[Region], Client] = client_of) -> None:
        self._clients = clients

    def read(self, region: Region, at: Region | None = None) -> Answer:
        """Return the vote of a Region; with `at`, the copy of the vote in that Region."""
        try:
            found = self._clients(at or region).get_item(TableName=_TABLE, Key=_key(region), ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            return Unreachable(str(error)[:200])
        return _vote_of(found["Item"]) if found.get("Item") else None

    def read_all(self, regions: Sequence[Region]) -> dict[Region, Answer]:
        """Return the votes of all these Regions. They are read at the same time."""
        with ThreadPoolExecutor(max(1, len(regions))) as pool:
            return dict(zip(regions, pool.map(self.read, regions), strict=True))

    def write(self, region: Region, before: Vote | None, after: Vote) -> bool:
        """Write the vote of a Region, if it still is `before`. Return whether it was written."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(revision)"}
        if before is not None:
            condition = {
                "ConditionExpression": "revision = :read",
                "ExpressionAttributeValues": {":read": {"N": str(before.revision)}},
            }
        try:
            self._clients(region).put_item(TableName=_TABLE, Item=_key(region) | _item_of(after), **condition)
        except (BotoCoreError, ClientError):  # the vote may have been written; the next run reads it
            return False
        return True


def _key(region: Region) -> dict[str, Any]:
    return {"kind": {"S": KIND}, "target": {"S": region}}


def _item_of(vote: Vote) -> dict[str, Any]:
    item: dict[str, Any] = {"home": {"S": vote.home}}
    for name in ("epoch", "until", "since", "at", "revision"):
        item[name] = {"N": str(getattr(vote, name))}
    if vote.successor is not None:
        item["successor"] = {"S": vote.successor}
    if vote.without:
        item["without"] = {"SS": sorted(vote.without)}
    return item


def _vote_of(item: dict[str, Any]) -> Vote:
    numbers = {name: int(item[name]["N"]) for name in ("epoch", "until", "since", "at", "revision")}
    return Vote(
        home=Region(item["home"]["S"]),
        successor=Region(item["successor"]["S"]) if "successor" in item else None,
        without=frozenset(map(Region, item.get("without", {}).get("SS", ()))),
        **numbers,
    )
