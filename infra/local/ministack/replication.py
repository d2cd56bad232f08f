"""Replicates global tables as AWS does: after a delay, the newest write of an item wins.

Differences from AWS (DynamoDB developer guide, "How DynamoDB global tables work"):
- `AWS::DynamoDB::GlobalTable` creates the replicas in other Regions. MiniStack ignores them in a stack, and supports
  them in UpdateTable.
- A write is replicated within about a second, item by item; the last of two writes to an item wins everywhere. While a
  Region cannot be reached, writes for it wait. MiniStack writes to all replicas at once.

The patch adds the replicas of a stack's table, and puts each write into a queue with the time at which it is due. Each
item has its own delay, so the items of a transaction arrive separately, but the writes of an item arrive in order. A
write that is older than the replica's item is dropped. Waiting writes are part of the saved state.

Unnecessary when: MiniStack creates the replicas of a stack's table, and can delay replication.
"""

import asyncio
import copy
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from infra.local.ministack.durability import ACCOUNT, LOAD, REGION, SCOPE, STATE, TABLES
from infra.local.ministack.patch_points import PatchPoint
from infra.local.region_faults import CurrentFaults

_DYNAMODB: Final = "ministack.services.dynamodb"
REPLICATE: Final = PatchPoint(_DYNAMODB, "_replicate_write", ("table", "event_name", "old_item", "new_item"))
GROUP: Final = PatchPoint(_DYNAMODB, "_replica_group", ("table",))
KEY_VALUE: Final = PatchPoint(_DYNAMODB, "_extract_key_val", ("attr",))
SET: Final = PatchPoint(_DYNAMODB, "_set_item")
REMOVE: Final = PatchPoint(_DYNAMODB, "_remove_item")
EMIT: Final = PatchPoint(
    _DYNAMODB, "_emit_stream_event", ("table_name", "event_name", "old_item", "new_item", "replicate")
)
HANDLERS: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
UPDATE: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_ddb_update_call", ("data",))
PATCH_POINTS: Final = (
    *(REPLICATE, GROUP, KEY_VALUE, SET, REMOVE, EMIT, HANDLERS, UPDATE),
    *(ACCOUNT, LOAD, REGION, SCOPE, STATE, TABLES),
)
TABLE: Final = "AWS::DynamoDB::GlobalTable"
_SAVED: Final = "local_replication"
_PAUSE: Final = 0.02
_NO_SORT: Final = "__no_sort__"
"""MiniStack's sort key of an item in a table without one."""
Place = tuple[str, str, str, str]
"""Region, table, partition key and sort key of an item. The account is the lobby's account."""


@dataclass(frozen=True)
class Write:
    """A write that waits for the replica in `region`. `item` is None for a deletion. Times are in seconds."""

    account: str
    source: str
    region: str
    table: str
    partition: str
    sort: str
    item: dict[str, Any] | None
    written: float
    due: float

    @property
    def place(self) -> Place:
        return self.region, self.table, self.partition, self.sort


