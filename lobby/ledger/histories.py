"""Verifies histories: reads what `history_audit` compares, in an order that is safe against concurrent changes.

The anchors are read first: an anchored entry was in the table before. Entries and row are two reads; if they do not
match, they are read again, and reported only if they still do not match.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import Unreadable, Verdict, verify
from lobby.errors import LobbyError
from lobby.ledger.anchors import AnchoredDevices, Anchors
from lobby.ledger.clock import now
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint

_ATTEMPTS: Final = 3


class Histories:
    """The histories of all devices. `clock` returns the time."""

    def __init__(self, ledger: LedgerReader, anchors: Anchors, clock: Callable[[], datetime] = now) -> None:
        self._ledger, self._anchors, self._clock = ledger, anchors, clock

    def verify(self, certid: Fingerprint) -> Verdict | None:
        """Verify the history of a device. Return None if it has no row, no history and no anchors."""
        anchors = self._anchors.of(certid)
        for _ in range(_ATTEMPTS):
            entries, row = self._ledger.entries(certid), self._row(certid)
            if _match(entries, row):
                break
        if not entries and row is None and not anchors:
            return None
        return verify(entries, row, anchors, self._clock())

    def anchored(self, count: int, after: Fingerprint | None = None) -> AnchoredDevices:
        """Return a page of all devices that have anchors."""
        return self._anchors.devices(count, after)

    def _row(self, certid: Fingerprint) -> Device | Unreadable | None:
        try:
            return self._ledger.get(certid)
        except (ValueError, TypeError, LobbyError) as error:
            return Unreadable(0, str(error)[:200])


def _match(entries: Sequence[Entry | Unreadable], row: Device | Unreadable | None) -> bool:
    last = entries[-1] if entries else None
    if row is None:
        return not isinstance(last, Entry) or last.after is None
    return isinstance(row, Device) and last is not None and row.version == last.seq
