"""The rows of the lanes: the lease, pause, circuit breaker and pace of each lane, written with conditions.

`waiting` reads the rows that wait in a lane, which is a query of the by-turn index. The index is eventually consistent:
it may miss a row that was just written, or still show a row that is done, so a worker reads each row again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import size

from lobby.domain.device import Priority
from lobby.domain.lanes.lane import UNSORTED, Lane, parse_lane, turn_key
from lobby.domain.lanes.lane_state import HANDED_OVER_FOR, LEASE, LaneState, retry_interval
from lobby.domain.states import State
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.ledger.models import LaneRow, LedgerRow
from lobby.names import Fingerprint, Target

_KIND: Final = "lane"
MOST_ANNOUNCED: Final = 100
"""The maximum number of entries in a lane's row. Further ones wait in the express queue, because the worker reads the
row many times a second."""
HANDED_OVER: Final = "handed over"
"""The holder of a lease that is kept for the worker of the lane's next token. Only one token is in progress at a
time."""
StartKey = dict[str, Any]


@dataclass(frozen=True)
class WorkerReport:
    """What a worker records in its lane's row: its pace, when a device was last done, when the next one may start, and
    entries of announcements whose rows are done."""

    pace: float
    progress_at: str | None = None
    slot_at: str | None = None
    done: frozenset[str] = frozenset()

    def actions(self) -> list[Any]:
        actions: list[Any] = [LaneRow.pace.set(self.pace)]
        if self.progress_at is not None:
            actions.append(LaneRow.progress_at.set(self.progress_at))
        if self.slot_at is not None:
            actions.append(LaneRow.slot_at.set(self.slot_at))
        return actions


@dataclass(frozen=True)
class WaitingRow:
    """A row that waits in a lane, and since when."""

    certid: Fingerprint
    since: str


@dataclass(frozen=True)
class WaitingPage:
    rows: tuple[WaitingRow, ...]
    next_key: StartKey | None


def waiting(lane: Lane | None, priority: Priority, count: int, start_key: StartKey | None = None) -> WaitingPage:
    """Return the first rows of a lane, oldest first. None: the rows that an earlier version wrote, without a lane."""
    return _page(UNSORTED if lane is None else turn_key(lane, priority), count, start_key, forward=True)


def newest(lane: Lane, priority: Priority) -> WaitingRow | None:
    """Return the last row of a lane."""
    return next(iter(_page(turn_key(lane, priority), 1, None, forward=False).rows), None)


def waiting_count(lane: Lane, priority: Priority, most: int) -> int:
    """Return how many rows wait in a lane, at most `most`. The rows are not transferred."""
    client: Any = connection_of().client
    query = {
        "TableName": LedgerRow.Meta.table_name,
        "IndexName": LedgerRow.by_turn.Meta.index_name,
        "KeyConditionExpression": "turn = :turn",
        "ExpressionAttributeValues": {":turn": {"S": turn_key(lane, priority)}},
        "Select": "COUNT",
    }
    count, page = 0, dict[str, Any]()
    while count < most:
        page = client.query(**query, Limit=most - count, **page)
        count += page["Count"]
        if "LastEvaluatedKey" not in page:
            break
        page = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return count


def _page(turn: str, count: int, start_key: StartKey | None, *, forward: bool) -> WaitingPage:
    found = LedgerRow.by_turn.query(
        turn, page_size=count, limit=count, last_evaluated_key=start_key, scan_index_forward=forward
    )
    rows = tuple(WaitingRow(Fingerprint(row.certid), row.enteredat) for row in found)
    return WaitingPage(rows, found.last_evaluated_key)


def commissioned_since(target: Target, since: str) -> Iterator[tuple[Fingerprint, str]]:
    """Yield the devices that were commissioned in `target` since that time and have not arrived, each with the time, in
    the order of time."""
    rows = LedgerRow.by_target.query(
        str(target), LedgerRow.enteredat >= since, filter_condition=LedgerRow.devstate == State.COMMISSIONED.value
    )
    for row in rows:
        yield Fingerprint(row.certid), str(row.enteredat)


class Lanes:
    """The rows of all lanes."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock

    def get(self, lane: Lane) -> LaneState:
        """Return the state of a lane. A lane without a row has never had work."""
        try:
            return _state(LaneRow.get(_KIND, lane, consistent_read=True))
        except DoesNotExist:
            return LaneState(lane)

    def all(self) -> list[LaneState]:
        """Return every lane that has had work."""
        return [_state(row) for row in LaneRow.query(_KIND, consistent_read=True)]

    def acquire(self, lane: Lane, holder: str, *, by_token: bool = True) -> LaneState | None:
        """Take the lease, and return the state; None if another worker has the lease. The mark of an unfinished worker
        stays, or is set if there is none. A worker that a token has started may take over a lease that is kept for the
        next token."""
        at = self._clock()
        row = LaneRow(_KIND, lane)
        free = LaneRow.holder.does_not_exist() | (LaneRow.leased_until < timestamp(at)) | (LaneRow.holder == holder)
        free = free | (LaneRow.holder == HANDED_OVER) if by_token else free
        actions = [
            LaneRow.holder.set(holder),
            LaneRow.leased_until.set(timestamp(at + LEASE)),
            LaneRow.unfinished_since.set(LaneRow.unfinished_since | timestamp(at)),
        ]
        return _state(row) if _write(row, actions, free) else None

    def renew(self, lane: Lane, holder: str, report: WorkerReport) -> LaneState | None:
        """Extend the lease and record the report; return the state, or None if another worker has the lease."""
        row = LaneRow(_KIND, lane)
        actions = [LaneRow.leased_until.set(timestamp(self._clock() + LEASE)), *report.actions()]
        if report.done:
            actions.append(LaneRow.announced.delete(set(report.done)))
        return _state(row) if _write(row, actions, LaneRow.holder == holder) else None

    def finish(self, lane: Lane, holder: str, report: WorkerReport) -> bool:
        """Return the lease of a lane in which nothing is left to do. Return False, and change nothing, while a row is
        announced, or if another worker has the lease."""
        row = LaneRow(_KIND, lane)
        removed = (LaneRow.holder, LaneRow.leased_until, LaneRow.unfinished_since)
        actions = [*(attribute.remove() for attribute in removed), *report.actions()]
        return _write(row, actions, (LaneRow.holder == holder) & LaneRow.announced.does_not_exist())

    def leave(
        self,
        lane: Lane,
        holder: str,
        report: WorkerReport,
        *,
        unfinished_since: str | None,
        left: Iterable[str] = (),
        keep: bool = False,
    ) -> bool:
        """Return the lease of a lane in which rows wait; return whether the worker still had it. `unfinished_since` is
        the mark, or None if all work that was begun is finished. `left`: entries that the successor serves first.
        With `keep`, the lease is kept a while for the worker of the next token."""
        row = LaneRow(_KIND, lane)
        actions = report.actions()
        if keep:
            until = timestamp(self._clock() + HANDED_OVER_FOR)
            actions += [LaneRow.holder.set(HANDED_OVER), LaneRow.leased_until.set(until)]
        else:
            actions += [LaneRow.holder.remove(), LaneRow.leased_until.remove()]
        mark = LaneRow.unfinished_since
        actions.append(mark.remove() if unfinished_since is None else mark.set(unfinished_since))
        if entries := set(left):  # a set changes once per expression: entries that are done stay, and are served again
            actions.append(LaneRow.announced.add(entries))
        elif report.done:
            actions.append(LaneRow.announced.delete(set(report.done)))
        return _write(row, actions, LaneRow.holder == holder)

    def announce(self, lane: Lane, entries: Iterable[str], *, not_by: str) -> bool:
        """Name rows to the worker that has the lease. Return False if no worker has it, if the worker's name begins
        with `not_by` (the same message has started it), or if too many rows are announced already."""
        row = LaneRow(_KIND, lane)
        held = LaneRow.holder.exists() & (LaneRow.leased_until > timestamp(self._clock()))
        announced: Any = size(LaneRow.announced)  # type: ignore[no-untyped-call]  # PynamoDB's own function
        few = LaneRow.announced.does_not_exist() | (announced < MOST_ANNOUNCED)
        other = ~LaneRow.holder.startswith(not_by)
        return _write(row, [LaneRow.announced.add(set(entries))], held & few & other)

    def close(self, state: LaneState) -> LaneState:
        """Record that the target has not answered: it is not called for a while."""
        at = self._clock()
        since = datetime.fromisoformat(state.silent_since) if state.silent_since else None
        row = LaneRow(_KIND, state.lane)
        actions = [
            LaneRow.silent_since.set(LaneRow.silent_since | timestamp(at)),
            LaneRow.open_until.set(timestamp(at + retry_interval(since, at))),
        ]
        _write(row, actions)
        return _state(row)

    def reopen(self, lane: Lane) -> LaneState:
        """Record that the target answers."""
        row = LaneRow(_KIND, lane)
        _write(row, [LaneRow.silent_since.remove(), LaneRow.open_until.remove()])
        return _state(row)

    def pause(self, lane: Lane, actor: str) -> LaneState:
        """Start no further device in this lane. Repeating it changes nothing."""
        row = LaneRow(_KIND, lane)
        at = timestamp(self._clock())
        actions = [LaneRow.paused_by.set(LaneRow.paused_by | actor), LaneRow.paused_at.set(LaneRow.paused_at | at)]
        _write(row, actions)
        return _state(row)

    def resume(self, lane: Lane) -> LaneState:
        """End a pause."""
        row = LaneRow(_KIND, lane)
        at = timestamp(self._clock())
        _write(row, [LaneRow.paused_by.remove(), LaneRow.paused_at.remove(), LaneRow.resumed_at.set(at)])
        return _state(row)


def _write(row: LaneRow, actions: list[Any], condition: Any = None) -> bool:
    """Update a lane's row, which then has the new values; return False if the condition does not hold."""
    try:
        row.update(actions=actions, condition=condition)
    except UpdateError as error:
        if is_condition_unmet(error):
            return False
        raise
    return True


def _state(row: LaneRow) -> LaneState:
    return LaneState(
        parse_lane(row.lane),
        row.holder,
        row.leased_until,
        row.unfinished_since,
        row.paused_by,
        row.paused_at,
        row.silent_since,
        row.open_until,
        None if row.pace is None else float(row.pace),
        row.progress_at,
        row.slot_at,
        row.resumed_at,
        frozenset(row.announced or ()),
    )