class Replication:
    """The waiting writes, and when each item of a global table was last written. `clock` returns seconds since 1970."""

    def __init__(self, current: CurrentFaults, clock: Callable[[], float] = time.time) -> None:
        self._current, self._clock = current, clock
        self._waiting: list[Write] = []
        self._written: dict[Place, float] = {}
        self.changed: Callable[[], None] = lambda: None
        """Called when a replica was changed."""

    def apply(self) -> None:
        """Delay replication, save the waiting writes, and create the replicas of stacks."""
        REPLICATE.wrap(lambda _original: self.replicate)
        STATE.wrap(lambda original: lambda: original() | {_SAVED: self.saved()})
        LOAD.wrap(self._loading)
        handlers = HANDLERS.resolve()[TABLE]
        handlers["create"] = _replicated(handlers["create"], 1)
        handlers["update"] = _replicated(handlers["update"], 2)

    def replicate(self, table: dict[str, Any], _event: str, old: Any, new: Any) -> None:
        """Queue a write for the other replicas of its table."""
        here, now = REGION.resolve()(), self._clock()
        others = [region for region in GROUP.resolve()(table) if region != here]
        if not others:
            return
        item, name = new if new is not None else old, table["TableName"]
        partition, sort = _key_of(table, item)
        self._written[here, name, partition, sort] = now
        delay = self._current().replication_seconds * _share(f"{name}/{partition}/{sort}")
        for region in others:
            copied = copy.deepcopy(new)
            self._waiting.append(
                Write(ACCOUNT.resolve()(), here, region, name, partition, sort, copied, now, now + delay)
            )

    async def run(self) -> None:
        """Apply writes when they are due, until cancelled."""
        while True:
            await asyncio.sleep(_PAUSE)
            if self.step():
                self.changed()

    def step(self) -> bool:
        """Apply the writes that are due and can reach their replica. Return whether there was one."""
        faults, now = self._current(), self._clock()
        ready = [each for each in self._waiting if each.due <= now and not faults.separates(each.source, each.region)]
        if ready:
            taken = set(map(id, ready))
            self._waiting = [each for each in self._waiting if id(each) not in taken]
            for each in ready:
                self._deliver(each)
        return bool(ready)

    def _deliver(self, write: Write) -> None:
        if write.written < self._written.get(write.place, 0):
            return
        self._written[write.place] = write.written
        with SCOPE.resolve()(write.account, write.region):
            table = TABLES.resolve().get(write.table)
            if table is None:
                return
            before = table["items"].get(write.partition, {}).get(write.sort)
            if write.item is None:
                if before is None:
                    return
                REMOVE.resolve()(table, write.partition, write.sort)
                EMIT.resolve()(write.table, "REMOVE", before, None, replicate=False)
                return
            SET.resolve()(table, write.partition, write.sort, write.item)
            event = "INSERT" if before is None else "MODIFY"
            EMIT.resolve()(write.table, event, before, copy.deepcopy(write.item), replicate=False)

    def saved(self) -> dict[str, Any]:
        """Return the waiting writes as JSON, with the times of the items that they would replace."""
        known = [(*each.place, self._written[each.place]) for each in self._waiting if each.place in self._written]
        return {"waiting": [asdict(each) for each in self._waiting], "written": known}

    def _loading(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        def load(data: Any) -> None:
            original(data)
            saved = json.loads(json.dumps((data or {}).get(_SAVED) or {}))
            self._waiting = [Write(**each) for each in saved.get("waiting", ())]
            for region, table, partition, sort, written in saved.get("written", ()):
                self._written[region, table, partition, sort] = written

        return load


def _share(key: str) -> float:
    """Return the share of the delay for an item: 0.5 to 1.5, always the same."""
    return 0.5 + zlib.crc32(key.encode()) % 1000 / 1000


def _key_of(table: dict[str, Any], item: dict[str, Any]) -> tuple[str, str]:
    value = KEY_VALUE.resolve()
    return value(item.get(table["pk_name"])), value(item.get(table["sk_name"])) if table["sk_name"] else _NO_SORT


def _replicated(provision: Callable[..., Any], place: int) -> Callable[..., Any]:
    """Add the replicas that a stack's table names and does not have yet. `place` is the position of the properties."""

    def provisioning(*arguments: Any, **more: Any) -> Any:
        result = provision(*arguments, **more)
        name, properties = result[0], arguments[place]
        for region in _missing(name, properties):
            UPDATE.resolve()({"TableName": name, "ReplicaUpdates": [{"Create": {"RegionName": region}}]})
        return result

    return provisioning


def _missing(name: str, properties: dict[str, Any]) -> Iterator[str]:
    table = TABLES.resolve().get(name)
    if table is not None:
        present = {*GROUP.resolve()(table), REGION.resolve()()}
        yield from (each["Region"] for each in properties.get("Replicas", ()) if each["Region"] not in present)
