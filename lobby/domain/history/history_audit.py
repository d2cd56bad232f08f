"""Verifies a device's history: its entries against each other, against the row, and against the notary's anchors.

The hash chain detects altered and removed entries; the row detects a truncated history; the anchors, which are stored
outside the table, detect a history that was rewritten up to its end together with the row. The first invalid entry is
reported. Entries of the last minutes may not be anchored yet; they are counted as pending.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lobby.domain.device import GENESIS, Device, Entry
from lobby.domain.states import Event

ANCHORED_WITHIN: Final = timedelta(minutes=15)
"""How long an entry may be without an anchor. The notary takes seconds; its alarm comes after 5 minutes."""
MAX_SEQ: Final = 9_999_999_999
"""The largest number that fits into an anchor's key."""


class Fault(StrEnum):
    """The ways in which a history can be invalid."""

    ALTERED = "ALTERED"
    """An entry does not match its own hash, does not follow the previous entry, or cannot be read."""
    MISSING = "MISSING"
    """An entry is missing; a later entry, the row or an anchor refers to it."""
    REPLACED = "REPLACED"
    """An entry matches its neighbours, but not its anchor."""
    ANCHORED_TWICE = "ANCHORED_TWICE"
    """Two different entries with this number were anchored."""
    ANCHOR_REMOVED = "ANCHOR_REMOVED"
    """An anchor was deleted; its earlier version can still be read."""
    NOT_ANCHORED = "NOT_ANCHORED"
    """An entry has no anchor, and is older than `ANCHORED_WITHIN`."""
    ROW_DIFFERS = "ROW_DIFFERS"
    """The device's row does not match its last entry."""
    ROW_MISSING = "ROW_MISSING"
    """The device has no row, and no entry records its removal."""


_ABOUT_A_LEFT_TARGET: Final = (Event.RETIRE, Event.DEACTIVATE)
"""Events whose entry names the target in which the device is cleared, not the one it is assigned to."""


@dataclass(frozen=True)
class Unreadable:
    """An item that is not a valid entry or device row, and the reason. `seq` is its number in the table."""

    seq: int
    why: str


@dataclass(frozen=True)
class Anchor:
    """The hash of entry `seq`, anchored `at` (ISO 8601, UTC). `removed`: its key was deleted, which hides it only from
    a listing without versions."""

    seq: int
    hash: str
    at: str
    removed: bool = False


@dataclass(frozen=True)
class Verdict:
    """The result of an audit: the numbers of entries, of anchored ones, and of pending ones, which are too recent to
    need an anchor; and the number, fault and message of the first invalid entry."""

    entries: int
    anchored: int
    pending: int
    seq: int | None = None
    fault: Fault | None = None
    message: str | None = None

    @property
    def ok(self) -> bool:
        return self.fault is None


@dataclass(frozen=True)
class _Finding:
    seq: int
    fault: Fault
    message: str


def verify(
    entries: Sequence[Entry | Unreadable], row: Device | Unreadable | None, anchors: Sequence[Anchor], now: datetime
) -> Verdict:
    """Verify the entries of one device, in order, against its row and its anchors."""
    anchored: defaultdict[int, list[Anchor]] = defaultdict(list)
    for anchor in sorted(anchors, key=lambda each: each.at):
        anchored[anchor.seq].append(anchor)
    readable = [each for each in entries if isinstance(each, Entry)]
    unanchored = [entry for entry in readable if entry.seq not in anchored]
    late = [entry for entry in unanchored if not _recent(entry, now)]
    version = row.version if isinstance(row, Device) else 0
    finding = _first_fault(entries, version, anchored) or _against_row(readable, row) or _late(late)
    counts = len(entries), len(readable) - len(unanchored), len(unanchored) - len(late)
    if finding is None:
        return Verdict(*counts)
    return Verdict(*counts, finding.seq, finding.fault, finding.message)


def first_broken_entry(entries: Sequence[Entry], *, version: int | None = None, head: str | None = None) -> int | None:
    """Return the number of the first entry that is altered, missing or out of order; None if the chain is valid.

    `entries` are in order from the first. With the device's `version` and `head`, missing last entries are also
    detected."""
    finding = _first_fault(entries, version or 0, {})
    if finding is not None:
        return finding.seq
    last = entries[-1].hash if entries else GENESIS
    if version is not None and (len(entries), last) != (version, head):
        return max(len(entries), 1)
    return None


