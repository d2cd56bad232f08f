"""Histories, verified: what `verification` compares, read in an order in which no change made meanwhile looks like a
fault.

The anchors are read first: whatever is anchored was in the table before. Entries and row are two reads: where they do
not fit, they are read again, and held to differ only if they keep differing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import Unreadable, Verdict, verify
from lobby.errors import LobbyError
from lobby.ledger.anchors import AnchoredDevices, Anchors
from lobby.ledger.store import Ledger, now
from lobby.names import Fingerprint

_TRIES: Final = 3


class Histories:
    """The histories of all devices. `clock` gives the time."""

    def __init__(self, ledger: Ledger, anchors: Anchors, clock: Callable[[], datetime] = now) -> None:
        self._ledger, self._anchors, self._clock = ledger, anchors, clock

    def verify(self, certid: Fingerprint) -> Verdict | None:
        """None where neither ledger, history nor anchors know the device."""
        anchors = self._anchors.of(certid)
        for _ in range(_TRIES):
            entries, row = self._ledger.entries(certid), self._row(certid)
            if _fit(entries, row):
                break
        if not entries and row is None and not anchors:
            return None
        return verify(entries, row, anchors, self._clock())

    def anchored(self, count: int, after: Fingerprint | None = None) -> AnchoredDevices:
        """A page of all devices that were ever anchored."""
        return self._anchors.devices(count, after)

    def _row(self, certid: Fingerprint) -> Device | Unreadable | None:
        try:
            return self._ledger.get(certid)
        except (ValueError, TypeError, LobbyError) as fault:
            return Unreadable(0, str(fault)[:200])


def _fit(entries: Sequence[Entry | Unreadable], row: Device | Unreadable | None) -> bool:
    last = entries[-1] if entries else None
    if row is None:
        return not isinstance(last, Entry) or last.after is None
    return isinstance(row, Device) and last is not None and row.version == last.seq
