"""Whether a device's history is what it was: its entries against each other, against the device's row and against the
hashes that the notary anchored outside of the table. Pure.

The chain alone shows what was altered or taken out; the row, what was cut off; the anchors, what was rewritten from
some entry to the end, the row with it. The first entry that is not as it was is named. Entries of the last minutes may
not be anchored yet: they are counted, and not held to be broken.
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
"""How long an entry may be without its anchor. The notary takes seconds; its alarm comes after 5 minutes."""
MAX_SEQ: Final = 9_999_999_999
"""What an anchor's key has digits for."""


class Fault(StrEnum):
    """What is wrong with a history."""

    ALTERED = "ALTERED"
    """An entry is not the one of its own hash, does not follow the one before it, or cannot be read."""
    MISSING = "MISSING"
    """An entry is gone: a later one, the row or an anchor tells of it."""
    REPLACED = "REPLACED"
    """An entry fits its neighbours, and is not the one that was anchored."""
    ANCHORED_TWICE = "ANCHORED_TWICE"
    """Another entry was once in the place of this one."""
    ANCHOR_REMOVED = "ANCHOR_REMOVED"
    """Somebody tried to do away with an anchor; what it says can still be read."""
    NOT_ANCHORED = "NOT_ANCHORED"
    """An entry has no anchor, and should have one by now."""
    ROW_DIFFERS = "ROW_DIFFERS"
    """The device's row is not as its last entry left it."""
    ROW_MISSING = "ROW_MISSING"
    """The device's row is gone, and no entry says that it went."""


@dataclass(frozen=True)
class Unreadable:
    """An item that is no entry (or no device's row), and why. `seq` is the number that it has in the table."""

    seq: int
    why: str


@dataclass(frozen=True)
class Anchor:
    """What the notary saw: the hash of entry `seq`, anchored `at` (ISO 8601, UTC). `removed`: its key was deleted,
    which hides it from a plain listing only."""

    seq: int
    hash: str
    at: str
    removed: bool = False


@dataclass(frozen=True)
class Verdict:
    """How many entries there are, how many of them are anchored and how many need not be yet; and the first bad one:
    its number, what is wrong, in words."""

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
    """What the entries of one device, in order, its row and its anchors say together."""
    anchored: defaultdict[int, list[Anchor]] = defaultdict(list)
    for anchor in sorted(anchors, key=lambda each: each.at):
        anchored[anchor.seq].append(anchor)
    readable = [each for each in entries if isinstance(each, Entry)]
    bare = [entry for entry in readable if entry.seq not in anchored]
    late = [entry for entry in bare if not _recent(entry, now)]
    version = row.version if isinstance(row, Device) else 0
    finding = _first_fault(entries, version, anchored) or _against_row(readable, row) or _late(late)
    counts = len(entries), len(readable) - len(bare), len(bare) - len(late)
    if finding is None:
        return Verdict(*counts)
    return Verdict(*counts, finding.seq, finding.fault, finding.message)


def first_broken_entry(entries: Sequence[Entry], *, version: int | None = None, head: str | None = None) -> int | None:
    """Return the number of the first entry that is altered, missing or out of order; None if the chain is valid.

    `entries` are in order from the first. With the device's `version` and `head`, a missing end is found, too."""
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
    """The first entry, counted from 1, that is missing, altered or out of order."""
    numbers = {each.seq for each in entries}
    odd = next((seq for seq in numbers if not 1 <= seq <= MAX_SEQ), None)
    if odd is not None:
        return _Finding(odd, Fault.ALTERED, f"got an item numbered {odd}, want none but 1 to {MAX_SEQ}")
    prior = GENESIS
    for seq in range(1, max([len(entries), version, *numbers, *anchored], default=0) + 1):
        known, entry = anchored.get(seq, []), entries[seq - 1] if seq <= len(entries) else None
        if entry is not None and entry.seq != seq and (seq in numbers or entry.seq < seq):
            return _Finding(seq, Fault.ALTERED, f"got entry {entry.seq} in the place of entry {seq}")
        if entry is None or entry.seq != seq:
            return _Finding(seq, Fault.MISSING, _missing(seq, known, version, max(numbers, default=0)))
        finding = _odd(entry, prior, known)
        if finding is not None:
            return finding
        prior = entry.hash if isinstance(entry, Entry) else prior
    return None


