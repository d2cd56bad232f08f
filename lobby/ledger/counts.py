"""How many devices are where: numbers that every transition keeps, and one query reads.

A bucket is a state, with the target that devices in it are claimed for and, of those that failed or were refused,
why. Each bucket is kept in parts, so that transitions at the same moment seldom want the same one. Nothing is
counted by looking at devices.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from lobby.ledger.device import Device
from lobby.ledger.models import CountRow
from lobby.ledger.states import State
from lobby.names import Target, parse_target_key

KIND: Final = "devices"
SHARDS: Final = 8
"""The parts of a bucket."""
_WITH_REASON: Final = (State.FAILED, State.REFUSED)


@dataclass(frozen=True)
class Bucket:
    """What devices are counted by. `reason` is told of failed and refused devices only."""

    state: State
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


def shift(before: Device | None, after: Device | None) -> dict[Bucket, int]:
    """What a transition changes: -1 where the device was, +1 where it is; nothing where that is the same."""
    moved = Counter({bucket_of(after): 1} if after else {})
    moved.subtract([bucket_of(before)] if before else [])
    return {bucket: change for bucket, change in moved.items() if change}


def read_counts() -> tuple[Tally, ...]:
    """All buckets that any device is in. What changes meanwhile may be seen half: one device twice, or not at all."""
    sums: Counter[str] = Counter()
    for row in CountRow.query(KIND, consistent_read=True):
        sums[row.bucket.rpartition("|")[0]] += int(row.number)
    return tuple(Tally(_bucket(key), count) for key, count in sorted(sums.items()) if count > 0)


def _bucket(key: str) -> Bucket:
    state, target, reason = key.split("|", 2)
    return Bucket(State(state), parse_target_key(target) if target else None, reason or None)
