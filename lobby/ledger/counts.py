"""How many devices are where: numbers that every transition keeps, and one query reads.

A bucket is a state, with the target that devices in it are claimed for and, of those that failed or were refused,
why. Each row says which bucket counts it, so that what is counted down is what was counted up, whoever wrote the
row since. A bucket is kept in parts, so that transitions at the same moment seldom want the same one.
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
"""The parts of a bucket."""
_WITH_REASON: Final = (State.FAILED, State.REFUSED)


@dataclass(frozen=True)
class Bucket:
    """What devices are counted by. `reason` is told of failed and refused devices only. `state` may be one that this
    version does not know: a newer one has counted here, before it was taken back."""

    state: State | str
    target: Target | None = None
    reason: str | None = None

    @property
    def key(self) -> str:
        """The bucket in one word, such as `failed|123456789012/eu-west-1|TARGET_LIMIT`."""
        return f"{self.state}|{self.target or ''}|{self.reason or ''}"


@dataclass(frozen=True)
class Tally:
    """How many devices are in a bucket."""

    bucket: Bucket
    count: int


def bucket_of(device: Device) -> Bucket:
    return Bucket(device.devstate, device.target, device.reason if device.devstate in _WITH_REASON else None)


def shift(changes: Iterable[tuple[Device | None, Device | None]]) -> dict[str, int]:
    """By how much each bucket changes, by its key, when rows change from the first to the second of each pair:
    down where a row was counted, up where it is. Buckets that stay as they are do not appear."""
    moved: Counter[str] = Counter()
    for before, after in changes:
        moved.subtract([before.counted] if before and before.counted else [])
        moved.update([after.counted] if after and after.counted else [])
    return {key: change for key, change in moved.items() if change}


def any_shard() -> int:
    return random.randrange(SHARDS)  # noqa: S311  # spreads writes; nothing secret


def part_of(key: str, shard: int) -> CountRow:
    """The row of one part of a bucket."""
    return CountRow(KIND, f"{key}|{shard}")


def read_counts() -> tuple[Tally, ...]:
    """All buckets that any device is in, in the order of their keys. One query; what changes while it runs may be
    seen half: one device twice, or not at all."""
    sums: Counter[str] = Counter()
    for row in CountRow.query(KIND, consistent_read=True):
        sums[row.bucket.rpartition("|")[0]] += int(row.number)
    return tuple(Tally(_bucket(key), count) for key, count in sorted(sums.items()) if count > 0)


def _bucket(key: str) -> Bucket:
    state, target, reason = key.split("|", 2)
    known = State(state) if state in set(State) else state
    return Bucket(known, parse_target_key(target) if target else None, reason or None)
