"""Writes the admission of a device whose serial number is claimed: row, history, counts, claim and name in one
transaction, which also deletes the claim of the serial number.

This code runs only after an ordinary admission has found the name reserved, so other devices cause no additional cost.
The claim's target is read only in this case. If the claim is withdrawn at the same time, the admission is retried.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from lobby.domain import presence, transitions
from lobby.domain.claims.serial_claim import RESERVED, SerialClaim, admitted_and_claimed, admitted_only, applies
from lobby.domain.device import Device, Entry
from lobby.domain.states import Event
from lobby.errors import Conflict, NotFound
from lobby.ledger.enrolments.serial_claims import find_claim
from lobby.ledger.event_writer import ATTEMPTS, EventWriter
from lobby.ledger.targets.target_registry import Targets
from lobby.ledger.transaction import Change, TransactionConflict, change_of
from lobby.names import ThingName

if TYPE_CHECKING:
    from lobby.domain.identity import Identity


class ClaimedAdmissionWriter(EventWriter):
    """Writes admissions of devices that were claimed by serial number."""

    def admit_claimed(self, identity: "Identity", actor: str) -> Device:
        """Admit a verified certificate, and claim its device with the claim of its serial number. Raise `Conflict` as
        `Ledger.admit`, or CHANGED_MEANWHILE."""
        before: Device | None = self.get(identity.certid)
        last: Entry | None = None
        for attempt in range(ATTEMPTS):
            at, claim = self._timestamp(), serial_claim(identity.name)
            admitted = transitions.admit(before, identity, self._region, at)
            if admitted == before:
                return admitted
            why = transitions.why_admitted(admitted)
            change = change_of(identity.certid, Event.ADMIT, before, admitted, actor=actor, at=at, why=why, last=last)
            change = self._fulfilling(replace(change, name=identity.name, holder=RESERVED), claim, at)
            try:
                self._writer.write([change])
            except TransactionConflict as conflict:
                if conflict.busy:
                    self._pause(attempt)
                before = self.get(identity.certid)
                last = None if before else self.last_entry(identity.certid)
            else:
                assert change.after is not None  # noqa: S101  # an admission never removes the row
                return change.after
        raise Conflict("CHANGED_MEANWHILE", "got an admission for a device that keeps changing; try again")

    def _fulfilling(self, change: Change, claim: SerialClaim, at: str) -> Change:
        """Return the admission together with the claim, or without it if the claim has become impossible."""
        admitted = change.after
        assert admitted is not None  # noqa: S101  # an admission never removes the row
        fulfilling = replace(change, fulfils=claim)
        if not applies(admitted):
            return fulfilling
        try:
            registered = Targets.read_only().find(claim.request.target)
            claimed = presence.with_code(admitted_and_claimed(admitted, claim, registered, at), self._new_code)
        except (NotFound, Conflict) as closed:
            return replace(fulfilling, after=admitted_only(admitted, claim, closed))
        second = change_of(change.entry.certid, Event.CLAIM, admitted, claimed, actor=claim.actor, at=at)
        return replace(fulfilling, after=second.after, further=second.entry)


def serial_claim(name: ThingName) -> SerialClaim:
    """Return the claim of a serial number that was just found reserved. Raise `Conflict` CHANGED_MEANWHILE if it was
    withdrawn since then."""
    found = find_claim(name)
    if found is None:
        message = f"got serial number {name}, whose claim was withdrawn just now; try again"
        raise Conflict("CHANGED_MEANWHILE", message)
    return found
