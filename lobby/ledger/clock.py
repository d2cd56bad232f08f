"""The time, in the form in which the ledger stores it, and the wait before a retry."""

import random
import time
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def timestamp(at: datetime) -> str:
    """Return ISO 8601 UTC with milliseconds. Sorted as text, timestamps are in the order of time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pause(attempt: int) -> None:
    """Wait before a retry: a random time of at most 10 ms, doubled with each attempt."""
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  # spreads retries; nothing secret
