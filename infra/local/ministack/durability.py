"""Keeps acknowledged writes when the emulator is killed.

Difference from AWS: an acknowledged write is durable, and a DynamoDB stream keeps its records for 24 hours (DynamoDB
developer guide, "Change data capture for DynamoDB Streams"). MiniStack saves its state only when it is stopped, and
does not save the records of streams.

The patch appends every write to a table to a journal before the response is sent, and replays the journal after a
crash. A snapshot contains the stream records and the number of the journal file that follows it. All other state is
saved within seconds of a change, so a kill loses at most the last seconds. While a stack is created or changed, nothing
is saved; afterwards all services are saved together. So the disk never contains a stack without its resources, or the
reverse, and a killed deployment starts from the state before it.

Unnecessary when: MiniStack has a write-ahead log, or saves all state including stream records after each change.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from infra.local.ministack import stack_changes, state_files
from infra.local.ministack.journal import Journal
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.stack_changes import StackChanges

_APP: Final = "ministack.app"
_DYNAMODB: Final = "ministack.services.dynamodb"
_TABLES: Final = "dynamodb"
_JOURNAL: Final = "local_journal"
_STREAMS: Final = "local_streams"
_TRIMMED: Final = "local_trimmed"
_FLUSH_SECONDS: Final = 1.0
_PAUSE_FACTOR: Final = 20
"""A service whose save took t seconds is saved again after at least 20 t, so that a service with much state, such as
CloudWatch Logs, does not delay the others."""
_JOURNAL_BYTES: Final = 32 * 1024 * 1024
_ITEM_WRITES: Final = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
    | {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
)
log = logging.getLogger("local.durability")

HANDLE: Final = PatchPoint(_DYNAMODB, "handle_request", ("method", "path", "headers", "body", "query_params"))
STATE: Final = PatchPoint(_DYNAMODB, "get_state", ())
LOAD: Final = PatchPoint(_DYNAMODB, "load_persisted_state", ("data",))
TABLES: Final = PatchPoint(_DYNAMODB, "_tables")
RECORDS: Final = PatchPoint(_DYNAMODB, "_stream_records")
TRIMMED: Final = PatchPoint(_DYNAMODB, "_stream_trimmed")
LOAD_ALL: Final = PatchPoint(_APP, "_load_persisted_state", ())
COLLECT: Final = PatchPoint(_APP, "_build_persistence_save_dict", ())
SCOPE: Final = PatchPoint("ministack.core.responses", "request_scope", ("account_id", "region"))
ACCOUNT: Final = PatchPoint("ministack.core.responses", "get_account_id", ())
REGION: Final = PatchPoint("ministack.core.responses", "get_region", ())
QUEUES: Final = PatchPoint("ministack.services.sqs", "_queues")
PERSISTS: Final = PatchPoint("ministack.core.persistence", "PERSIST_STATE")
"""Whether MiniStack saves its state: the variable PERSIST_STATE of its environment."""
PATCH_POINTS: Final = (
    *(HANDLE, STATE, LOAD, TABLES, RECORDS, TRIMMED, LOAD_ALL, COLLECT, SCOPE, ACCOUNT, REGION),
    *(QUEUES, PERSISTS, *stack_changes.PATCH_POINTS),
    *state_files.PATCH_POINTS,
)


class StatePersister:
    """Writes the state in memory to the disk."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._writer = state_files.StateWriter()
        self._snapshot_journal = 1
        """The number of the journal file that follows the loaded snapshot."""
        self._changes = 0
        self._saved_changes: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._tables_changed = False
        self._saved_schema: object = None
        self._saved_stacks: object = None
        """None until the state is loaded, because nothing may be saved earlier."""
        self._stacks = StackChanges()

    def apply(self) -> None:
        state_files.finish_saving()
        COLLECT.wrap(self._collecting)
        HANDLE.wrap(self._journalling)
        STATE.wrap(self._adding_streams)
        LOAD.wrap(self._loading_streams)
        LOAD_ALL.wrap(self._replaying)

    def mark_changed(self, *, tables: bool = False) -> None:
        """Record that state may have changed. `tables`: tables have changed in a way that the journal does not contain,
        for example because a stack has created one."""
        self._changes += 1
        self._tables_changed = self._tables_changed or tables

    async def run(self) -> None:
        """Save changed state until cancelled. Saving takes only a small share of the time."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Save the changed services whose pause is over. If a stack has changed, save all services."""
        collected = COLLECT.resolve()() if self._saved_stacks is not None else {}
        if collected and self._stacks.current() != self._saved_stacks:
            await self._save_together(collected)
            return
        for name, state in collected.items():
            began, changes = time.monotonic(), self._changes
            if self._saved_changes.get(name, 0) < changes and began >= self._not_before.get(name, 0):
                if await (self._save_tables(state) if name == _TABLES else self._save(name, state)):
                    self._saved_changes[name] = changes
                self._not_before[name] = time.monotonic() + _PAUSE_FACTOR * (time.monotonic() - began)

    async def _save_together(self, collected: dict[str, Callable[[], Any]]) -> None:
        """Save all states together. They are consistent, because none of these calls awaits, so nothing changes between
        them."""
        began, changes, stacks, schema = (
            time.monotonic(),
            self._changes,
            self._stacks.current(),
            _schema(TABLES.resolve()),
        )
        self._tables_changed = False
        try:
            snapshots = {name: state() for name, state in collected.items()}
        except RuntimeError as error:  # as in `_save`
            log.info("the state is being changed (%s), will be saved next time", error)
            self._tables_changed = True
            return
        existing = {name: snapshot for name, snapshot in snapshots.items() if snapshot is not None}
        if not await asyncio.to_thread(self._writer.save_together, existing):
            self._tables_changed = True
            return
        self._saved_stacks, self._saved_schema = stacks, schema
        self.journal.delete_before(self._journal_on_disk())
        pause_over = time.monotonic() + _PAUSE_FACTOR * (time.monotonic() - began)
        self._saved_changes |= dict.fromkeys(collected, changes)
        self._not_before |= dict.fromkeys(collected, pause_over)

    def _collecting(self, original: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        """Return no state to save while a stack is created or changed, even when the emulator is stopped."""
        return lambda: {} if self._stacks.in_progress() else original()

    async def _save(self, name: str, state: Callable[[], Any]) -> bool:
        try:
            snapshot = state()
        except RuntimeError as error:  # another thread of the emulator changed the state during the save
            log.info("%s is being changed (%s), will be saved next time", name, error)
            return False
        return snapshot is None or await asyncio.to_thread(self._writer.save, name, snapshot)

    async def _save_tables(self, state: Callable[[], Any]) -> bool:
        """Save the tables only if the journal does not contain the change, or has become large."""
        schema = _schema(TABLES.resolve())
        if not (self._tables_changed or schema != self._saved_schema or self.journal.size > _JOURNAL_BYTES):
            return True
        self._tables_changed = False
        if not await self._save(_TABLES, state):
            self._tables_changed = True
            return False
        self._saved_schema = schema
        self.journal.delete_before(self._journal_on_disk())
        return True

    def _journal_on_disk(self) -> int:
        """Return the number of the journal file that follows the snapshot on disk."""
        path = state_files.file_of(_TABLES)
        return int(json.loads(path.read_text())["payload"].get(_JOURNAL, 1)) if path.exists() else 1

    def _journalling(self, original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
            response = await original(method, path, headers, body, query_params)
            target = str(headers.get("x-amz-target", ""))
            action = target.rpartition(".")[2]
            if response[0] < 300 and action in _ITEM_WRITES:
                self.journal.append(
                    {
                        "account": ACCOUNT.resolve()(),
                        "region": REGION.resolve()(),
                        "target": target,
                        "body": base64.b64encode(body).decode(),
                    }
                )
            elif not action.startswith(("Get", "BatchGet", "Query", "Scan", "Describe", "List", "TransactGet")):
                self.mark_changed(tables=True)
            return response

        self._apply_write = original
        return handle

    def _adding_streams(self, original: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        def state() -> dict[str, Any]:
            snapshot = original()
            # No write can happen between these two steps, because handlers run on this thread and do not await.
            return snapshot | {
                _JOURNAL: self.journal.rotate(),
                _STREAMS: _copy(RECORDS.resolve()),
                _TRIMMED: _copy(TRIMMED.resolve()),
            }

        return state

    def _loading_streams(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        def load(data: Any) -> None:
            original(data)
            self._snapshot_journal = int(data.get(_JOURNAL, 1))
            self.journal.number = max(self.journal.number, self._snapshot_journal)
            RECORDS.resolve().update(data.get(_STREAMS) or {})
            TRIMMED.resolve().update(data.get(_TRIMMED) or {})

        return load

    def _replaying(self, original: Callable[[], None]) -> Callable[[], None]:
        def load_all() -> None:
            original()
            self._saved_stacks = self._stacks.current()
            release_messages(QUEUES.resolve()._data.values(), time.time())
            count = 0
            for entry in self.journal.since(self._snapshot_journal):
                with SCOPE.resolve()(entry["account"], entry["region"]):
                    headers = {"x-amz-target": entry["target"]}
                    status = _run(self._apply_write("POST", "/", headers, base64.b64decode(entry["body"]), {}))[0]
                if status >= 300:
                    log.error("could not replay a write to a table: %s (HTTP %d)", entry["target"], status)
                count += 1
            self.journal.delete_before(self._snapshot_journal)
            if count:
                log.info("replayed %d writes to the tables", count)
            self.mark_changed(tables=bool(count))

        return load_all


def release_messages(queues: Iterable[Mapping[str, Any]], now: float) -> None:
    """Make the messages visible that were in flight when the emulator ended, because their consumers ended too. On AWS
    they become visible after the queue's timeout, which is minutes for arrivals."""
    for queue in queues:
        for message in queue["messages"]:
            if message.get("receive_count") and message["visible_at"] > now:
                message["visible_at"] = now


def _schema(tables: Any) -> object:
    """Return the properties of the tables that a stack can change. Such changes are not in the journal."""
    return {
        key: (table.get("LatestStreamArn"), len(table.get("GlobalSecondaryIndexes") or ()))
        for key, table in list(tables._data.items())
    }


def _run(handling: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that does not suspend."""
    try:
        handling.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("got a DynamoDB handler of the emulator that suspends, want one that does not")


def _copy(store: Any) -> Any:
    """Return a copy of a scoped store of lists or numbers, which later writes do not change."""
    copy = type(store)()
    for key, value in store._data.items():
        copy._data[key] = list(value) if isinstance(value, list) else value
    return copy