def _odd(entry: Entry | Unreadable, prior: str, known: Sequence[Anchor]) -> _Finding | None:
    if isinstance(entry, Unreadable):
        words = f"got an item {entry.seq} that is no entry any more: {entry.why}"
        return _Finding(entry.seq, Fault.ALTERED, words)
    told = f"entry {entry.seq} ({entry.event} by {entry.actor} at {entry.at})"
    hashes = {anchor.hash for anchor in known}
    anchored = ", then ".join(f"{anchor.hash[:12]}… at {anchor.at}" for anchor in known)
    wrong = (
        (entry.sealed().hash != entry.hash, Fault.ALTERED, f"{told} is not the one that its hash was made of"),
        (
            bool(known) and entry.hash not in hashes,
            Fault.REPLACED,
            f"{told} has the hash {entry.hash[:12]}…, and anchored was {anchored}",
        ),
        (entry.prior != prior, Fault.ALTERED, f"{told} does not follow entry {entry.seq - 1}"),
        (len(hashes) > 1, Fault.ANCHORED_TWICE, f"{told} was anchored with different hashes: {anchored}"),
        (
            any(anchor.removed for anchor in known),
            Fault.ANCHOR_REMOVED,
            f"the anchor of {told} was deleted; what it says still holds",
        ),
    )
    return next((_Finding(entry.seq, fault, words) for is_so, fault, words in wrong if is_so), None)


def _missing(seq: int, known: Sequence[Anchor], named: int, last: int) -> str:
    if known:
        return f"entry {seq} is gone: it was anchored at {known[0].at} as {known[0].hash[:12]}…"
    if seq <= last:
        return f"entry {seq} is gone: there are later ones"
    return f"entry {seq} is gone: the device's row tells of {named}"


def _against_row(entries: Sequence[Entry], row: Device | Unreadable | None) -> _Finding | None:
    """Whole entries, against the row that the last of them left."""
    last = entries[-1] if entries else None
    seq = last.seq if last else 1
    if isinstance(row, Unreadable):
        return _Finding(seq, Fault.ROW_DIFFERS, f"got a row that is no device's any more: {row.why}")
    if row is None:
        gone = last is None or last.after is None
        words = f"got no row for the device, want one: entry {seq} left it {last.after if last else ''}"
        return None if gone else _Finding(seq, Fault.ROW_MISSING, words)
    if last is None:
        return _Finding(seq, Fault.MISSING, "got a device's row and not one entry, want entry 1")
    aimed = next((entry.target for entry in reversed(entries) if entry.event is not Event.RETIRE), None)
    for name, got, want in (
        ("version", row.version, last.seq),
        ("head", row.head, last.hash),
        ("state", row.devstate, last.after),
        ("generation", row.generation, last.generation),
        ("target", str(row.target) if row.target else None, aimed),
    ):
        if got != want:
            words = f"got {name} {got} in the device's row, want {want}, as entry {last.seq} left it"
            return _Finding(seq, Fault.ROW_DIFFERS, words)
    return None


def _late(entries: Sequence[Entry]) -> _Finding | None:
    if not entries:
        return None
    seq, at, minutes = entries[0].seq, entries[0].at, ANCHORED_WITHIN.seconds // 60
    words = f"entry {seq} of {at} is not anchored, want it anchored within {minutes} minutes"
    return _Finding(seq, Fault.NOT_ANCHORED, words)


def _recent(entry: Entry, now: datetime) -> bool:
    """Its own time is believed, unless it is yet to come: a forger would set it there."""
    try:
        return abs(now - datetime.fromisoformat(entry.at)) < ANCHORED_WITHIN
    except (ValueError, TypeError):
        return False
