"""One change of many devices: rows are read in batches, and written many to a transaction.

Each device has its own decision and result, as with a single change. If another writer changes a row at the same time,
this device is changed separately and does not delay the others. When time is up, the remaining devices stay unchanged,
as their results state. A device that already is as requested is not written, so a list can be sent again. Errors of
DynamoDB are raised; earlier writes remain.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lobby.chunks import chunks
from lobby.domain.device import Device, Priority
from lobby.domain.presence import with_code
from lobby.domain.states import Event
from lobby.errors import Conflict, LobbyError, NotHome
from lobby.ledger.batch_reader import READ_SIZE, read_rows
from lobby.ledger.lists.counts import shift
from lobby.ledger.transaction import Change, TransactionConflict, Writer, change_of
from lobby.names import Fingerprint, PresenceCode

BATCH_SIZE: Final = 48
"""Devices per transaction, of DynamoDB's 100 items and 4 MB: a row and an entry each, and at least four counts. A row
is smaller than 80 kB; the largest rows contain a certificate, because an earlier version admitted the device."""
_ITEMS: Final = 100
_ATTEMPTS: Final = 4

NOT_TRIED: Final = "NOT_TRIED"
"""The code of a device for which no time was left."""
Outcome = Device | None | LobbyError
"""The row after the change, None if it was removed, or why the device was not changed."""


@dataclass
class Bulk:
    """One change of many devices. `decide` returns the new row of a device, or raises an error; `settle` turns this
    error into the result. `change_alone` changes a single device, `timestamp` returns the time as rows store it,
    `deadline` returns whether time is up, `new_code` returns a presence code. `why` is the entries' reason."""

    event: Event
    decide: Callable[[Fingerprint, Device | None, str], Device | None]
    settle: Callable[[Fingerprint, LobbyError], Outcome]
    actor: str
    writer: Writer
    change_alone: Callable[[Fingerprint], Device | None]
    timestamp: Callable[[], str]
    pause: Callable[[int], None]
    deadline: Callable[[], bool]
    new_code: Callable[[], PresenceCode]
    why: str | None = None
    _outcomes: dict[Fingerprint, Outcome] = field(default_factory=dict)

    def outcomes(self, certids: Sequence[Fingerprint]) -> list[Outcome]:
        """Return the result of each device, in order; the same one for duplicates."""
        for batch in chunks(dict.fromkeys(certids), READ_SIZE):
            rows = read_rows(batch, self.pause, self.deadline)
            wanted = [change for certid, row in rows.items() if (change := self._decide(certid, row))]
            for changes in transactions(wanted):
                self._write(changes)
        return [self._outcomes[each] if each in self._outcomes else not_tried(each) for each in certids]

    def _decide(self, certid: Fingerprint, before: Device | None) -> Change | None:
        at = self.timestamp()
        try:
            after = self.decide(certid, before, at)
        except LobbyError as error:
            self._outcomes[certid] = self.settle(certid, error)
            return None
        if after == before:
            self._outcomes[certid] = after
            return None
        after = with_code(after, self.new_code)
        return change_of(certid, self.event, before, after, actor=self.actor, at=at, why=self.why)

    def _write(self, changes: list[Change]) -> None:
        for attempt in range(_ATTEMPTS):
            if self.deadline() or not changes:
                return
            try:
                self.writer.write(changes)
            except TransactionConflict as conflict:
                if conflict.busy:
                    self.pause(attempt)
                self._change_each(change for change in changes if change.entry.certid in conflict.certids)
                changes = [change for change in changes if change.entry.certid not in conflict.certids]
            else:
                self._outcomes |= {change.entry.certid: change.after for change in changes}
                return
        self._change_each(changes)

    def _change_each(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if self.deadline():
                return
            certid = change.entry.certid
            try:
                self._outcomes[certid] = self.change_alone(certid)
            except NotHome:  # affects all devices, and the change can be repeated
                raise
            except LobbyError as error:
                self._outcomes[certid] = self.settle(certid, error)


def in_bulk(device: Device | None) -> Device | None:
    """Return the row with the priority of bulk work, if it needs the commissioner: single changes come first."""
    return replace(device, priority=Priority.BULK) if device and device.needs_commissioner else device


def transactions(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Yield the changes in groups that fit a transaction: `BATCH_SIZE` devices, and 100 items with the counts, of which
    there are many if the devices come from many targets."""
    group: list[Change] = []
    for change in changes:
        wider = [*group, change]
        if len(wider) > BATCH_SIZE or 2 * len(wider) + len(shift((each.before, each.after) for each in wider)) > _ITEMS:
            yield group
            wider = [change]
        group = wider
    if group:
        yield group


def not_tried(certid: Fingerprint) -> Conflict:
    return Conflict(NOT_TRIED, f"got no time left for {certid}: nothing was changed; send it again")
