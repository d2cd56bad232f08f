"""Previews or carries out an operator's changes of one device or many (`lobby.domain.changes`).

A preview and a change make the same decision from the same kind of read. Repeating a change has the same result,
because a device that is as requested stays as it is. There are two exceptions: a release removes the row of a device
that was only expected, and a retry always changes the row. For these, the history shows whether the change was made
before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lobby.chunks import chunks
from lobby.domain.changes import Change, Chosen, decide
from lobby.domain.device import Device
from lobby.domain.states import Event
from lobby.errors import LobbyError
from lobby.ledger.batch_reader import READ_SIZE, read_rows
from lobby.ledger.bulk import Bulk, Outcome, in_bulk, not_tried
from lobby.ledger.event_writer import EventWriter
from lobby.names import Fingerprint

_RECENT: Final = 20
"""How many entries of a history are searched for an earlier attempt. A device adds a few until it arrives."""


@dataclass(frozen=True)
class Preview:
    """The prediction of a change: the current device, None without a row, and the result of the change."""

    device: Device | None
    outcome: Outcome


class DeviceChanges(EventWriter):
    """The ledger's changes by an operator."""

    def change(self, chosen: Chosen, change: Change, actor: str) -> Device | None:
        """Change one device, and return its row, or None if it was removed. Raise `Conflict` or `NotFound`."""
        try:
            return self._change(chosen, change, actor)
        except LobbyError as error:
            outcome = self._settled(chosen, change, error)
            if isinstance(outcome, LobbyError):
                raise outcome from error
            return outcome

    def change_many(
        self, chosen: Sequence[Chosen], change: Change, actor: str, deadline: Callable[[], bool]
    ) -> list[Outcome]:
        """Change each device and return the results in order. If a device is given twice, the first one counts. Once
        `deadline` returns true, the remaining devices get `Conflict` NOT_TRIED. The commissioner does bulk work after
        single changes."""
        by_certid = {each.certid: each for each in reversed(chosen)}
        bulk = Bulk(
            change.event,
            lambda certid, device, at: _decide_in_bulk(change, by_certid[certid], device, actor, at),
            lambda certid, error: self._settled(by_certid[certid], change, error),
            actor,
            self._writer,
            lambda certid: self._change(by_certid[certid], change, actor, in_bulk=True),
            self._timestamp,
            self._pause,
            deadline,
            self._new_code,
            change.why,
        )
        return bulk.outcomes([each.certid for each in chosen])

    def preview_many(
        self, chosen: Sequence[Chosen], change: Change, actor: str, deadline: Callable[[], bool]
    ) -> list[Preview]:
        """Return what `change_many` would do, in order, and change nothing."""
        previews: dict[Fingerprint, Preview] = {}
        by_certid = {each.certid: each for each in reversed(chosen)}
        for batch in chunks(by_certid, READ_SIZE):
            for certid, device in read_rows(batch, self._pause, deadline).items():
                previews[certid] = Preview(device, self._predicted(by_certid[certid], change, device, actor))
        return [previews.get(each.certid) or Preview(None, not_tried(each.certid)) for each in chosen]

    def _predicted(self, chosen: Chosen, change: Change, device: Device | None, actor: str) -> Outcome:
        try:
            return decide(change, chosen, device, actor, self._timestamp())
        except LobbyError as error:
            return self._settled(chosen, change, error)

    def _change(self, chosen: Chosen, change: Change, actor: str, *, in_bulk: bool = False) -> Device | None:
        decided = _decide_in_bulk if in_bulk else decide
        return self._transition(
            chosen.certid,
            change.event,
            lambda device, at: decided(change, chosen, device, actor, at),
            actor,
            why=change.why,
        )

    def _settled(self, chosen: Chosen, change: Change, error: LobbyError) -> Outcome:
        """Return the result of a refused change: the error, or success if the history shows that the same change was
        made before."""
        if (change.event, error.code) == (Event.RELEASE, "UNKNOWN_DEVICE"):
            last = self.last_entry(chosen.certid)
            return None if last is not None and last.event is Event.RELEASE else error
        if (change.event, error.code) == (Event.RETRY, "CHANGED_MEANWHILE") and chosen.generation is not None:
            made = (Event.RETRY, chosen.generation + 1)
            entries = self.latest(chosen.certid, _RECENT)
            if any((entry.event, entry.generation) == made for entry in entries):
                return self.get(chosen.certid)
        return error


def _decide_in_bulk(change: Change, chosen: Chosen, device: Device | None, actor: str, at: str) -> Device | None:
    after = decide(change, chosen, device, actor, at)
    return after if after == device else in_bulk(after)
