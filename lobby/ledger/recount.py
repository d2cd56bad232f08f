"""Counts the devices that no count holds yet: `python -m lobby.ledger.recount`, with the lobby account's credentials.

For rows that are older than the counts, or that other hands put into the table; such rows get the key of `by-print`,
too. To be run once after an upgrade from 0.1.0. It may run at any time and again: a row says which bucket counts it,
and is counted and marked in one transaction, on condition that nobody changed it meanwhile. It reads the whole table,
which nothing else does, and so no Lambda may.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from lobby.domain.device import Device
from lobby.errors import Conflict
from lobby.ledger.bulk import chunks
from lobby.ledger.connection import connection_of
from lobby.ledger.counts import any_shard, bucket_of
from lobby.ledger.models import LedgerRow, device_of
from lobby.ledger.transaction import TransactionConflict, Writer

TOGETHER: Final = 33
"""Devices to a transaction, of DynamoDB's 100 items: each a row, the bucket it leaves and the one that it enters."""
_PASSES: Final = 5


def recount(writer: Writer) -> int:
    """How many rows were counted anew. Raises `Conflict` CHANGED_MEANWHILE where some never came to rest."""
    counted = 0
    for _ in range(_PASSES):
        lost = 0
        for devices in chunks(_uncounted(), TOGETHER):
            done = _count(writer, devices)
            counted, lost = counted + done, lost + len(devices) - done
        if not lost:
            return counted
    raise Conflict("CHANGED_MEANWHILE", f"got rows that keep changing: {lost}, want them at rest: try again")


def _uncounted() -> Iterator[Device]:
    """Those that their bucket does not count."""
    for row in LedgerRow.scan(consistent_read=True):
        device = device_of(row)
        if device.counted != bucket_of(device).key:
            yield device


def _count(writer: Writer, devices: Sequence[Device]) -> int:
    """How many were counted: all together, or each that can be."""
    try:
        writer.count_anew(devices)
    except TransactionConflict:
        return sum(_count(writer, [device]) for device in devices) if len(devices) > 1 else 0
    return len(devices)


if __name__ == "__main__":
    print(f"devices counted anew: {recount(Writer(connection_of(), any_shard))}")
