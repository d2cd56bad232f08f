"""Writes events of devices: decide, write one conditional transaction, and repeat after a conflict.

`lobby.domain` decides what an event changes. After a conflict, the decision is made again with the new row; after
`ATTEMPTS` conflicts, an error is raised.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from lobby.domain import presence
from lobby.domain.device import Device, Entry
from lobby.domain.states import Event
from lobby.errors import Conflict, NotFound
from lobby.ledger.clock import now, pause, timestamp
from lobby.ledger.connection import connection_of
from lobby.ledger.lists.counts import any_shard
from lobby.ledger.reader import LedgerReader
from lobby.ledger.regions.epochs import unreplicated
from lobby.ledger.transaction import TransactionConflict, Update, Writer, change_of
from lobby.names import Fingerprint, PresenceCode, Region, Target, ThingName

UNREAD: Final = object()
"""The row was not read yet; None means that there is no row."""
ATTEMPTS: Final = 8

Decision = Callable[[Device | None, str], Device | None]
RowDecision = Callable[[Device, str], Device | None]


class EventWriter(LedgerReader):
    """The base of `Ledger`. `region` is the lobby's Region; `clock` returns the time; `pause` waits before a retry;
    `shard` selects the shard of the counts; `new_code` returns an unguessable presence code."""

    def __init__(
        self,
        region: Region,
        clock: Callable[[], datetime] = now,
        pause: Callable[[int], None] = pause,
        shard: Callable[[], int] = any_shard,
        new_code: Callable[[], PresenceCode] = presence.new_code,
    ) -> None:
        self._region = region
        self._clock = clock
        self._pause = pause
        self._new_code = new_code
        self._writer = Writer(connection_of(), shard, pause)

    def _update(self, device: Device, event: Event, decide: RowDecision, actor: str, **more: Any) -> Device:
        """Decide on a row that the caller has read, and write."""
        decision = on_row(device.certid, decide)
        return present(self._transition(device.certid, event, decision, actor, row=device, **more))

    def _read_and_update(self, certid: Fingerprint, event: Event, decide: RowDecision, actor: str) -> Device | None:
        """Read the row, decide and write. Raise `NotFound` UNKNOWN_DEVICE."""
        return self._transition(certid, event, on_row(certid, decide), actor)

    def _transition(  # noqa: PLR0913  # all that one event writes
        self,
        certid: Fingerprint,
        event: Event,
        decide: Decision,
        actor: str,
        *,
        row: Any = UNREAD,
        why: str | Callable[[Device | None], str | None] | None = None,
        about: Target | None = None,
        name: ThingName | None = None,
        always: bool = False,
        also: tuple[Update, ...] = (),
    ) -> Device | None:
        """Decide and write; after a conflict, read again and repeat. `why` can depend on the new row. `always`: write
        an entry even if the row does not change. `also`: further items to update in the same transaction, without a
        condition."""
        before: Device | None = self.get(certid) if row is UNREAD else row
        last: Entry | None = None
        holder: Fingerprint | None = None
        for attempt in range(ATTEMPTS):
            at = self._timestamp()
            after = presence.with_code(decide(before, at), self._new_code)
            if after == before and not always:
                return after
            reason = why(after) if callable(why) else why
            change = change_of(certid, event, before, after, actor=actor, at=at, why=reason, about=about, last=last)
            try:
                self._writer.write([replace(change, name=name, holder=holder, also=also)])
            except TransactionConflict as conflict:
                if conflict.busy:
                    self._pause(attempt)
                before = self.get(certid)
                last = unreplicated(before, self.last_entry) if before else self.last_entry(certid)
                holder = self.replaceable_holder(name, certid) if name else None
            else:
                return change.after
        raise Conflict("CHANGED_MEANWHILE", f"got {event} for a device that keeps changing; try again")

    def _timestamp(self) -> str:
        return timestamp(self._clock())


def on_row(certid: Fingerprint, decide: RowDecision) -> Decision:
    def decide_on_row(device: Device | None, at: str) -> Device | None:
        if device is None:
            raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device in the ledger")
        return decide(device, at)

    return decide_on_row


def present(device: Device | None) -> Device:
    if device is None:
        raise AssertionError("this event never removes the row")
    return device
