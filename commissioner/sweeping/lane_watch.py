"""Checks every lane: starts a worker if rows wait and no worker runs, and reports lanes without progress.

A lane is stuck if rows wait in it and no device was done for a while. The number of waiting rows does not matter. Rows
of an earlier version wait in no lane; each is written again, which puts it in its lane. The check makes a few queries
per lane and never reads the whole ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from lobby.contracts.lane_tokens import fresh_token_message
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import Lane
from lobby.domain.lanes.lane_state import LaneState
from lobby.errors import Conflict, NotFound
from lobby.ledger.clock import now, timestamp
from lobby.ledger.lanes.lane_register import Lanes, waiting
from lobby.ledger.redrive import all_lanes, unsorted_rows
from lobby.ledger.store import Ledger

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

START_AFTER: Final = timedelta(minutes=1)
"""How long a row waits in a lane without a worker before one is started."""
NO_PROGRESS: Final = timedelta(minutes=15)
"""Time without progress after which a lane is reported."""
SORTED_PER_RUN: Final = 200
"""The maximum number of an earlier version's rows that one run puts into their lanes."""
logger = Logger(service="sweeper")


@dataclass
class LaneReport:
    """What one run found and did."""

    started: int = 0
    """Lanes whose worker was started."""
    stuck: int = 0
    """Lanes without progress, apart from those that an operator has paused."""
    paused: int = 0
    """Paused lanes in which rows wait."""
    sorted: int = 0
    """Rows of an earlier version that were put into their lane."""

    def numbers(self) -> dict[str, int]:
        """Return the counts by metric name: `LanesStuck` and so on."""
        return {f"Lanes{each.name.capitalize()}": getattr(self, each.name) for each in fields(self)}


class LaneWatch:
    """`queue` is the URL of the lanes' queue; `actor` is recorded in the history of rows that are written again."""

    def __init__(
        self,
        ledger: Ledger,
        lanes: Lanes,
        sqs: "SQSClient",
        queue: str,
        actor: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._ledger, self._lanes, self._sqs, self._queue = ledger, lanes, sqs, queue
        self._actor, self._clock = actor, clock

    def check(self, time_is_up: Callable[[], bool] = lambda: False) -> LaneReport:
        """Check every lane once."""
        report = LaneReport(sorted=self._sort(time_is_up))
        states = {state.lane: state for state in self._lanes.all()}
        for lane in all_lanes(self._lanes):
            if time_is_up():
                break
            oldest = [page.rows[0].since for priority in Priority if (page := waiting(lane, priority, 1)).rows]
            if oldest:
                self._check(states.get(lane, LaneState(lane)), min(oldest), report)
        return report

    def _check(self, state: LaneState, oldest: str, report: LaneReport) -> None:
        at = self._clock()
        if state.paused_at is not None:
            report.paused += 1
            return
        if max(oldest, state.progress_at or "", state.resumed_at or "") < timestamp(at - NO_PROGRESS):
            report.stuck += 1
            extra = {"lane": state.lane, "oldest": oldest, "progress": state.progress_at, "silent": state.silent_since}
            logger.error("no progress", extra=extra)
        if oldest < timestamp(at - START_AFTER) and not state.is_held(timestamp(at)):
            self._start_worker(state.lane, at)
            report.started += 1

    def _start_worker(self, lane: Lane, at: datetime) -> None:
        self._sqs.send_message(QueueUrl=self._queue, **fresh_token_message(lane, timestamp(at)))
        logger.warning("worker started", extra={"lane": lane})

    def _sort(self, time_is_up: Callable[[], bool]) -> int:
        count = 0
        for certid in islice(unsorted_rows(), SORTED_PER_RUN):
            if time_is_up():
                break
            try:
                self._ledger.wake(certid, self._actor)
            except (Conflict, NotFound) as conflict:
                logger.info("processed concurrently", extra={"certid": certid, "code": conflict.code})
            except (ValueError, TypeError):
                logger.exception("not read", extra={"certid": certid})
            else:
                count += 1
        return count
