"""Cuts a sequence of items into chunks: for requests, batches and messages that have a limit.

The items are read as the chunks are used, so an endless or expensive sequence can be cut, too. A size below 1 raises
`ValueError`.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items in order; the last one can be shorter. No items yield no list."""
    if size < 1:
        raise ValueError(f"got chunks of {size} items, want at least 1")
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
