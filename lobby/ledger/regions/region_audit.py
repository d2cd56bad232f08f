"""Finds devices whose last changes were not replicated completely, after another Region has become home.

It reads all rows, a page at a time, with the last entry of each; or the anchors of another Region's notary, once that
Region answers again. It changes nothing. If a device changes in the meantime, it is read again, and reported only if
the gap stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lobby.chunks import chunks
from lobby.domain.device import Device, Entry
from lobby.domain.regions.replication import Finding, against_anchors, against_history
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.items import device_of, entry_of
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint

_READ: Final = 50
"""Devices per call of BatchGetItem: two entries each, of DynamoDB's 100 items."""
_AGAIN: Final = 2


@dataclass(frozen=True)
class AuditPage:
    """The findings, how many devices were checked, and the last device if there are more."""

    findings: Sequence[Finding]
    checked: int
    after: Fingerprint | None


class RegionAudit:
    """Reads the tables of this Region."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    def rows(self, count: int, after: Fingerprint | None) -> AuditPage:
        """Compare the rows of the next `count` devices with their last entries."""
        start: dict[str, Any] | None = {"certid": {"S": after}} if after else None
        page = LedgerRow.scan(page_size=count, limit=count, last_evaluated_key=start, consistent_read=True)
        devices = [device_of(row) for row in page]
        suspects = [found for part in chunks(devices, _READ) for found in _compare(part)]
        findings = [found for each in suspects if (found := self._again(each.certid))]
        last = page.last_evaluated_key
        return AuditPage(findings, len(devices), Fingerprint(last["certid"]["S"]) if last else None)

    def _again(self, certid: Fingerprint) -> Finding | None:
        found: Finding | None = None
        for _ in range(_AGAIN):
            device = self._reader.get(certid)
            found = next(iter(_compare([device])), None) if device else None
            if found is None:
                break
        return found

    def anchored(self, anchors: Anchors, count: int, after: Fingerprint | None) -> AuditPage:
        """Compare the histories of the next `count` devices with the anchors of another Region. Raise `ClientError` or
        `BotoCoreError`."""
        page = anchors.devices(count, after)
        compared = [
            against_anchors(certid, self._reader.entries(certid), self._reader.get(certid), anchors.of(certid))
            for certid in page.certids
        ]
        last = page.certids[-1] if page.more and page.certids else None
        return AuditPage([found for found in compared if found], len(page.certids), last)


def _compare(devices: Sequence[Device]) -> list[Finding]:
    keys = [(device.certid, device.version + more) for device in devices for more in (0, 1)]
    entries: dict[tuple[str, int], Entry] = {}
    for row in HistoryRow.batch_get(keys, consistent_read=True):
        entry = entry_of(row)
        entries[entry.certid, entry.seq] = entry
    compared = (
        against_history(
            device, entries.get((device.certid, device.version)), entries.get((device.certid, device.version + 1))
        )
        for device in devices
    )
    return [found for found in compared if found]
