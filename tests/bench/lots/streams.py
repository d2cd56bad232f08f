"""The batches that Lambda forms of a stream's records, for the windows and sizes of the deployed mappings."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

SHARDS: Final = 4
"""A new table on demand has four partitions, and its stream a shard for each (decision 21). Lambda reads each shard by
itself, so records of different shards are never in one batch."""
POLL: Final = 0.25
"""Seconds between two reads of a shard: without a window, a batch has the records of one read (Lambda developer guide,
"Using AWS Lambda with Amazon DynamoDB")."""


@dataclass(frozen=True)
class StreamRecord:
    """A record of the stream, and when it was written, in seconds. `certid` is its partition key."""

    at: float
    certid: str
    content: dict[str, Any]


def shard_of(certid: str) -> int:
    return int(certid[:8], 16) % SHARDS


def polled(records: Iterable[StreamRecord], size: int) -> Iterator[tuple[float, list[StreamRecord]]]:
    """Yield the batches of a mapping without a window, each with the time of its run."""
    yield from _batches(records, size, lambda record: (int(record.at / POLL) + 1) * POLL)


def collected(records: Iterable[StreamRecord], size: int, window: float) -> Iterator[tuple[float, list[StreamRecord]]]:
    """Yield the batches of a mapping with a window, which begins with the first record."""
    yield from _batches(records, size, lambda first: first.at + window)


def _batches(
    records: Iterable[StreamRecord], size: int, ends: Callable[[StreamRecord], float]
) -> Iterator[tuple[float, list[StreamRecord]]]:
    by_shard: dict[int, list[StreamRecord]] = {}
    for record in sorted(records, key=lambda each: each.at):
        by_shard.setdefault(shard_of(record.certid), []).append(record)
    for of_shard in by_shard.values():
        batch: list[StreamRecord] = []
        for record in of_shard:
            if batch and (len(batch) == size or record.at > ends(batch[0])):
                yield _run_at(batch, size, ends), batch
                batch = []
            batch.append(record)
        yield _run_at(batch, size, ends), batch


def _run_at(batch: list[StreamRecord], size: int, ends: Callable[[StreamRecord], float]) -> float:
    """Return when Lambda invokes the function: as soon as the batch is full, or at the end of its window."""
    return batch[-1].at if len(batch) == size else ends(batch[0])