def _first_fault(
    entries: Sequence[Entry | Unreadable], version: int, anchored: Mapping[int, list[Anchor]]
) -> _Finding | None:
    """Return the first entry, counted from 1, that is missing, altered or out of order."""
    numbers = {each.seq for each in entries}
    invalid = next((seq for seq in numbers if not 1 <= seq <= MAX_SEQ), None)
    if invalid is not None:
        return _Finding(invalid, Fault.ALTERED, f"got an item numbered {invalid}, want 1 to {MAX_SEQ}")
    prior = GENESIS
    for seq in range(1, max([len(entries), version, *numbers, *anchored], default=0) + 1):
        anchors, entry = anchored.get(seq, []), entries[seq - 1] if seq <= len(entries) else None
        if entry is not None and entry.seq != seq and (seq in numbers or entry.seq < seq):
            return _Finding(seq, Fault.ALTERED, f"got entry {entry.seq}, want entry {seq}")
        if entry is None or entry.seq != seq:
            return _Finding(seq, Fault.MISSING, _missing(seq, anchors, version, max(numbers, default=0)))
        finding = _entry_fault(entry, prior, anchors)
        if finding is not None:
            return finding
        prior = entry.hash if isinstance(entry, Entry) else prior
    return None


def _entry_fault(entry: Entry | Unreadable, prior: str, anchors: Sequence[Anchor]) -> _Finding | None:
    if isinstance(entry, Unreadable):
        return _Finding(entry.seq, Fault.ALTERED, f"got an item {entry.seq} that is not a valid entry: {entry.why}")
    label = f"entry {entry.seq} ({entry.event} by {entry.actor} at {entry.at})"
    hashes = {anchor.hash for anchor in anchors}
    anchored = ", then ".join(f"{anchor.hash[:12]}… at {anchor.at}" for anchor in anchors)
    checks = (
        (entry.with_hash().hash != entry.hash, Fault.ALTERED, f"{label} does not match its own hash"),
        (
            bool(anchors) and entry.hash not in hashes,
            Fault.REPLACED,
            f"{label} has the hash {entry.hash[:12]}…, want the anchored hash {anchored}",
        ),
        (entry.prior != prior, Fault.ALTERED, f"{label} does not follow entry {entry.seq - 1}"),
        (len(hashes) > 1, Fault.ANCHORED_TWICE, f"{label} was anchored with different hashes: {anchored}"),
        (
            any(anchor.removed for anchor in anchors),
            Fault.ANCHOR_REMOVED,
            f"the anchor of {label} was deleted; its earlier version still applies",
        ),
    )
    return next((_Finding(entry.seq, fault, message) for failed, fault, message in checks if failed), None)


def _missing(seq: int, anchors: Sequence[Anchor], version: int, last: int) -> str:
    if anchors:
        return f"entry {seq} is missing: it was anchored at {anchors[0].at} as {anchors[0].hash[:12]}…"
    if seq <= last:
        return f"entry {seq} is missing: there are later entries"
    return f"entry {seq} is missing: the device's row counts {version} entries"


def _against_row(entries: Sequence[Entry], row: Device | Unreadable | None) -> _Finding | None:
    """Compare a valid chain with the row."""
    last = entries[-1] if entries else None
    seq = last.seq if last else 1
    if isinstance(row, Unreadable):
        return _Finding(seq, Fault.ROW_DIFFERS, f"got a row that is not a valid device: {row.why}")
    if row is None:
        if last is None or last.after is None:
            return None
        return _Finding(seq, Fault.ROW_MISSING, f"got no row, want one: entry {seq} left the device {last.after}")
    if last is None:
        return _Finding(seq, Fault.MISSING, "got a row without entries, want entry 1")
    target = next((entry.target for entry in reversed(entries) if entry.event not in _ABOUT_A_LEFT_TARGET), None)
    for name, got, want in (
        ("version", row.version, last.seq),
        ("head", row.head, last.hash),
        ("state", row.devstate, last.after),
        ("generation", row.generation, last.generation),
        ("target", str(row.target) if row.target else None, target),
    ):
        if got != want:
            message = f"got {name} {got} in the device's row, want {want} as in entry {last.seq}"
            return _Finding(seq, Fault.ROW_DIFFERS, message)
    return None


def _late(entries: Sequence[Entry]) -> _Finding | None:
    if not entries:
        return None
    seq, at, minutes = entries[0].seq, entries[0].at, ANCHORED_WITHIN.seconds // 60
    message = f"entry {seq} of {at} is not anchored, want it anchored within {minutes} minutes"
    return _Finding(seq, Fault.NOT_ANCHORED, message)


def _recent(entry: Entry, now: datetime) -> bool:
    """Return whether the entry's own time is recent. A forged time far in the future does not count."""
    try:
        return abs(now - datetime.fromisoformat(entry.at)) < ANCHORED_WITHIN
    except (ValueError, TypeError):
        return False
