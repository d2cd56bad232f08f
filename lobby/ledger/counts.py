"""Counts of devices, updated by every transaction and read with one query.

A bucket is a state, with the target of its devices and, for failed and refused devices, the reason. Each row contains
the key of the bucket that counts it, so that the same bucket is decremented later. A bucket has several shards, so that
simultaneous transactions rarely conflict.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.models import CountRow
from lobby.names import Target, parse_target_key

KIND: Final = "devices"
SHARDS: Final = 8
"""Shards per bucket."""
_WITH_REASON: Final = (State.FAILED, State.REFUSED)


@dataclass(frozen=True)
class Bucket:
    """A group of devices with a count. Only failed and refused devices have a `reason`. `state` is text if this version
    has no such state: a newer version counted here and was rolled back."""

    state: State | str
    target: Target | None = None
    reason: str | None = None

    @property
    def key(self) -> str:
        """Return the key of the bucket, such as `failed|123456789012/eu-west-1|TARGET_LIMIT`."""
        return f"{self.state}|{self.target or ''}|{self.reason or ''}"


@dataclass(frozen=True)
class Tally:
    """The number of devices in a bucket."""

    bucket: Bucket
    count: int


def bucket_of(device: Device) -> Bucket:
    return Bucket(device.devstate, device.target, device.reason if device.devstate in _WITH_REASON else None)


def shift(changes: Iterable[tuple[Device | None, Device | None]]) -> dict[str, int]:
    """Return the change of each bucket's count, by key, for pairs of rows before and after. Unchanged buckets are
    omitted."""
    moved: Counter[str] = Counter()
    for before, after in changes:
        moved.subtract([before.counted] if before and before.counted else [])
        moved.update([after.counted] if after and after.counted else [])
    return {key: change for key, change in moved.items() if change}


def any_shard() -> int:
    return random.randrange(SHARDS)  # noqa: S311  # spreads writes; nothing secret


def shard_of(key: str, shard: int) -> CountRow:
    """Return the row of one shard of a bucket."""
    return CountRow(KIND, f"{key}|{shard}")


def read_counts() -> tuple[Tally, ...]:
    """Return all non-empty buckets, in the order of their keys, with one query. A device that changes while it runs can
    be counted twice, or not at all."""
    sums: Counter[str] = Counter()
    for row in CountRow.query(KIND, consistent_read=True):
        sums[row.bucket.rpartition("|")[0]] += int(row.number)
    return tuple(Tally(_bucket(key), count) for key, count in sorted(sums.items()) if count > 0)


def _bucket(key: str) -> Bucket:
    state, target, reason = key.split("|", 2)
    value = State(state) if state in set(State) else state
    return Bucket(value, parse_target_key(target) if target else None, reason or None)
