"""The state of a lane, which its workers share: lease, circuit breaker, pause, pace and progress.

A worker drains a lane only with its lease. Each worker marks the lane as unfinished when it begins, and removes the
mark when it ends normally, so that its successor detects a worker that was killed. A lane is closed while an operator
has paused it, or for a while after its target did not answer. Times are ISO 8601 UTC with milliseconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.lanes.lane import Lane

LEASE: Final = timedelta(seconds=15)
"""A worker renews its lease every three seconds. A killed worker's lane is free after this time."""
CALL_MARGIN: Final = timedelta(seconds=8)
"""A worker begins no call into a target if its lease ends sooner than this. One attempt of a call takes at most 7 s
(`lobby.aws.clients`), so the calls of a stalled worker never overlap with those of its successor."""
CALL_INTERVAL: Final = timedelta(seconds=5)
"""The first interval between two attempts to reach a target that does not answer."""
LATER_CALL_INTERVAL: Final = timedelta(seconds=30)
"""The interval once the target has not answered for `UNREACHABLE_AFTER`."""
UNREACHABLE_AFTER: Final = timedelta(minutes=1)
HANDED_OVER_FOR: Final = timedelta(seconds=10)
"""How long the lease is kept for the successor of a worker whose time is up. SQS and Lambda usually start it sooner. If
the successor does not start, any other worker can then take the lane."""


@dataclass(frozen=True)
class LaneState:
    """`holder` has the lease until `leased_until`. `unfinished_since`: when the first worker that did not end normally
    began. `paused_by` and `paused_at`: an operator's pause. `silent_since`: the target has not answered since this
    time; `open_until`: it is not called before this time. `pace` is in devices per second. `progress_at`: when a device
    was last done."""

    lane: Lane
    holder: str | None = None
    leased_until: str | None = None
    unfinished_since: str | None = None
    paused_by: str | None = None
    paused_at: str | None = None
    silent_since: str | None = None
    open_until: str | None = None
    pace: float | None = None
    progress_at: str | None = None
    slot_at: str | None = None
    """When the last worker would have started its next device: its successor keeps the distance."""
    resumed_at: str | None = None
    """When the last pause ended: the time without progress begins then."""
    announced: frozenset[str] = frozenset()
    """Single claims for the worker that has the lease, because the index may not show them yet. Each stays until its
    row is done."""

    def is_held(self, at: str) -> bool:
        return self.holder is not None and (self.leased_until or "") > at

    def is_closed(self, at: str) -> bool:
        return self.paused_at is not None or (self.open_until or "") > at


def retry_interval(silent_since: datetime | None, at: datetime) -> timedelta:
    """Return how long a target that does not answer is not called."""
    is_unreachable = silent_since is not None and at >= silent_since + UNREACHABLE_AFTER
    return LATER_CALL_INTERVAL if is_unreachable else CALL_INTERVAL
