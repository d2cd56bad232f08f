"""Transitions, written: each with its row, its history entry and, at the door, the reservation of its name; and
what they change in the counts.

All or nothing in one DynamoDB transaction, on condition that each row is still the one that was decided upon.
Raises `Lost` when one is not. What DynamoDB had no capacity for is sent again as the very same transaction, which it
carries out once; everything else that it says goes through to whoever can retry it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from uuid import uuid4

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from lobby.domain.device import GENESIS, Device, Entry
from lobby.domain.states import Event
from lobby.ledger.counts import bucket_of, part_of, shift
from lobby.ledger.dynamodb_errors import LOST, is_too_many, reasons_of
from lobby.ledger.models import CountRow, HistoryRow, LedgerRow, NameRow, attributes_of, row_of
from lobby.names import Fingerprint, Target, ThingName

_TRIES: Final = 4
_AS_AFTER: Final = 3
"""A transaction there was no capacity for is waited for as one that was busy this often."""


class TransactionConflict(Exception):
    """Somebody else wrote first. `busy`: is still writing, so a moment's wait helps. `whose` are the devices that
    it befell; none where only the counts were busy."""

    def __init__(self, *, busy: bool, whose: frozenset[Fingerprint] = frozenset()) -> None:
        super().__init__("the row changed meanwhile")
        self.busy = busy
        self.whose = whose


@dataclass(frozen=True)
class Change:
    """A transition as it was decided: the row that was seen, the row that shall be, and the entry that tells it.
    `name` is reserved for the certificate if it is free, or held by `holder`."""

    before: Device | None
    after: Device | None
    entry: Entry
    name: ThingName | None = None
    holder: Fingerprint | None = None


def change_of(
    certid: Fingerprint,
    event: Event,
    before: Device | None,
    after: Device | None,
    *,
    actor: str,
    at: str,
    why: str | None = None,
    about: Target | None = None,
    last: Entry | None = None,
) -> Change:
    """The change that a decision asks for. `last` continues a history whose row was removed."""
    seq, prior = (before.version, before.head) if before else (last.seq, last.hash) if last else (0, GENESIS)
    target = about or (after.target if after else None)
    entry = Entry(
        certid=certid,
        seq=seq + 1,
        at=at,
        actor=actor,
        event=event,
        before=before.devstate if before else None,
        after=after.devstate if after else None,
        generation=after.generation if after else before.generation if before else 0,
        reason=why,
        target=str(target) if target else None,
        prior=prior,
    ).sealed()
    sealed = replace(after, version=entry.seq, head=entry.hash, counted=bucket_of(after).key) if after else None
    return Change(before, sealed, entry)


class Writer:
    """Writes changes. `shard` says, anew at each try, which part of the buckets to count in; `pause` waits, the longer
    the higher its number; `new_token` gives what DynamoDB knows a transaction by that it has carried out already."""

    def __init__(
        self,
        connection: Connection,
        shard: Callable[[], int],
        pause: Callable[[int], None] = lambda _attempt: None,
        new_token: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._connection, self._shard = connection, shard
        self._pause, self._new_token = pause, new_token

    def write(self, changes: Sequence[Change]) -> None:
        """Writes them all, or raises `Lost`. At most 100 items together: two for each change, one for its name, and
        one for each bucket whose count changes."""
        together = _Together(self._connection, self._new_token())
        for change in changes:
            together.add(change)
        together.count(shift((change.before, change.after) for change in changes), self._shard())
        together.commit(self._pause)

    def count_anew(self, devices: Sequence[Device]) -> None:
        """Has these rows, each as it was read, counted where they are; no transition, so their history stays. Raises
        `Lost`. At most 100 items, likewise: one for each device, and one for each bucket whose count changes."""
        together = _Together(self._connection, self._new_token())
        settled = [(device, replace(device, counted=bucket_of(device).key)) for device in devices]
        for before, after in settled:
            together.update(before, after)
        together.count(shift(settled), self._shard())
        together.commit(self._pause)


class _Together:
    """One transaction in the making. DynamoDB says item by item why it cancelled, so whose item each is, is kept in
    the order in which PynamoDB sends them: deletes, puts, updates."""

    def __init__(self, connection: Connection, token: str) -> None:
        self._transaction = TransactWrite(connection=connection, client_request_token=token)
        self._deletes: list[Fingerprint | None] = []
        self._puts: list[Fingerprint | None] = []
        self._updates: list[Fingerprint | None] = []

    def add(self, change: Change) -> None:
        certid, before, after = change.entry.certid, change.before, change.after
        self._put(row_of(change.entry), HistoryRow.certid.does_not_exist(), certid)
        if change.name is not None:
            self._put(NameRow(change.name, certid=certid), _free(certid, change.holder), certid)
        if before is None and after is not None:
            self._put(LedgerRow(**attributes_of(after)), LedgerRow.certid.does_not_exist(), certid)
        elif before is not None and after is not None:
            self.update(before, after)
        elif before is not None:
            self._transaction.delete(LedgerRow(certid), condition=_still(before))
            self._deletes.append(certid)

    def update(self, before: Device, after: Device) -> None:
        self._update(LedgerRow(before.certid), changes(before, after), _still(before), before.certid)

    def count(self, moved: dict[str, int], shard: int) -> None:
        for key, change in moved.items():
            self._update(part_of(key, shard), [CountRow.number.add(change)], None, None)

    def commit(self, pause: Callable[[int], None]) -> None:
        for attempt in range(_TRIES):
            try:
                with self._transaction:
                    return
            except TransactWriteError as error:
                codes = reasons_of(error)
                if LOST & set(codes):
                    raise TransactionConflict(busy="TransactionConflict" in codes, whose=self._whose(codes)) from error
                if attempt + 1 == _TRIES or not is_too_many(error):
                    raise
                pause(attempt + _AS_AFTER)

    def _whose(self, codes: list[str]) -> frozenset[Fingerprint]:
        owners = [*self._deletes, *self._puts, *self._updates]
        return frozenset(whose for whose, code in zip(owners, codes, strict=False) if whose and code in LOST)

    def _put(self, row: Any, condition: Condition, whose: Fingerprint) -> None:
        self._transaction.save(row, condition=condition)
        self._puts.append(whose)

    def _update(self, row: Any, actions: list[Any], condition: Condition | None, whose: Fingerprint | None) -> None:
        self._transaction.update(row, actions=actions, condition=condition)
        self._updates.append(whose)


def _free(certid: Fingerprint, holder: Fingerprint | None) -> Condition:
    free: Condition = NameRow.devicename.does_not_exist() | (NameRow.certid == certid)
    return free | (NameRow.certid == holder) if holder else free


def _still(device: Device) -> Condition:
    """That the row is the one that was seen, and counted where it was."""
    same_claim: Condition = (LedgerRow.devstate == device.devstate.value) & (LedgerRow.generation == device.generation)
    counted = LedgerRow.counted == device.counted if device.counted else LedgerRow.counted.does_not_exist()
    same: Condition = (LedgerRow.version == device.version) & same_claim & counted
    return same


def changes(before: Device, after: Device) -> list[Any]:
    """What makes the row of the one that of the other."""
    old, new = attributes_of(before), attributes_of(after)
    if before.counted is None:
        del old["printhead"], old["kind"]  # a row of then has none
    changed = [getattr(LedgerRow, key).set(value) for key, value in new.items() if old.get(key) != value]
    return changed + [getattr(LedgerRow, key).remove() for key in old if key not in new]


assert {field.name for field in fields(Device)} <= set(LedgerRow.get_attributes()), "a field without an attribute"  # noqa: S101
