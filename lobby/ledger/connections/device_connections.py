"""Stores whether devices are connected to the lobby, and the problems of their connections.

A status is written only if the event is newer than the last one. The write requires that no other event was recorded
since the status was read; otherwise the decision is repeated. So the first read of a status need not be consistent,
which costs half as much. A problem expires a week after its last occurrence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist, PutError

from lobby.domain.connections.connection_problem import ConnectionProblem, counted
from lobby.domain.connections.connectivity import DUPLICATE, ConnectionChange, Connectivity, LifecycleEvent, after
from lobby.domain.device import Device
from lobby.errors import Conflict
from lobby.ledger.clock import pause
from lobby.ledger.connections.connection_rows import ConnectionRow
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.names import Fingerprint

KEPT: Final = timedelta(days=7)
_STATUS: Final = "status"
_PROBLEM: Final = "problem"
"""The constant partition key of `by-problem`."""
_ATTEMPTS: Final = 8
Look = Callable[[Connectivity | None], None]


@dataclass(frozen=True)
class Recorded:
    """Whether an event changed the status of a connection, and the previous status."""

    changed: bool
    before: Connectivity | None


class Connections:
    """The connections of all devices. `pause` waits before a retry."""

    def __init__(self, pause: Callable[[int], None] = pause) -> None:
        self._pause = pause

    def record(self, device: Device, event: LifecycleEvent, look: Look = lambda _before: None) -> Recorded:
        """Record a lifecycle event of the lobby. Return whether it changed the status, and the previous status. `look`
        is called with the previous status before a change is recorded, so that a failed `look` is called again when the
        event is repeated. Raise `Conflict` CHANGED_MEANWHILE if other events of the device keep changing the status."""
        before: list[Connectivity | None] = []

        def decide(row: ConnectionRow | None) -> ConnectionRow | None:
            known = _status_of(row) if row else None
            before.append(known)
            status = after(known, event, device)
            if status is known or status is None:
                return None
            look(known)
            return _status_row(device.certid, status)

        return Recorded(self._update(device.certid, _STATUS, decide), before[-1])

    def record_problem(self, problem: ConnectionProblem) -> bool:
        """Count an occurrence of a problem. Return whether it was written. Raise `Conflict` CHANGED_MEANWHILE."""
        return self.count_problem(problem)[0]

    def count_problem(self, problem: ConnectionProblem) -> tuple[bool, ConnectionProblem]:
        """Count an occurrence of a problem, like `record_problem`, and also return the new record."""
        current = [problem]

        def decide(row: ConnectionRow | None) -> ConnectionRow | None:
            known = _problem_of(row) if row else None
            new = counted(known, problem)
            current.append(new or known or problem)
            return _problem_row(new) if new else None

        return self._update(problem.certid, problem.code, decide), current[-1]

    def takeovers_of(self, certid: Fingerprint) -> ConnectionProblem | None:
        """Return the record of the takeovers of a device's connections; None without one."""
        row = _read(certid, DUPLICATE)
        return _problem_of(row) if row else None

    def statuses(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, Connectivity]:
        """Return the known status of each device, with one eventually consistent call per 100 devices."""
        rows = ConnectionRow.batch_get([(certid, _STATUS) for certid in dict.fromkeys(certids)])
        return {Fingerprint(row.certid): _status_of(row) for row in rows}

    def problems_of(self, certid: Fingerprint) -> list[ConnectionProblem]:
        """Return the serious problems of one device, the latest first."""
        rows = ConnectionRow.query(certid, filter_condition=ConnectionRow.problem.exists())
        return _serious(sorted(map(_problem_of, rows), key=lambda each: each.last_at, reverse=True))

    def recent_problems(self, count: int) -> list[ConnectionProblem]:
        """Return the serious problems among the last `count` of all devices, the latest first."""
        rows = ConnectionRow.by_problem.query(_PROBLEM, scan_index_forward=False, limit=count, page_size=count)
        return _serious([_problem_of(row) for row in rows])

    def _update(
        self, certid: Fingerprint, kind: str, decide: Callable[[ConnectionRow | None], ConnectionRow | None]
    ) -> bool:
        for attempt in range(_ATTEMPTS):
            is_latest = attempt > 0 or kind != _STATUS
            row = _read(certid, kind, consistent=is_latest)
            new = decide(row)
            if new is None and is_latest:
                return False
            if new is None:
                continue
            try:
                new.save(condition=_unchanged(row))
            except PutError as error:
                if not is_condition_unmet(error):
                    raise
                self._pause(attempt)
            else:
                return True
        raise Conflict("CHANGED_MEANWHILE", f"got an event of {certid}, whose connection keeps changing; try again")


def _read(certid: Fingerprint, kind: str, *, consistent: bool = True) -> ConnectionRow | None:
    try:
        return ConnectionRow.get(certid, kind, consistent_read=consistent)
    except DoesNotExist:
        return None


def _unchanged(row: ConnectionRow | None) -> Any:
    if row is None:
        return ConnectionRow.certid.does_not_exist()
    if row.problem is None:
        same = (ConnectionRow.session == row.session) & (ConnectionRow.sessionversion == row.sessionversion)
        return same & (ConnectionRow.change == row.change)
    return (ConnectionRow.lastat == row.lastat) & (ConnectionRow.number == row.number)


def _serious(problems: Sequence[ConnectionProblem]) -> list[ConnectionProblem]:
    return [problem for problem in problems if problem.is_serious]


def _status_row(certid: Fingerprint, status: Connectivity) -> ConnectionRow:
    last = status.last
    return ConnectionRow(
        certid,
        _STATUS,
        change=last.change.value,
        session=last.session,
        sessionversion=last.version,
        at=last.at,
        address=last.address,
        place=last.place,
        left=status.left or None,
    )


def _status_of(row: ConnectionRow) -> Connectivity:
    change, version = ConnectionChange(row.change), int(row.sessionversion)
    last = LifecycleEvent(change, row.session, version, int(row.at), row.address, row.place)
    return Connectivity(last, bool(row.left))


def _problem_row(problem: ConnectionProblem) -> ConnectionRow:
    return ConnectionRow(
        problem.certid,
        problem.code,
        problem=_PROBLEM,
        session=problem.session,
        clientid=problem.clientid,
        place=problem.place,
        firstat=problem.first_at,
        lastat=problem.last_at,
        number=problem.count,
        expires=problem.last_at // 1000 + int(KEPT.total_seconds()),
    )


def _problem_of(row: ConnectionRow) -> ConnectionProblem:
    return ConnectionProblem(
        Fingerprint(row.certid),
        row.kind,
        str(row.clientid),
        str(row.place),
        row.session,
        int(row.firstat),
        int(row.lastat),
        int(row.number),
    )
