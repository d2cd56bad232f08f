"""Counts of devices, updated by every transaction and read with a few queries.

A bucket is a state, with the target of its devices and, for failed, refused, quarantined and suspected devices, the
reason. A transition is a single write: it adds one to the number of devices that went from one bucket to another. A
bucket's count is the number of devices that entered it minus the number that left it. Each row contains the key of the
bucket that counts it, so that the device later leaves the same bucket. Each pair of buckets has several shards, so that
simultaneous transactions rarely conflict. The shards are in several partitions, each of which takes a thousand write
units per second. Counts of earlier versions, one for each bucket, are added.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lobby.domain.connections.clones import CLONE_SUSPECTED
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.models import CountRow
from lobby.names import Target, parse_target_key

KIND: Final = "devices"
"""The partition of the counts that versions up to 0.2.0 wrote: the number of devices in a bucket."""
SHARDS: Final = 16
"""Shards for each pair of buckets."""
PARTITIONS: Final = 4
"""Partitions of the shards. Each takes 500 transitions per second, as a transactional write costs two units."""
NOWHERE: Final = ""
"""The bucket that a new device leaves and a removed one enters. A row that was not counted yet also leaves it."""
BucketChange = tuple[str, str]
"""The keys of the bucket that a device leaves and of the one that it enters."""
PREPARED: Final = "prepared"
_PLACE: Final = "~"
_WITH_REASON: Final = (State.FAILED, State.REFUSED, State.QUARANTINED)


@dataclass(frozen=True)
class Bucket:
    """A group of devices with a count. Only failed, refused, quarantined and suspected devices have a `reason`.
    `place` is `PREPARED` for devices that are registered in their standby, and the home for devices that were
    evacuated. `state` is text if this version does not know the state, because a newer version was rolled back."""

    state: State | str
    target: Target | None = None
    reason: str | None = None
    place: str | None = None

    @property
    def key(self) -> str:
        """Return the key of the bucket, such as `failed|123456789012/eu-west-1|TARGET_LIMIT`."""
        state = f"{self.state}{_PLACE}{self.place}" if self.place else self.state
        return f"{state}|{self.target or ''}|{self.reason or ''}"


@dataclass(frozen=True)
class Tally:
    """The number of devices in a bucket."""

    bucket: Bucket
    count: int


def bucket_of(device: Device) -> Bucket:
    suspected = CLONE_SUSPECTED if device.is_suspected else None
    reason = device.reason if device.devstate in _WITH_REASON else suspected
    return Bucket(device.devstate, device.target, reason, _place(device))


def _place(device: Device) -> str | None:
    standby = device.standby
    if standby is None or device.target is None:
        return None
    return str(standby.target) if standby.home else PREPARED if standby.is_prepared else None


def shift(changes: Iterable[tuple[Device | None, Device | None]]) -> dict[BucketChange, int]:
    """Return how many devices went from one bucket to another, for pairs of rows before and after. Unchanged buckets
    are omitted."""
    counted = Counter((_counted(before), _counted(after)) for before, after in changes)
    return {change: count for change, count in counted.items() if change[0] != change[1]}


def any_shard() -> int:
    return random.randrange(SHARDS)  # noqa: S311  # spreads writes; nothing secret


def shard_of(change: BucketChange, shard: int) -> CountRow:
    """Return the row of one shard of a pair of buckets."""
    left, entered = change
    return CountRow(_kind(shard % PARTITIONS), f"{left}>{entered}#{shard}")


def read_counts() -> tuple[Tally, ...]:
    """Return all non-empty buckets, in the order of their keys, with one query for each partition. A device that
    changes while they run can be counted twice, or not at all."""
    return tuple(Tally(_bucket(key), count) for key, count in sorted(read_totals().items()) if count > 0)


def read_totals() -> dict[str, int]:
    """Return the sum of each bucket, by its key."""
    kinds = (KIND, *map(_kind, range(PARTITIONS)))
    return totals((row.bucket, int(row.number)) for kind in kinds for row in CountRow.query(kind, consistent_read=True))


def totals(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the sum of each bucket, by its key, for range keys and numbers of the counts' rows."""
    sums: Counter[str] = Counter()
    for key, number in rows:
        if ">" in key:
            left, _, entered = key.rpartition("#")[0].partition(">")
            sums[left] -= number
            sums[entered] += number
        else:
            sums[key.rpartition("|")[0]] += number
    del sums[NOWHERE]
    return dict(sums)


def _counted(device: Device | None) -> str:
    return (device.counted if device else None) or NOWHERE


def _kind(partition: int) -> str:
    return f"passages#{partition}"


def _bucket(key: str) -> Bucket:
    text, target, reason = key.split("|", 2)
    state, _, place = text.partition(_PLACE)
    value = State(state) if state in set(State) else state
    return Bucket(value, parse_target_key(target) if target else None, reason or None, place or None)
