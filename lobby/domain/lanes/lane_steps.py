"""The next step of a lane's worker: a pure decision from its state.

The worker starts one device in each slot of its pace, several at the same time, and reads more rows when it runs out of
them. Urgent rows, for which a user waits, start before their slot, and even while the usual number of devices is in
progress. Recovered rows of an interrupted worker need no slot, because they only repeat messages in the lobby. The
worker ends when the lane is empty or closed, or when its time is up, but never before the devices that it has started
are done.
"""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """`WAIT` lasts until a device is done, or until `Step.seconds` have passed."""

    READ = "read"
    START = "start"
    START_URGENT = "start urgent"
    START_RECOVERED = "start recovered"
    WAIT = "wait"
    END = "end"


@dataclass(frozen=True)
class Step:
    action: Action
    seconds: float = 0.0


@dataclass(frozen=True)
class WorkerState:
    """The state of a worker. Times are in seconds of one clock. `ready`: rows that can start; `running`: devices in
    progress, of at most `limit`; `slot_at`: when the next device may start; `retry_at`: when the next failed device is
    tried again; `drained`: the last reading found no further row; `stopped`: the lane is closed, or its lease is lost;
    `urgent`: urgent rows, which are not in `ready`; `urgent_limit`: devices in progress at which no urgent row starts;
    `urgent_at`: when the next urgent row may start; `recovered`: rows of an interrupted worker, not in `ready`."""

    now: float
    ends_at: float
    slot_at: float
    ready: int
    running: int
    limit: int
    drained: bool
    stopped: bool = False
    retry_at: float | None = None
    urgent: int = 0
    urgent_limit: int = 0
    urgent_at: float = 0.0
    recovered: int = 0


def next_step(state: WorkerState) -> Step:
    """Return the next step."""
    s = state
    if s.stopped or s.now >= s.ends_at:
        return Step(Action.WAIT, 1.0) if s.running else Step(Action.END)
    if s.urgent and s.running < s.urgent_limit:
        return _start(Action.START_URGENT, s.urgent_at, s.now)
    if s.recovered and s.running < s.limit:
        return Step(Action.START_RECOVERED)
    if s.ready and s.running < s.limit:
        return _start(Action.START, s.slot_at, s.now)
    if not s.ready and not s.urgent and not s.recovered and not s.drained:
        return Step(Action.READ)
    return _wait_or_end(s)


def _start(action: Action, at: float, now: float) -> Step:
    return Step(action) if now >= at else Step(Action.WAIT, at - now)


def _wait_or_end(state: WorkerState) -> Step:
    s = state
    if s.running:
        return Step(Action.WAIT, 0.25)
    if s.retry_at is not None:
        wait = s.retry_at - s.now
        return Step(Action.WAIT, wait) if s.retry_at < s.ends_at else Step(Action.END)
    return Step(Action.END)
