"""Verifies histories: reads what `history_audit` compares, in an order that is safe against concurrent changes.

The anchors are read first: an anchored entry was in the table before. Entries and row are two reads; if they do not
match, they are read again, and reported only if they still do not match.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from lobby.domain.device import Device, Entry
from lobby.domain.history.history_audit import Unreadable, Verdict, verify
from lobby.domain.history.history_export import Document, Origin, history_export
from lobby.errors import LobbyError
from lobby.ledger.clock import now, timestamp
from lobby.ledger.histories.anchors import AnchoredDevices, Anchors
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint, Target

_ATTEMPTS: Final = 3


class Histories:
    """The histories of all devices. `clock` returns the time."""

    def __init__(self, ledger: LedgerReader, anchors: Anchors, clock: Callable[[], datetime] = now) -> None:
        self._ledger, self._anchors, self._clock = ledger, anchors, clock

    def verify(self, certid: Fingerprint) -> Verdict | None:
        """Verify the history of a device. Return None if it has no row, no history and no anchors."""
        anchors = self._anchors.of(certid)
        entries, row = self._read(certid)
        if not entries and row is None and not anchors:
            return None
        return verify(entries, row, anchors, self._clock())

    def export(self, certid: Fingerprint, lobby: Target, actor: str) -> Document | None:
        """Return the export of a device's history, to be signed; None as for `verify`. Raise `Conflict`
        HISTORY_TOO_LONG."""
        anchors = [asdict(each) for each in self._anchors.objects(certid)]
        entries, row = self._read(certid)
        if not entries and row is None and not anchors:
            return None
        origin = Origin(lobby, self._anchors.bucket, actor, timestamp(self._clock()))
        return history_export(certid, entries, row, anchors, origin)

    def anchored(self, count: int, after: Fingerprint | None = None) -> AnchoredDevices:
        """Return a page of all devices that have anchors."""
        return self._anchors.devices(count, after)

    def _read(self, certid: Fingerprint) -> tuple[Sequence[Entry | Unreadable], Device | Unreadable | None]:
        for _ in range(_ATTEMPTS):
            entries, row = self._ledger.entries(certid), self._row(certid)
            if _match(entries, row):
                break
        return entries, row

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
