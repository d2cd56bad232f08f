"""Rows of the targets' table, and the transaction that writes a change of a target with an entry of its history.

A change is written on condition that the target is unchanged, and, if devices go to its standby, that the standby can
take them. The transaction also writes a new standby's own record, so that the standby is not archived at the same time.
The transaction has a token, so it is executed once even if its response is lost and it is sent again.
"""

import hashlib
from dataclasses import replace
from typing import Final
from uuid import uuid4

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from lobby.domain.connections.clones import ClonePolicy
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.targets.target import RegisteredTarget, TargetEntry, TargetEvent
from lobby.errors import Conflict
from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import CONFLICTS, reasons_of
from lobby.ledger.models import TargetEntryRow, TargetRow
from lobby.names import Target, parse_target_key

KIND: Final = "target"
REMOVED: Final = "removed"
_USABLE: Final[Condition] = (
    TargetRow.target.exists() & TargetRow.archivedat.does_not_exist() & TargetRow.evacuated_at.does_not_exist()
)
"""The condition of a registered target to which devices can be sent."""


def write(
    before: RegisteredTarget | None,
    after: RegisteredTarget,
    entry: TargetEntry,
    usable: Target | None = None,
    named: RegisteredTarget | None = None,
) -> RegisteredTarget:
    """Write a new target (`before` is None), a changed one, or the removal of one, and the entry. `usable`: another
    target, which must be neither archived nor evacuated. `named`: the new standby, as it was read. Its record gets the
    time at which it was named, so that a caller with older data cannot archive it. Return `after`. Raise `Conflict`
    CHANGED_MEANWHILE."""
    key = str(after.target)
    try:
        with TransactWrite(connection=connection_of(TargetRow), client_request_token=str(uuid4())) as transaction:
            transaction.save(_entry_row(after.target, entry), condition=TargetEntryRow.kind.does_not_exist())
            if usable is not None:
                transaction.condition_check(TargetRow, KIND, str(usable), condition=_USABLE)
            if named is not None:
                transaction.save(_row_of(replace(named, named_at=entry.at)), condition=_unchanged(named))
            if after.removed:
                transaction.save(_row_of(after))
                transaction.delete(TargetRow(KIND, key), condition=_unchanged(before))
            else:
                transaction.save(_row_of(after), condition=_unchanged(before))
    except TransactWriteError as error:
        if set(reasons_of(error)) & CONFLICTS:
            if _is_written(after):  # by an attempt whose response was lost
                return after
            other = named.target if named else usable
            which = f"{after.target}, which" if other is None else f"{after.target}, which (or {other})"
            message = f"got {which} was changed by someone else just now; look at it and try again"
            raise Conflict("CHANGED_MEANWHILE", message) from None
        raise
    return after


def entries(target: Target) -> list[TargetEntry]:
    """Return the history of a target, even of a removed one, oldest entry first."""
    rows = TargetEntryRow.query(_history(target), consistent_read=True)
    return [TargetEntry(row.at, row.actor, TargetEvent(row.event), row.detail or "") for row in rows]


def target_of(row: TargetRow) -> RegisteredTarget:
    return RegisteredTarget(
        parse_target_key(row.target),
        row.name,
        row.externalid,
        tuple(row.profiles),
        row.createdby,
        row.createdat,
        bool(row.presence),
        row.archivedat,
        row.kind == REMOVED,
        DEFAULT_RATE if row.rate is None else float(row.rate),
        parse_target_key(row.standby) if row.standby else None,
        StandbyMode(row.standby_mode or StandbyMode.ACTIVE),
        row.evacuated_at,
        row.evacuation_asked,
        row.last_work,
        row.returned_at,
        ClonePolicy(row.clones) if row.clones else None,
        row.named_at,
    )


def _is_written(after: RegisteredTarget) -> bool:
    try:
        return target_of(TargetRow.get(_row_of(after).kind, str(after.target), consistent_read=True)) == after
    except DoesNotExist:
        return False


def _row_of(target: RegisteredTarget) -> TargetRow:
    return TargetRow(
        REMOVED if target.removed else KIND,
        str(target.target),
        name=target.name,
        externalid=target.externalid,
        profiles=list(target.profiles),
        presence=target.presence,
        createdby=target.createdby,
        createdat=target.createdat,
        archivedat=target.archivedat,
        rate=target.rate,
        standby=str(target.standby) if target.standby else None,
        standby_mode=target.standby_mode.value if target.standby else None,
        evacuated_at=target.evacuated_at,
        evacuation_asked=target.evacuation_asked,
        last_work=target.last_work,
        returned_at=target.returned_at,
        clones=target.clones.value if target.clones else None,
        named_at=target.named_at,
    )


def _unchanged(before: RegisteredTarget | None) -> Condition:
    if before is None:
        return TargetRow.target.does_not_exist()
    unchanged: Condition = (TargetRow.name == before.name) & (TargetRow.profiles == list(before.profiles))
    for attribute, value in (
        (TargetRow.archivedat, before.archivedat),
        (TargetRow.standby, str(before.standby) if before.standby else None),
        (TargetRow.evacuated_at, before.evacuated_at),
        (TargetRow.evacuation_asked, before.evacuation_asked),
        (TargetRow.last_work, before.last_work),
        (TargetRow.clones, before.clones.value if before.clones else None),
        (TargetRow.named_at, before.named_at),
    ):
        unchanged = unchanged & (attribute.does_not_exist() if value is None else attribute == value)
    for setting, current, default in (
        (TargetRow.presence, before.presence, False),
        (TargetRow.rate, before.rate, DEFAULT_RATE),
    ):
        same = setting == current
        unchanged = unchanged & ((same | setting.does_not_exist()) if current == default else same)
    return unchanged


def _entry_row(target: Target, entry: TargetEntry) -> TargetEntryRow:
    content = "|".join((entry.at, entry.actor, entry.event, entry.detail))
    key = f"{entry.at}#{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    return TargetEntryRow(
        _history(target), key, at=entry.at, actor=entry.actor, event=entry.event.value, detail=entry.detail or None
    )


def _history(target: Target) -> str:
    return f"history#{target}"
