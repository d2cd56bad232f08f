"""What a Region that has become home finds incomplete, because writes of the old home were not replicated.

A change of a device is a row and an entry of its history. Replication copies items one by one, so after a promotion the
new home can have the row without the entry, or the entry without the row. The anchors of the old Region also name
changes of which the new home has nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lobby.domain.device import Device, Entry
from lobby.domain.history.history_audit import Anchor, Unreadable
from lobby.names import Fingerprint


class Gap(StrEnum):
    """What is incomplete."""

    ENTRY_MISSING = "ENTRY_MISSING"
    """The entry of the row's last change is missing."""
    ROW_BEHIND = "ROW_BEHIND"
    """The row that an entry describes is missing. The device's next change continues from the entry."""
    ENTRY_DIFFERS = "ENTRY_DIFFERS"
    """The last entry does not belong to the row: both homes have written an entry with this number."""
    WRITE_LOST = "WRITE_LOST"
    """The old Region has anchored a change that is not in this history, or that another change has replaced."""
    DEVICE_LOST = "DEVICE_LOST"
    """The old Region has anchored changes of a device that is unknown here."""


@dataclass(frozen=True)
class Finding:
    """A device with a gap, and the number of the affected entry."""

    certid: Fingerprint
    gap: Gap
    seq: int
    message: str


def against_history(row: Device, last: Entry | None, following: Entry | None) -> Finding | None:
    """Compare a row with the entry of its version, and with the entry of the next version, if there is one."""
    if following is not None:
        message = f"got {_label(following)} without its row"
        return Finding(row.certid, Gap.ROW_BEHIND, following.seq, message)
    if last is None:
        return Finding(row.certid, Gap.ENTRY_MISSING, row.version, f"got a row without its entry {row.version}")
    if last.hash != row.head:
        message = f"got {_label(last)}, which does not belong to the row"
        return Finding(row.certid, Gap.ENTRY_DIFFERS, last.seq, message)
    return None


def against_anchors(
    certid: Fingerprint, entries: Sequence[Entry | Unreadable], row: Device | None, anchors: Sequence[Anchor]
) -> Finding | None:
    """Compare a history with the anchors of another Region. Return the first change that this history lacks."""
    here = {(each.seq, each.hash) for each in entries if isinstance(each, Entry)}
    lost = [each for each in anchors if (each.seq, each.hash) not in here]
    if not lost:
        return None
    first = min(lost, key=lambda each: each.seq)
    if not entries and row is None:
        return Finding(certid, Gap.DEVICE_LOST, first.seq, f"got {len(lost)} anchored changes of an unknown device")
    message = f"got entry {first.seq}, anchored at {first.at}, which is not in this history ({len(lost)} such changes)"
    return Finding(certid, Gap.WRITE_LOST, first.seq, message)


def _label(entry: Entry) -> str:
    return f"entry {entry.seq} ({entry.event} by {entry.actor} at {entry.at})"
