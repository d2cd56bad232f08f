"""One transition, written: the row, its history entry and, at the door, the reservation of its name.

All or nothing in one DynamoDB transaction, on condition that the row is still the one that was decided upon.
Raises `Lost` when it is not; everything else that DynamoDB says goes through to whoever can retry it.
"""

from dataclasses import fields
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from lobby.ledger.device import GENESIS, Device, Entry
from lobby.ledger.models import HistoryRow, LedgerRow, NameRow, attributes_of, row_of
from lobby.ledger.states import Event
from lobby.names import Fingerprint, Target, ThingName

_LOST = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})


class Lost(Exception):
    """Somebody else wrote first. `busy`: is still writing, so a moment's wait helps."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__("the row changed meanwhile")
        self.busy = busy


def entry_for(
    certid: Fingerprint, event: Event, before: Device | None, after: Device | None, *,
    actor: str, at: str, why: str | None, about: Target | None, last: Entry | None,
) -> Entry:  # fmt: skip
    """The history entry of a transition. `last` continues a history whose row was removed."""
    seq, prior = (before.version, before.head) if before else (last.seq, last.hash) if last else (0, GENESIS)
    target = about or (after.target if after else None)
    return Entry(
        certid=certid, seq=seq + 1, at=at, actor=actor, event=event,
        before=before.devstate if before else None, after=after.devstate if after else None,
        generation=after.generation if after else before.generation if before else 0,
        reason=why, target=str(target) if target else None, prior=prior,
    ).sealed()  # fmt: skip


def write(
    connection: Connection, before: Device | None, after: Device | None, entry: Entry,
    name: ThingName | None, holder: Fingerprint | None,
) -> None:  # fmt: skip
    """Writes it all, or raises `Lost`. `name` is reserved for the certificate if free, or held by `holder`."""
    try:
        with TransactWrite(connection=connection) as transaction:
            transaction.save(row_of(entry), condition=HistoryRow.certid.does_not_exist())
            if name is not None:
                transaction.save(NameRow(name, certid=entry.certid), condition=_free(entry.certid, holder))
            _put_row(transaction, before, after)
    except TransactWriteError as error:
        reasons = {reason.code for reason in error.cancellation_reasons if reason}
        if error.cause_response_code == "TransactionCanceledException" and reasons and reasons <= _LOST:
            raise Lost(busy="TransactionConflict" in reasons) from error
        raise


def _put_row(transaction: TransactWrite, before: Device | None, after: Device | None) -> None:
    if before is None and after is not None:
        transaction.save(LedgerRow(**attributes_of(after)), condition=LedgerRow.certid.does_not_exist())
    elif before is not None and after is not None:
        transaction.update(LedgerRow(after.certid), actions=_changes(before, after), condition=_still(before))
    elif before is not None:
        transaction.delete(LedgerRow(before.certid), condition=_still(before))


def _free(certid: Fingerprint, holder: Fingerprint | None) -> Condition:
    free: Condition = NameRow.devicename.does_not_exist() | (NameRow.certid == certid)
    return free | (NameRow.certid == holder) if holder else free


def _still(device: Device) -> Condition:
    same_claim: Condition = (LedgerRow.devstate == device.devstate.value) & (LedgerRow.generation == device.generation)
    still: Condition = (LedgerRow.version == device.version) & same_claim
    return still


def _changes(before: Device, after: Device) -> list[Any]:
    old, new = attributes_of(before), attributes_of(after)
    changed = [getattr(LedgerRow, key).set(value) for key, value in new.items() if old.get(key) != value]
    return changed + [getattr(LedgerRow, key).remove() for key in old if key not in new]


assert {field.name for field in fields(Device)} <= set(LedgerRow.get_attributes()), "a field without an attribute"  # noqa: S101
