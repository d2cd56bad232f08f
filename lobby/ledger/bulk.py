"""Claims of many devices for one target: rows are read in batches, and written many to a transaction.

Each device is decided on separately, and has its own result, as with a claim of its own. A device whose row has changed
meanwhile is claimed alone and does not delay the others. When time is up, the remaining devices stay unchanged and
their results state that. A device that already has the claim stays claimed, so a list can be sent again. An error of
DynamoDB is raised; what was written before stays written.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from lobby.domain import transitions
from lobby.domain.device import Device
from lobby.domain.presence import with_code
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.connection import connection_of
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.transaction import Change, TransactionConflict, Writer, change_of
from lobby.names import Fingerprint, PresenceCode

BATCH_SIZE: Final = 48
"""Devices per transaction, of DynamoDB's 100 items and 4 MB: a row and an entry each, and at most four counts (from
`knocking` and `inlobby`, to `expected`, and to `claimed` or `proving`). A row is smaller than 80 kB, most of it the
certificate."""
_READ_SIZE: Final = 2 * BATCH_SIZE
_ATTEMPTS: Final = 4

Outcome = Device | LobbyError
T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


@dataclass
class BulkClaim:
    """One claim request for many devices. `claim_alone` claims a single device, `timestamp` returns the time as rows
    store it, `deadline` returns whether time is up, `new_code` returns a presence code."""

    request: ClaimRequest
    actor: str
    writer: Writer
    claim_alone: Callable[[Fingerprint], Device]
    timestamp: Callable[[], str]
    pause: Callable[[int], None]
    deadline: Callable[[], bool]
    new_code: Callable[[], PresenceCode]
    _outcomes: dict[Fingerprint, Outcome] = field(default_factory=dict)

    def outcomes(self, certids: Sequence[Fingerprint]) -> list[Outcome]:
        """Return the result of each device, in order; the same one for duplicates."""
        for batch in chunks(dict.fromkeys(certids), _READ_SIZE):
            rows = self._read(batch)
            wanted = [change for certid, row in rows.items() if (change := self._decide(certid, row))]
            for changes in chunks(wanted, BATCH_SIZE):
                self._write(changes)
        return [self._outcomes.get(certid) or _not_tried(certid) for certid in certids]

    def _read(self, certids: list[Fingerprint]) -> dict[Fingerprint, Device | None]:
        """Return the current rows, with None for a device without one. A device that DynamoDB had no capacity to read
        is missing."""
        table = LedgerRow.Meta.table_name
        devices: dict[Fingerprint, Device] = {}
        keys: list[Any] = [{"certid": {"S": certid}} for certid in certids]
        for attempt in range(_ATTEMPTS):
            if self.deadline():
                return {}
            response = connection_of().batch_get_item(table, keys, consistent_read=True)
            rows = (device_of(LedgerRow.from_raw_data(item)) for item in response["Responses"].get(table, []))
            devices |= {row.certid: row for row in rows}
            keys = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not keys:
                break
            self.pause(attempt)
        unread = {key["certid"]["S"] for key in keys}
        return {certid: devices.get(certid) for certid in certids if certid not in unread}

    def _decide(self, certid: Fingerprint, before: Device | None) -> Change | None:
        at = self.timestamp()
        try:
            after = transitions.claim(before, certid, self.request, self.actor, at)
        except Conflict as conflict:
            self._outcomes[certid] = conflict
            return None
        if after == before:
            self._outcomes[certid] = after
            return None
        return change_of(certid, Event.CLAIM, before, with_code(after, self.new_code), actor=self.actor, at=at)

    def _write(self, changes: list[Change]) -> None:
        for attempt in range(_ATTEMPTS):
            if self.deadline() or not changes:
                return
            try:
                self.writer.write(changes)
            except TransactionConflict as conflict:
                if conflict.busy:
                    self.pause(attempt)
                self._claim_each(change for change in changes if change.entry.certid in conflict.certids)
                changes = [change for change in changes if change.entry.certid not in conflict.certids]
            else:
                self._outcomes |= {change.after.certid: change.after for change in changes if change.after}
                return
        self._claim_each(changes)

    def _claim_each(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if self.deadline():
                return
            try:
                self._outcomes[change.entry.certid] = self.claim_alone(change.entry.certid)
            except LobbyError as error:
                self._outcomes[change.entry.certid] = error


def _not_tried(certid: Fingerprint) -> Conflict:
    return Conflict("NOT_TRIED", f"got no time left for {certid}: nothing was changed; send it again")
