"""What the worker of a lane does next: a pure decision from what it knows at a moment.

The worker starts one device in each slot of its pace, several at the same time, and reads more rows before it runs out
of them. It ends when the lane is empty, when its time is up, or when the lane is closed; but never before the devices
that it has started are done.
"""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """`WAIT` lasts until a device is done, or until `Step.seconds` have passed."""

    READ = "read"
    START = "start"
    WAIT = "wait"
    END = "end"


@dataclass(frozen=True)
class Step:
    action: Action
    seconds: float = 0.0


@dataclass(frozen=True)
class Situation:
    """What a worker knows. Times are in seconds of one clock. `ready`: rows that can start; `running`: devices in
    progress, of at most `limit`; `slot_at`: when the next device may start; `retry_at`: when the next failed device is
    tried again; `drained`: the last reading found no further row; `stopped`: the lane is closed, or its lease is
    lost."""

    now: float
    ends_at: float
    slot_at: float
    ready: int
    running: int
    limit: int
    drained: bool
    stopped: bool = False
    retry_at: float | None = None


def next_step(situation: Situation) -> Step:
    """Return the next step."""
    s = situation
    if s.stopped or s.now >= s.ends_at:
        return Step(Action.WAIT, 1.0) if s.running else Step(Action.END)
    if s.ready and s.running < s.limit:
        return Step(Action.START) if s.now >= s.slot_at else Step(Action.WAIT, s.slot_at - s.now)
    if not s.ready and not s.drained:
        return Step(Action.READ)
    if s.running:
        return Step(Action.WAIT, 0.25)
    if s.retry_at is not None:
        wait = s.retry_at - s.now
        return Step(Action.WAIT, wait) if s.retry_at < s.ends_at else Step(Action.END)
    return Step(Action.END)
