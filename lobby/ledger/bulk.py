"""Claims of many devices for one target: read a hundred at a time, written many to a transaction.

Each device is decided upon, and told of, as by a claim of its own. One whose row changed meanwhile is claimed alone
and holds up nobody else. What time was too short for is left as it was and said to be so; what was claimed before is
claimed, so a list may be sent again. A fault of DynamoDB's is raised, whatever was written by then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from lobby.domain import transitions
from lobby.domain.device import Device
from lobby.domain.presence import asked
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.connection import connection_of
from lobby.ledger.models import LedgerRow, device_of
from lobby.ledger.transaction import Change, TransactionConflict, Writer, change_of
from lobby.names import Fingerprint, PresenceCode

TOGETHER: Final = 48
"""Devices to a transaction, of DynamoDB's 100 items and 4 MB: a row and an entry each, and at most four counts (from
`knocking` and `inlobby`, to `expected`, and to `claimed` or `proving`). A row stays below 80 kB, most of it the
certificate."""
_READ: Final = 2 * TOGETHER
_TRIES: Final = 4

Outcome = Device | LobbyError
T = TypeVar("T")


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


@dataclass
class ManyClaims:
    """One request for many devices. `alone` claims one by itself, `moment` gives the time as rows have it, `deadline`
    says that time is up, `new_code` gives what a device that has to prove itself shows."""

    request: ClaimRequest
    actor: str
    writer: Writer
    alone: Callable[[Fingerprint], Device]
    moment: Callable[[], str]
    pause: Callable[[int], None]
    deadline: Callable[[], bool]
    new_code: Callable[[], PresenceCode]
    _done: dict[Fingerprint, Outcome] = field(default_factory=dict)

    def outcomes(self, certids: Sequence[Fingerprint]) -> list[Outcome]:
        """What became of each, in that order; of one given twice, the same."""
        for some in chunks(dict.fromkeys(certids), _READ):
            rows = self._read(some)
            wanted = [change for certid, row in rows.items() if (change := self._decide(certid, row))]
            for changes in chunks(wanted, TOGETHER):
                self._write(changes)
        return [self._done.get(certid) or _not_tried(certid) for certid in certids]

    def _read(self, certids: list[Fingerprint]) -> dict[Fingerprint, Device | None]:
        """The rows as they are now; None for those that are absent. Without those that DynamoDB was too busy for."""
        table = LedgerRow.Meta.table_name
        found: dict[Fingerprint, Device] = {}
        keys: list[Any] = [{"certid": {"S": certid}} for certid in certids]
        for attempt in range(_TRIES):
            if self.deadline():
                return {}
            answer = connection_of().batch_get_item(table, keys, consistent_read=True)
            rows = (device_of(LedgerRow.from_raw_data(item)) for item in answer["Responses"].get(table, []))
            found |= {row.certid: row for row in rows}
            keys = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not keys:
                break
            self.pause(attempt)
        unread = {key["certid"]["S"] for key in keys}
        return {certid: found.get(certid) for certid in certids if certid not in unread}

    def _decide(self, certid: Fingerprint, before: Device | None) -> Change | None:
        at = self.moment()
        try:
            after = transitions.claim(before, certid, self.request, self.actor, at)
        except Conflict as refused:
            self._done[certid] = refused
            return None
        if after == before:
            self._done[certid] = after
            return None
        return change_of(certid, Event.CLAIM, before, asked(after, self.new_code), actor=self.actor, at=at)

    def _write(self, changes: list[Change]) -> None:
        for attempt in range(_TRIES):
            if self.deadline() or not changes:
                return
            try:
                self.writer.write(changes)
            except TransactionConflict as lost:
                if lost.busy:
                    self.pause(attempt)
                self._alone(change for change in changes if change.entry.certid in lost.whose)
                changes = [change for change in changes if change.entry.certid not in lost.whose]
            else:
                self._done |= {change.after.certid: change.after for change in changes if change.after}
                return
        self._alone(changes)

    def _alone(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if self.deadline():
                return
            try:
                self._done[change.entry.certid] = self.alone(change.entry.certid)
            except LobbyError as refused:
                self._done[change.entry.certid] = refused


def _not_tried(certid: Fingerprint) -> Conflict:
    return Conflict("NOT_TRIED", f"got no time left for {certid}, want it sent again: nothing has changed")
