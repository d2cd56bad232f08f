"""Device histories: entries, and whether they are intact.

`DeviceHistory` checks the hash chain of one device's entries against its row. `HistoryCheck` is the result of the full
audit. The audit also compares the entries with the notary's anchors outside the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import strawberry

from admin_api.graphql.value_lists import EVENTS, STATES
from lobby.domain.device import Device, Entry
from lobby.domain.history.history_audit import Verdict, first_broken_entry
from lobby.domain.states import State
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

_ATTEMPTS = 3


@strawberry.enum(description="How a history can be invalid.")
class HistoryFault(Enum):
    ALTERED = strawberry.enum_value(
        "ALTERED",
        description="An entry does not match its own hash, does not follow the previous one, or cannot be read.",
    )
    MISSING = strawberry.enum_value(
        "MISSING", description="An entry is missing; a later entry, the row or an anchor refers to it."
    )
    REPLACED = strawberry.enum_value("REPLACED", description="An entry matches its neighbours, but not its anchor.")
    ANCHORED_TWICE = strawberry.enum_value(
        "ANCHORED_TWICE", description="Two different entries with this number were anchored."
    )
    ANCHOR_REMOVED = strawberry.enum_value("ANCHOR_REMOVED", description="An anchor was deleted.")
    NOT_ANCHORED = strawberry.enum_value("NOT_ANCHORED", description="An entry older than 15 minutes has no anchor.")
    ROW_DIFFERS = strawberry.enum_value("ROW_DIFFERS", description="The device's row does not match its last entry.")
    ROW_MISSING = strawberry.enum_value(
        "ROW_MISSING", description="The device has no row, and no entry records its removal."
    )


@strawberry.type(description="An entry of a device's history: one transition.")
class HistoryEntry:
    seq: int = strawberry.field(description="The number of the entry: 1 for the first.")
    at: str = strawberry.field(description="When the transition happened; ISO 8601, UTC.")
    actor: str = strawberry.field(
        description="Who caused it: `user:` and a name, or a component of the lobby such as bouncer."
    )
    event: str = strawberry.field(description=f"The event. {EVENTS}")
    before: str | None = strawberry.field(description=f"The previous state; null if the device had no row. {STATES}")
    after: str | None = strawberry.field(description=f"The new state; null if the row was deleted. {STATES}")
    generation: int = strawberry.field(description="The device's generation after the transition.")
    reason: str | None = strawberry.field(
        description="The reason code, if the transition has one; as in `Device.reason`."
    )
    target: str | None = strawberry.field(description="The target that the transition concerns, as account/Region.")
    prior: str = strawberry.field(description="The hash of the previous entry; zeros in the first entry.")
    hash: str = strawberry.field(description="SHA-256 of this entry, including `prior`.")


@strawberry.type(
    description="The result of verifying a device's history: its entries, its row and the anchored hashes."
)
class HistoryCheck:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device.")
    ok: bool = strawberry.field(description="Whether every entry is present and unaltered, and the row matches them.")
    entries: int = strawberry.field(description="How many entries the history has.")
    anchored: int = strawberry.field(description="How many entries the notary has anchored outside the table.")
    pending: int = strawberry.field(description="How many entries are too recent to be anchored yet.")
    seq: int | None = strawberry.field(description="The first entry with a fault.")
    code: HistoryFault | None = strawberry.field(description="The fault of that entry; null if there is none.")
    message: str | None = strawberry.field(description="A description of the fault.")


@dataclass(frozen=True)
class DeviceHistory:
    """The readable entries of a device. `intact`: every entry is present, in order and unaltered, and the row refers to
    the last one."""

    entries: Sequence[Entry]
    intact: bool


def read_history(ledger: Ledger, device: Device) -> DeviceHistory:
    """Return the history of `device`. Row and entries are read separately. If they differ, the row is read again. The
    difference is reported only if the row has not changed in between."""
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
        code=HistoryFault(verdict.fault.value) if verdict.fault else None,
        message=verdict.message,
    )


def _value(state: State | None) -> str | None:
    return state.value if state else None
