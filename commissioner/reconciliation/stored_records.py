"""The records of one comparison between its runs: in memory, and stored when there are many or when the run ends.

A Lambda run ends after 15 minutes and has little memory, and a target can have a million devices. Records are stored by
partition, in the table of scheduled Lambdas' progress, and overwritten by the next comparison of the target. Each
write has a random id, so that a run detects records that another run has overwritten.
"""

import base64
import json
import secrets
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from commissioner.reconciliation.records import PARTITIONS, Partition, partition_of
from lobby import strict_json
from lobby.ledger.progress import read_progress, save_progress
from lobby.names import Target

MOST: Final = 100_000
"""The maximum number of records in memory: about 30 MB."""
MOST_OF_PARTITION: Final = 1_500
"""The maximum number of records in one item; each has at most 260 bytes. DynamoDB allows 400 kB per item, and the
longest records take 300 kB when packed."""


class RecordsLost(Exception):
    """Another run, or another comparison, has overwritten the records, or another version has written them. The
    comparison has to begin again."""


class StoredRecords:
    """The records of a comparison of `target`. `flushes` are the ids of the writes."""

    def __init__(
        self, target: Target, flushes: Sequence[str], new_id: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self._target, self.flushes, self._new_id = target, tuple(flushes), new_id
        self._new: defaultdict[int, list[str]] = defaultdict(list)
        self._count = 0

    def add(self, records: Iterable[str]) -> None:
        for record in records:
            partition = self._new[partition_of(record)]
            partition.append(record)
            self._count += 1
            if self._count >= MOST or len(partition) >= MOST_OF_PARTITION:
                self.flush()

    def flush(self) -> None:
        """Store the records in memory, an item for each partition, even if it is empty."""
        if not self._count:
            return
        flush_id, number = self._new_id(), len(self.flushes)
        for partition in range(PARTITIONS):
            content = {"flush": flush_id, "records": _pack(self._new.get(partition, []))}
            save_progress(self._name(partition, number), content)
        self.flushes, self._count = (*self.flushes, flush_id), 0
        self._new.clear()

    def partitions(self, numbers: Sequence[int]) -> Partition:
        """Return the records of some partitions, in the order in which they were added. Raise `RecordsLost`."""
        found = Partition()
        for number, flush_id in enumerate(self.flushes):
            for partition in numbers:
                stored = read_progress(self._name(partition, number))
                if stored.get("flush") != flush_id:
                    raise RecordsLost
                try:
                    found.add(_unpack(stored["records"]))
                except (TypeError, ValueError):
                    raise RecordsLost from None
        for partition in numbers:
            found.add(self._new.get(partition, ()))
        return found

    def _name(self, partition: int, number: int) -> str:
        return f"reconciler/{self._target}/{partition:02x}/{number}"


def _pack(records: list[str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(records).encode())).decode()


def _unpack(packed: str) -> list[str]:
    records: list[str] = strict_json.loads(zlib.decompress(base64.b64decode(packed)))
    return records
