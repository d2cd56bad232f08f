"""Adds devices to the counts: `python -m lobby.ledger.recount`, with the lobby account's credentials.

It counts rows that are older than the counts, or that other tools have written. These rows also get the key of the
index by fingerprint. Run it once after an upgrade from 0.1.0; it can run at any time and be repeated. A row contains
the key of the bucket that counts it. One transaction updates row and count, on condition that the row is unchanged. The
command then corrects counts that differ from the rows, which happens only if another Region became home before both
were replicated. It scans the whole table, which no Lambda may do. In a lobby with several Regions it writes at the home
only, and refuses elsewhere.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lobby.chunks import chunks
from lobby.domain.device import Device
from lobby.errors import Conflict, NotHome
from lobby.ledger.connection import aws_session, connection_of, use_aws_region
from lobby.ledger.items import device_of
from lobby.ledger.lists.counts import NOWHERE, any_shard, bucket_of, read_totals, shard_of
from lobby.ledger.models import CountRow, LedgerRow
from lobby.ledger.regions.command_routing import route_command
from lobby.ledger.regions.routing import Access
from lobby.ledger.transaction import TransactionConflict, Writer
from lobby.names import parse_region

BATCH_SIZE: Final = 50
"""Devices per transaction, of DynamoDB's 100 items: a row, and the count of the buckets that it leaves and enters."""
_PASSES: Final = 5


def recount(writer: Writer) -> int:
    """Count all uncounted rows, and return their number. Raise `Conflict` CHANGED_MEANWHILE if some keep changing."""
    counted = 0
    for _ in range(_PASSES):
        conflicts = 0
        for devices in chunks(_uncounted(), BATCH_SIZE):
            done = _count(writer, devices)
            counted, conflicts = counted + done, conflicts + len(devices) - done
        if not conflicts:
            return counted
    raise Conflict("CHANGED_MEANWHILE", f"got rows that keep changing: {conflicts}; try again")


def _uncounted() -> Iterator[Device]:
    """Yield the devices that are not counted in the right bucket."""
    for row in LedgerRow.scan(consistent_read=True):
        device = device_of(row)
        if device.counted != bucket_of(device).key:
            yield device


def _count(writer: Writer, devices: Sequence[Device]) -> int:
    """Count the devices together, or each alone after a conflict. Return how many were counted."""
    try:
        writer.update_counts(devices)
    except TransactionConflict:
        return sum(_count(writer, [device]) for device in devices) if len(devices) > 1 else 0
    return len(devices)


def correct(shard: int = 0) -> dict[str, int]:
    """Correct the counts that differ from the rows by the same number in two comparisons; all other differences come
    from changes in progress. Return the corrections, by bucket."""
    first, second = differences(), differences()
    found = {bucket: number for bucket, number in second.items() if first.get(bucket) == number}
    for bucket, number in found.items():
        shard_of((NOWHERE, bucket), shard).update(actions=[CountRow.number.add(number)])
    return found


def differences() -> dict[str, int]:
    """Return by how much the rows of each bucket exceed its count."""
    rows = Counter(row.counted for row in LedgerRow.scan(consistent_read=True) if row.counted)
    return _difference(rows, read_totals())


def _difference(rows: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    exceeds = {each: rows.get(each, 0) - counts.get(each, 0) for each in sorted(rows.keys() | counts.keys())}
    return {each: number for each, number in exceeds.items() if number}


def main() -> int:
    """Count and correct, and return the exit status: 1 if this Region may not write the ledger now."""
    region = parse_region(aws_session().get_config_variable("region"))
    dynamodb: Any = aws_session().create_client("dynamodb", region)
    fence = route_command(dynamodb, region, Access.HOME)
    try:
        if fence is not None:
            fence.require(here=True)
        print(f"devices counted: {recount(Writer(connection_of(), any_shard))}")
        corrected = correct()
    except (NotHome, Conflict) as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        return 1
    if corrected:
        print("counts corrected:", ", ".join(f"{bucket} by {number:+}" for bucket, number in corrected.items()))
    return 0


if __name__ == "__main__":
    use_aws_region()
    sys.exit(main())
