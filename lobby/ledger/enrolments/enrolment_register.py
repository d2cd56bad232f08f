"""The register of enrolments: definitions, states and histories of changes.

A definition is written only if no other definition was added since the register was read, so two users cannot create
ambiguous enrolments at the same time. A change is conditional on the revision that was read, and never touches the
number of admitted devices.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from lobby.domain.enrolments.enrolment import (
    MAX_ENROLMENTS,
    Enrolment,
    EnrolmentEntry,
    EnrolmentEvent,
    EnrolmentState,
    changes_of,
)
from lobby.domain.enrolments.enrolment_selection import require_unambiguous
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.clock import now, pause, timestamp
from lobby.ledger.commits import Put, committed
from lobby.ledger.enrolments.enrolment_rows import (
    KIND,
    REFUSALS,
    REGISTER,
    EnrolmentEntryRow,
    EnrolmentNumberRow,
    EnrolmentRow,
    enrolment_of,
    entry_of,
    history_key,
    row_of,
)
from lobby.ledger.transaction import Update
from lobby.names import EnrolmentName

_ATTEMPTS: Final = 8
_AFTER: Final = {
    EnrolmentEvent.PAUSED: EnrolmentState.PAUSED,
    EnrolmentEvent.RESUMED: EnrolmentState.ACTIVE,
    EnrolmentEvent.REVOKED: EnrolmentState.REVOKED,
}


def find_enrolment(name: EnrolmentName) -> Enrolment | None:
    """Return an enrolment as it is now."""
    try:
        return enrolment_of(EnrolmentRow.get(KIND, name, consistent_read=True))
    except DoesNotExist:
        return None


class Enrolments:
    """The register. `clock` returns the time; `pause` waits before a retry."""

    def __init__(self, clock: Callable[[], datetime] = now, pause: Callable[[int], None] = pause) -> None:
        self._clock, self._pause = clock, pause

    def all(self) -> list[Enrolment]:
        """Return all enrolments in the order of their names, with one query."""
        return [enrolment_of(row) for row in EnrolmentRow.query(KIND, consistent_read=True)]

    def get(self, name: EnrolmentName) -> Enrolment:
        """Return an enrolment. Raise `NotFound` UNKNOWN_ENROLMENT."""
        found = find_enrolment(name)
        if found is None:
            raise NotFound("UNKNOWN_ENROLMENT", f"got {name}, want the name of an enrolment")
        return found

    def refusals(self) -> Mapping[EnrolmentName, Mapping[str, int]]:
        """Return how many devices each enrolment has refused, by reason."""
        found: defaultdict[EnrolmentName, dict[str, int]] = defaultdict(dict)
        for row in EnrolmentNumberRow.query(REFUSALS):
            name, _, code = row.name.partition("#")
            found[EnrolmentName(name)][code] = int(row.number)
        return found

    def history(self, name: EnrolmentName) -> list[EnrolmentEntry]:
        """Return the history of an enrolment, oldest entry first."""
        return [entry_of(row) for row in EnrolmentEntryRow.query(history_key(name), consistent_read=True)]

    def create(self, new: Enrolment) -> Enrolment:
        """Write a new enrolment. If one exists with the same definition, return it unchanged, so that a request can be
        repeated. Raise `Conflict` ENROLMENT_EXISTS, ENROLMENT_AMBIGUOUS or CHANGED_MEANWHILE, `InvalidInput`
        INVALID_COUNT."""
        for _ in range(_ATTEMPTS):
            number, existing = _definitions(), self.all()
            same = next((each for each in existing if each.name == new.name), None)
            if same is not None:
                return _repeated(same, new)
            if len(existing) >= MAX_ENROLMENTS:
                raise InvalidInput("INVALID_COUNT", f"got one more enrolment, want at most {MAX_ENROLMENTS}")
            require_unambiguous(new, existing)
            detail = "paused" if new.state is EnrolmentState.PAUSED else ""
            entry = EnrolmentEntry(new.createdat, new.createdby, EnrolmentEvent.CREATED, detail)
            if self._write(number, new, entry):
                return new
        raise _changed(new.name)

    def set_state(self, name: EnrolmentName, event: EnrolmentEvent, actor: str) -> Enrolment:
        """Pause, resume or revoke an enrolment. Repeating it changes nothing. Raise `Conflict` ENROLMENT_REVOKED or
        CHANGED_MEANWHILE."""
        return self._change(name, event, actor, lambda before: replace(before, state=_AFTER[event]))

    def set_limits(self, name: EnrolmentName, change: Callable[[Enrolment], Enrolment], actor: str) -> Enrolment:
        """Change the limit, the validity period, the renewal and the signer. Raise the errors of `set_state`."""
        return self._change(name, EnrolmentEvent.CHANGED, actor, change)

    def _change(
        self, name: EnrolmentName, event: EnrolmentEvent, actor: str, change: Callable[[Enrolment], Enrolment]
    ) -> Enrolment:
        for attempt in range(_ATTEMPTS):
            before = self.get(name)
            after = change(before)
            if after == before:
                return before
            if before.state is EnrolmentState.REVOKED:
                raise Conflict("ENROLMENT_REVOKED", f"got a change of {name}, which is revoked permanently")
            entry = EnrolmentEntry(timestamp(self._clock()), actor, event, changes_of(before, after))
            if self._update(before, after, entry):
                return replace(after, revision=before.revision + 1)
            self._pause(attempt)  # admissions of devices also change the item
        raise _changed(name)

    def _update(self, before: Enrolment, after: Enrolment, entry: EnrolmentEntry) -> bool:
        """Write a change; return False if the enrolment was changed meanwhile, or is in use by a transaction."""
        actions: list[Action] = [
            EnrolmentRow.state.set(after.state.value),
            EnrolmentRow.revision.set(before.revision + 1),
        ]
        renewal = asdict(after.renewal) if after.renewal else None
        signer = after.signer.encode() if after.signer else None
        values = {key: getattr(after, key) for key in ("limit", "starts", "ends", "repeat")}
        values |= {"renewal": renewal, "signer": signer}
        for key, value in values.items():
            attribute = getattr(EnrolmentRow, key)
            actions.append(attribute.remove() if value is None else attribute.set(value))
        unchanged = EnrolmentRow.revision == before.revision
        return committed(
            Put(entry_row(before.name, entry)),
            Update(EnrolmentRow(KIND, before.name), actions, unchanged),
        )

    def _write(self, number: int | None, new: Enrolment, entry: EnrolmentEntry) -> bool:
        """Write a definition; return False if another was written meanwhile."""
        definitions = EnrolmentNumberRow.number
        unchanged = definitions.does_not_exist() if number is None else definitions == number
        return committed(
            Put(row_of(new), EnrolmentRow.kind.does_not_exist()),
            Put(entry_row(new.name, entry)),
            Update(EnrolmentNumberRow(REGISTER, REGISTER), [definitions.add(1)], unchanged),
        )


def entry_row(name: EnrolmentName, entry: EnrolmentEntry) -> EnrolmentEntryRow:
    """Return the item of an entry, with a key of its own in the order of time."""
    key = f"{entry.at}#{uuid4().hex[:8]}"
    return EnrolmentEntryRow(
        history_key(name), key, at=entry.at, actor=entry.actor, event=entry.event.value, detail=entry.detail or None
    )


def _definitions() -> int | None:
    try:
        return int(EnrolmentNumberRow.get(REGISTER, REGISTER, consistent_read=True).number)
    except DoesNotExist:
        return None


def _repeated(same: Enrolment, new: Enrolment) -> Enrolment:
    wanted = replace(new, createdby=same.createdby, createdat=same.createdat, state=same.state)
    wanted = replace(wanted, revision=same.revision, admitted=same.admitted)
    if same == wanted and same.state is not EnrolmentState.REVOKED:
        return same
    message = f"got {new.name}, which exists with other conditions or is revoked; want a new name"
    raise Conflict("ENROLMENT_EXISTS", message)


def _changed(name: EnrolmentName) -> Conflict:
    message = f"got {name}, but another user or device changed enrolments just now; look at it and try again"
    return Conflict("CHANGED_MEANWHILE", message)
