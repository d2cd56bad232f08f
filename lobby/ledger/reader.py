"""Consistent reads of single devices: the row, the history, the holder of a thing name."""

from collections.abc import Iterator
from typing import Any

from pynamodb.exceptions import DoesNotExist

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import Unreadable
from lobby.domain.states import State
from lobby.errors import Conflict
from lobby.ledger.items import device_of, entry_of, entry_of_item
from lobby.ledger.models import HistoryRow, LedgerRow, NameRow
from lobby.names import Fingerprint, ThingName


class LedgerReader:
    """Reads the ledger, the histories and the names."""

    def get(self, certid: Fingerprint) -> Device | None:
        """Return the device as it is now, or None if there is no row."""
        try:
            return device_of(LedgerRow.get(certid, consistent_read=True))
        except DoesNotExist:
            return None

    def history(self, certid: Fingerprint) -> list[Entry]:
        """Return the history of a device, oldest entry first. Raise `ValueError` if an item is not a valid entry."""
        return [entry_of(row) for row in HistoryRow.query(certid, consistent_read=True)]

    def entries(self, certid: Fingerprint) -> list[Entry | Unreadable]:
        """Return the history with its invalid items, for verification."""
        pages: Iterator[Any] = HistoryRow.query(certid, consistent_read=True).page_iter
        return [entry_of_item(item) for page in pages for item in page["Items"]]

    def latest(self, certid: Fingerprint, count: int) -> list[Entry]:
        """Return the last `count` entries of a device's history, newest first."""
        newest = HistoryRow.query(certid, consistent_read=True, scan_index_forward=False, limit=count)
        return [entry_of(row) for row in newest]

    def last_entry(self, certid: Fingerprint) -> Entry | None:
        return next(iter(self.latest(certid, 1)), None)

    def name_holder(self, name: str) -> Fingerprint | None:
        """Return the certificate that holds a thing name, if there is one."""
        try:
            return Fingerprint(NameRow.get(name, consistent_read=True).certid)
        except DoesNotExist:
            return None

    def replaceable_holder(self, name: ThingName, certid: Fingerprint) -> Fingerprint | None:
        """Return the current holder of the name, if `certid` can take it over: a revoked certificate gives its name to
        its successor. Raise `Conflict` NAME_TAKEN otherwise."""
        holder = self.name_holder(name)
        if holder is None or holder == certid:
            return None
        device = self.get(holder)
        if device is None or device.devstate is State.REVOKED:
            return holder
        raise Conflict("NAME_TAKEN", f"got the name {name!r}, held by certificate {holder}; want one that is free")
