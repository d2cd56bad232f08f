"""Device histories: entries, and whether they are intact.

`DeviceHistory` checks the hash chain of one device's entries against its row. `HistoryCheck` is the result of the full
audit, which also compares them with the hashes that the notary anchored outside the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import Verdict, first_broken_entry
from lobby.domain.states import State
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

_ATTEMPTS = 3


@strawberry.type(description="An entry of a device's history: one transition.")
class HistoryEntry:
    seq: int
    at: str
    actor: str
    event: str
    before: str | None = strawberry.field(description="The previous state; null if the device had no row.")
    after: str | None = strawberry.field(description="The new state; null if the row was deleted.")
    generation: int
    reason: str | None
    target: str | None
    prior: str = strawberry.field(description="The hash of the previous entry; zeros in the first entry.")
    hash: str = strawberry.field(description="SHA-256 of this entry, including `prior`.")


@strawberry.type(
    description="The result of verifying a device's history: its entries, its row and the anchored hashes."
)
class HistoryCheck:
    certid: strawberry.ID
    ok: bool = strawberry.field(description="Whether every entry is present and unaltered, and the row matches them.")
    entries: int
    anchored: int = strawberry.field(description="How many entries the notary has anchored outside the table.")
    pending: int = strawberry.field(description="How many entries are too recent to be anchored yet.")
    seq: int | None = strawberry.field(description="The first entry with a fault.")
    code: str | None = strawberry.field(
        description="ALTERED, MISSING, REPLACED, ANCHORED_TWICE, ANCHOR_REMOVED, NOT_ANCHORED, ROW_DIFFERS, ROW_MISSING"
    )
    message: str | None = strawberry.field(description="A description of the fault.")


@dataclass(frozen=True)
class DeviceHistory:
    """The readable entries of a device. `intact`: every entry is present, in order and unaltered, and the row refers to
    the last one."""

    entries: Sequence[Entry]
    intact: bool


def read_history(ledger: Ledger, device: Device) -> DeviceHistory:
    """Return the history of `device`. Row and entries are two reads: if they differ, the row is read again, and they
    are reported as different only if it has not changed in between."""
    entries: Sequence[Entry] = ()
    row: Device | None = device
    for _ in range(_ATTEMPTS):
        items = ledger.entries(device.certid)
        entries = [each for each in items if isinstance(each, Entry)]
        if len(entries) < len(items):
            break
        if row is not None and first_broken_entry(entries, version=row.version, head=row.head) is None:
            return DeviceHistory(entries, intact=True)
        before, row = row, ledger.get(device.certid)
        if row is None:
            return DeviceHistory(entries, intact=first_broken_entry(entries) is None)
        if before is not None and before.version == row.version:
            break
    return DeviceHistory(entries, intact=False)


def history_entry_from(entry: Entry) -> HistoryEntry:
    return HistoryEntry(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        event=entry.event.value,
        before=_value(entry.before),
        after=_value(entry.after),
        generation=entry.generation,
        reason=entry.reason,
        target=entry.target,
        prior=entry.prior,
        hash=entry.hash,
    )


def history_check_from(certid: Fingerprint, verdict: Verdict) -> HistoryCheck:
    return HistoryCheck(
        certid=strawberry.ID(certid),
        ok=verdict.ok,
        entries=verdict.entries,
        anchored=verdict.anchored,
        pending=verdict.pending,
        seq=verdict.seq,
        code=verdict.fault.value if verdict.fault else None,
        message=verdict.message,
    )


def _value(state: State | None) -> str | None:
    return state.value if state else None
