"""What the emulator has acknowledged outlives it, however it ends.

MiniStack writes its state when it is stopped in order, and forgets what a DynamoDB stream has not delivered yet. Here
every write to a table is appended to a journal before it is answered, and replayed after a crash; a snapshot carries
the streams and the number of the journal that follows it. Everything else is saved shortly after it was touched, so
that a kill loses at most the last seconds of it.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from infra.local.ministack import state_files
from infra.local.ministack.journal import Journal
from infra.local.ministack.patch_points import Seam

_APP: Final = "ministack.app"
_DYNAMODB: Final = "ministack.services.dynamodb"
_TABLES: Final = "dynamodb"
_JOURNAL: Final = "local_journal"
_STREAMS: Final = "local_streams"
_TRIMMED: Final = "local_trimmed"
_FLUSH_SECONDS: Final = 1.0
_REST_PER_WORK: Final = 20
"""How many times as long as saving a service took, it is left alone before the next: what is large, such as the
logs, does not keep the rest waiting."""
_JOURNAL_BYTES: Final = 32 * 1024 * 1024
_ITEM_WRITES: Final = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
    | {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
)
log = logging.getLogger("local.durability")

HANDLE: Final = Seam(_DYNAMODB, "handle_request", ("method", "path", "headers", "body", "query_params"))
STATE: Final = Seam(_DYNAMODB, "get_state", ())
LOAD: Final = Seam(_DYNAMODB, "load_persisted_state", ("data",))
TABLES: Final = Seam(_DYNAMODB, "_tables")
RECORDS: Final = Seam(_DYNAMODB, "_stream_records")
TRIMMED: Final = Seam(_DYNAMODB, "_stream_trimmed")
LOAD_ALL: Final = Seam(_APP, "_load_persisted_state", ())
COLLECT: Final = Seam(_APP, "_build_persistence_save_dict", ())
SCOPE: Final = Seam("ministack.core.responses", "request_scope", ("account_id", "region"))
ACCOUNT: Final = Seam("ministack.core.responses", "get_account_id", ())
REGION: Final = Seam("ministack.core.responses", "get_region", ())
SEAMS: Final = (
    *(HANDLE, STATE, LOAD, TABLES, RECORDS, TRIMMED, LOAD_ALL, COLLECT, SCOPE, ACCOUNT, REGION),
    *state_files.SEAMS,
)


class Keeper:
    """Keeps the state on disk up with the state in memory."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._saver = state_files.Saver()
        self._saved_journal = 1
        self._changes = 0
        self._saved: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}
        self._tables_changed = False
        self._saved_shape: object = None

    def apply(self) -> None:
        HANDLE.wrap(self._journalled)
        STATE.wrap(self._with_streams)
        LOAD.wrap(self._loaded)
        LOAD_ALL.wrap(self._replayed)

    def touch(self, *, tables: bool = False) -> None:
        """Something may have changed; `tables`: what a journal cannot tell, such as a table created by a stack."""
        self._changes += 1
        self._tables_changed = self._tables_changed or tables

    async def run(self) -> None:
        """Save what was touched, for ever, without taking more than a small share of the time."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Save what was touched and has rested."""
        for name, state in COLLECT.found()().items():
            began, changes = time.monotonic(), self._changes
            if self._saved.get(name, 0) < changes and began >= self._rests_until.get(name, 0):
                if await (self._tables(state) if name == _TABLES else self._save(name, state)):
                    self._saved[name] = changes
                self._rests_until[name] = time.monotonic() + _REST_PER_WORK * (time.monotonic() - began)

    async def _save(self, name: str, state: Callable[[], Any]) -> bool:
        try:
            taken = state()
        except RuntimeError as error:  # a thread of the emulator changed it meanwhile
            log.info("%s is being changed (%s): saved next time", name, error)
            return False
        return taken is None or await asyncio.to_thread(self._saver.save, name, taken)

    async def _tables(self, state: Callable[[], Any]) -> bool:
        """Only where their journal does not hold what changed, or has grown large."""
        shape = _shape(TABLES.found())
        if not (self._tables_changed or shape != self._saved_shape or self.journal.size > _JOURNAL_BYTES):
            return True
        self._tables_changed = False
        if not await self._save(_TABLES, state):
            self._tables_changed = True
            return False
        self._saved_shape = shape
        self.journal.forget_before(self._on_disk())
        return True

    def _on_disk(self) -> int:
        """The number of the journal that follows the snapshot on disk."""
        path = state_files.file_of(_TABLES)
        return int(json.loads(path.read_text())["payload"].get(_JOURNAL, 1)) if path.exists() else 1

    def _journalled(self, original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
            answer = await original(method, path, headers, body, query_params)
            target = str(headers.get("x-amz-target", ""))
            action = target.rpartition(".")[2]
            if answer[0] < 300 and action in _ITEM_WRITES:
                self.journal.append(
                    {
                        "account": ACCOUNT.found()(),
                        "region": REGION.found()(),
                        "target": target,
                        "body": base64.b64encode(body).decode(),
                    }
                )
            elif not action.startswith(("Get", "BatchGet", "Query", "Scan", "Describe", "List", "TransactGet")):
                self.touch(tables=True)
            return answer

        self._apply_write = original
        return handle

    def _with_streams(self, original: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        def state() -> dict[str, Any]:
            taken = original()
            # Between these two no write can happen: handlers run on this thread and do not wait.
            return taken | {
                _JOURNAL: self.journal.rotate(),
                _STREAMS: _copied(RECORDS.found()),
                _TRIMMED: _copied(TRIMMED.found()),
            }

        return state

    def _loaded(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        def load(data: Any) -> None:
            original(data)
            self._saved_journal = int(data.get(_JOURNAL, 1))
            self.journal.number = max(self.journal.number, self._saved_journal)
            RECORDS.found().update(data.get(_STREAMS) or {})
            TRIMMED.found().update(data.get(_TRIMMED) or {})

        return load

    def _replayed(self, original: Callable[[], None]) -> Callable[[], None]:
        def load_all() -> None:
            original()
            count = 0
            for entry in self.journal.since(self._saved_journal):
                with SCOPE.found()(entry["account"], entry["region"]):
                    headers = {"x-amz-target": entry["target"]}
                    status = _run(self._apply_write("POST", "/", headers, base64.b64decode(entry["body"]), {}))[0]
                if status >= 300:
                    log.error("could not repeat a write to the tables: %s (HTTP %d)", entry["target"], status)
                count += 1
            self.journal.forget_before(self._saved_journal)
            if count:
                log.info("repeated %d writes to the tables", count)
            self.touch(tables=bool(count))

        return load_all


def _shape(tables: Any) -> object:
    """What of the tables a stack changes and no journal tells."""
    return {
        key: (table.get("LatestStreamArn"), len(table.get("GlobalSecondaryIndexes") or ()))
        for key, table in list(tables._data.items())
    }


def _run(handling: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        handling.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("a DynamoDB request of the emulator waits, which it did not")


def _copied(store: Any) -> Any:
    """A scoped store of lists or numbers, so that what is saved is not what is being changed."""
    copied = type(store)()
    for key, value in store._data.items():
        copied._data[key] = list(value) if isinstance(value, list) else value
    return copied
