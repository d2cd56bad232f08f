"""Handles a message of the lanes' queues: a run of the lane's worker, and then the deletion or delay of the message.

A message is deleted only when its work is done or a later worker is certain to find it. A token is kept until the index
shows everything that was written before it was sent. An announcement is kept until its rows are done, or named in the
lane's row for the worker that has the lease. Until then, the message is hidden for a while and delivered again. A
worker whose time is up keeps the lease for the worker of the lane's next token, so that no announcement takes the lease
first.
"""

import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aws_lambda_powertools import Logger

from commissioner.lanes.lease import Lease, LeaseGuard
from commissioner.lanes.serving import Result, Server
from commissioner.lanes.worker import POLL_INTERVAL, Ending, LaneWorker
from commissioner.token_messages import DELETE, Verdict
from lobby.contracts.lane_tokens import Token
from lobby.domain.lanes.lane import Lane
from lobby.domain.lanes.lane_pace import LanePace
from lobby.domain.lanes.lane_state import LaneState
from lobby.ledger.clock import timestamp
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.store import Ledger

HIDDEN_WHILE_WORKING: Final = 16
"""Seconds for which a message is hidden at the start of its worker and at each heartbeat: longer than the lease, and
shorter than the queue's visibility timeout, so that the message of a killed worker is delivered again soon."""
HIDDEN_WHILE_HELD: Final = 1
HIDDEN_WHILE_PAUSED: Final = 30
_SHORTEST: Final = 1
logger = Logger(service="commissioner")


@dataclass(frozen=True)
class WorkerEnvironment:
    """The environment of a worker. `rate_of` returns a lane's rate; `executor` creates an executor for one run; `wait`
    waits for a future for at most this many seconds; `new_holder` returns a unique text; `poll_interval` is in
    seconds."""

    ledger: Ledger
    lanes: Lanes
    server: Server
    guard: LeaseGuard
    rate_of: Callable[[Lane], float]
    executor: Callable[[], Executor]
    wait: Callable[[list[Future[Result]], float], None]
    clock: Callable[[], datetime]
    new_holder: Callable[[], str]
    poll_interval: float = POLL_INTERVAL


def handle(token: Token, environment: WorkerEnvironment, hide: Callable[[int], None]) -> Verdict:
    """Work on a message. `hide` hides it while the worker works. Raise an error if it must be delivered again."""
    lanes, holder = environment.lanes, f"{token.tag}#{environment.new_holder()}"
    state = lanes.acquire(token.lane, holder, by_token=not token.is_express)
    if state is None:
        if token.is_express and lanes.announce(token.lane, token.entries, not_by=f"{token.tag}#"):
            return DELETE
        return Verdict(hide=HIDDEN_WHILE_HELD)
    pace = LanePace.of(environment.rate_of(token.lane), state.pace)
    lease = Lease(lanes, state, state.holder or "", pace, environment.guard)
    worker, ending = _run(token, lease, environment, hide)
    logger.info("lane processed", extra={"lane": token.lane, "ending": ending.value, **vars(worker.tally)})
    return _verdict(token, ending, lease, environment.clock())


def _run(
    token: Token, lease: Lease, environment: WorkerEnvironment, hide: Callable[[int], None]
) -> tuple[LaneWorker, Ending]:
    executor = environment.executor()
    worker = LaneWorker(
        token.lane,
        lease,
        environment.server,
        executor,
        environment.wait,
        environment.clock,
        heartbeat=lambda: hide(HIDDEN_WHILE_WORKING),
        only=token.entries,
        poll_interval=environment.poll_interval,
    )
    try:
        ending = worker.run()
    except Exception:
        executor.shutdown(wait=True, cancel_futures=True)
        with suppress(Exception):  # the lease expires anyway, and the first error must not be hidden
            lease.leave(finished=False)
        raise
    executor.shutdown()
    if ending is not Ending.DRAINED:
        handed_over = ending is Ending.TIME_UP
        left = worker.left() if handed_over else ()
        since = worker.unfinished_since
        lease.leave(finished=worker.rows.is_finished, since=since, left=left, keep=handed_over)
    return worker, ending


def _verdict(token: Token, ending: Ending, lease: Lease, at: datetime) -> Verdict:
    if ending is Ending.CLOSED:
        return Verdict(hide=_closed_for(lease.state, at))
    if ending is Ending.LOST:
        return Verdict(hide=HIDDEN_WHILE_HELD)
    if ending is Ending.TIME_UP:
        return Verdict(hand_over=True)
    if token.is_express:  # only the index may show the remaining work of a killed worker
        return Verdict(hand_over=lease.follows_unfinished)
    left = (token.settled_at or 0.0) - at.timestamp()
    return Verdict(hide=max(_SHORTEST, math.ceil(left))) if left > 0 else DELETE


def _closed_for(state: LaneState, at: datetime) -> int:
    """Return for how many seconds the lane stays closed."""
    if state.paused_at is not None or (state.open_until or "") <= timestamp(at):
        return HIDDEN_WHILE_PAUSED if state.paused_at is not None else _SHORTEST
    seconds = (datetime.fromisoformat(state.open_until or "") - at).total_seconds()
    return max(_SHORTEST, math.ceil(seconds))
