"""Writes changes of devices: the row, its history entry and the counts; on admission also name and certificate.

All changes are one DynamoDB transaction, on condition that each row is unchanged since it was read. If one has changed,
`TransactionConflict` is raised. If DynamoDB has no capacity, the same transaction is sent again with the same token, so
that it is executed once. Other errors are raised.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from uuid import uuid4

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from lobby.domain.claims.serial_claim import SerialClaim
from lobby.domain.device import GENESIS, Device, Entry
from lobby.domain.lanes.lane import turn_of
from lobby.domain.states import Event
from lobby.ledger.certificates import certificate_row
from lobby.ledger.dynamodb_errors import CONFLICTS, is_throttled, reasons_of
from lobby.ledger.enrolments.serial_claim_rows import KIND as CLAIM_KIND
from lobby.ledger.enrolments.serial_claim_rows import SerialClaimRow
from lobby.ledger.items import attributes_of, row_of
from lobby.ledger.lists.counts import BucketChange, bucket_of, shard_of, shift
from lobby.ledger.models import CountRow, HistoryRow, LedgerRow, NameRow
from lobby.ledger.regions.epochs import by_no_newer_home, written_by_home
from lobby.ledger.regions.routing import epoch
from lobby.names import Fingerprint, Target, ThingName

_ATTEMPTS: Final = 4
_THROTTLED_PAUSE: Final = 3
"""A throttled transaction pauses as long as a transaction after this many conflicts."""


class TransactionConflict(Exception):
    """Another writer was first. `busy`: the other transaction is still running, so a short wait helps. `certids` are
    the devices with a conflict; empty if only the counts were busy."""

    def __init__(self, *, busy: bool, certids: frozenset[Fingerprint] = frozenset()) -> None:
        super().__init__("the row has changed")
        self.busy = busy
        self.certids = certids


@dataclass(frozen=True)
class Update:
    """A further item that the same transaction updates, on a condition."""

    row: Model
    actions: Sequence[Action]
    condition: Condition | None = None


@dataclass(frozen=True)
class Change:
    """A decided change: the row as it was read, the new row, and the history entry. `name` is reserved for the
    certificate if it is free or held by `holder`. `further` is a second entry, for two events in one transaction;
    `fulfils` is the claim by serial number to delete; `also` has further items to update."""

    before: Device | None
    after: Device | None
    entry: Entry
    name: ThingName | None = None
    holder: Fingerprint | None = None
    further: Entry | None = None
    fulfils: SerialClaim | None = None
    also: tuple[Update, ...] = ()


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
    """Return the change for a decision. `last` is the last entry of the history, if the row was removed or does not
    reflect this entry (`unreplicated`)."""
    seq, prior = (last.seq, last.hash) if last else (before.version, before.head) if before else (0, GENESIS)
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
    ).with_hash()
    if after is None:
        return Change(before, None, entry)
    bucket, turn = bucket_of(after).key, turn_of(after)
    return Change(before, replace(after, version=entry.seq, head=entry.hash, counted=bucket, turn=turn), entry)


class Writer:
    """Writes changes. `shard` selects the shard of the counts, for each write; `pause` waits, longer with each attempt;
    `new_token` returns the client request token by which DynamoDB recognises a repeated transaction."""

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
        """Write all changes, or raise `TransactionConflict`. A transaction has at most 100 items: two for each change,
        one each for its name, certificate, further entry and further items, and one for each pair of buckets between
        which devices move."""
        transaction = _Transaction(self._connection, self._new_token())
        for change in changes:
            transaction.add(change)
        transaction.count(shift((change.before, change.after) for change in changes), self._shard())
        transaction.commit(self._pause)

    def update_counts(self, devices: Sequence[Device]) -> None:
        """Count these rows in the right buckets, without a history entry, or raise `TransactionConflict`. A transaction
        has at most 100 items: one for each device, and one for each pair of buckets between which devices move."""
        transaction = _Transaction(self._connection, self._new_token())
        counted = [(device, replace(device, counted=bucket_of(device).key)) for device in devices]
        for before, after in counted:
            transaction.update(before, after)
        transaction.count(shift(counted), self._shard())
        transaction.commit(self._pause)


class _Transaction:
    """Collects one transaction. DynamoDB returns a cancellation reason for each item, so the device of each item is
    recorded in the order in which PynamoDB sends them: deletes, puts, updates."""

    def __init__(self, connection: Connection, token: str) -> None:
        self._transaction = TransactWrite(connection=connection, client_request_token=token)
        self._deletes: list[Fingerprint | None] = []
        self._puts: list[Fingerprint | None] = []
        self._updates: list[Fingerprint | None] = []

    def add(self, change: Change) -> None:
        certid, before, after = change.entry.certid, change.before, change.after
        self._add_entries_and_items(change)
        if change.name is not None:
            self._put(NameRow(change.name, certid=certid), _free(certid, change.holder), certid)
        if after is not None and after.certified and not (before and before.certified):
            self._put(certificate_row(after), None, certid)
        if before is None and after is not None:
            row = LedgerRow(**attributes_of(after), epoch=epoch())
            self._put(row, LedgerRow.certid.does_not_exist(), certid)
        elif before is not None and after is not None:
            self.update(before, after)
        elif before is not None:
            self._transaction.delete(LedgerRow(certid), condition=_unchanged(before))
            self._deletes.append(certid)

    def _add_entries_and_items(self, change: Change) -> None:
        for entry in filter(None, (change.entry, change.further)):
            self._put(row_of(entry), HistoryRow.certid.does_not_exist(), entry.certid)
        for update in change.also:
            self._update(update.row, list(update.actions), update.condition, None)
        if change.fulfils is not None:
            row = SerialClaimRow(CLAIM_KIND, change.fulfils.serial)
            self._transaction.delete(row, condition=SerialClaimRow.at == change.fulfils.at)
            self._deletes.append(None)

    def update(self, before: Device, after: Device) -> None:
        actions = [*changes(before, after), *written_by_home()]
        self._update(LedgerRow(before.certid), actions, _unchanged(before), before.certid)

    def count(self, bucket_changes: Mapping[BucketChange, int], shard: int) -> None:
        for change, number in bucket_changes.items():
            self._update(shard_of(change, shard), [CountRow.number.add(number)], None, None)

    def commit(self, pause: Callable[[int], None]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with self._transaction:
                    return
            except TransactWriteError as error:
                codes = reasons_of(error)
                if CONFLICTS & set(codes):
                    raise TransactionConflict(
                        busy="TransactionConflict" in codes, certids=self._conflicting(codes)
                    ) from error
                if attempt + 1 == _ATTEMPTS or not is_throttled(error):
                    raise
                pause(attempt + _THROTTLED_PAUSE)

    def _conflicting(self, codes: list[str]) -> frozenset[Fingerprint]:
        owners = [*self._deletes, *self._puts, *self._updates]
        return frozenset(certid for certid, code in zip(owners, codes, strict=False) if certid and code in CONFLICTS)

    def _put(self, row: Any, condition: Condition | None, certid: Fingerprint) -> None:
        self._transaction.save(row, condition=condition)
        self._puts.append(certid)

    def _update(self, row: Any, actions: list[Any], condition: Condition | None, certid: Fingerprint | None) -> None:
        self._transaction.update(row, actions=actions, condition=condition)
        self._updates.append(certid)


def _free(certid: Fingerprint, holder: Fingerprint | None) -> Condition:
    free: Condition = NameRow.devicename.does_not_exist() | (NameRow.certid == certid)
    return free | (NameRow.certid == holder) if holder else free


def _unchanged(device: Device) -> Condition:
    """Return the condition that the row is unchanged, counted in the same bucket, and not written by a newer home."""
    same_claim: Condition = (LedgerRow.devstate == device.devstate.value) & (LedgerRow.generation == device.generation)
    counted = LedgerRow.counted == device.counted if device.counted else LedgerRow.counted.does_not_exist()
    same: Condition = (LedgerRow.version == device.version) & same_claim & counted
    newest = by_no_newer_home()
    return same if newest is None else same & newest


def changes(before: Device, after: Device) -> list[Any]:
    """Return the update actions that turn the row of `before` into the row of `after`."""
    old, new = attributes_of(before), attributes_of(after)
    if before.counted is None:
        del old["printhead"]  # a row older than the counts does not have it
    changed = [getattr(LedgerRow, key).set(value) for key, value in new.items() if old.get(key) != value]
    return changed + [getattr(LedgerRow, key).remove() for key in old if key not in new]


_FIELDS: Final = {field.name for field in fields(Device)} - {"turn", "pending_pem"}
assert set(LedgerRow.get_attributes()) >= _FIELDS, "a field without an attribute"  # noqa: S101
