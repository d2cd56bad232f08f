"""Writes the admission of a device by an enrolment: row, history, counts, claim and the enrolment's number of devices,
in one transaction.

The transaction requires that the enrolment is as it was read and not full. So a limit is never exceeded, and a pause or
a revocation applies to every admission after it, whatever a Lambda has cached.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lobby.domain import enrolment_admission, presence, transitions
from lobby.domain.device import Device, Entry
from lobby.domain.enrolment import Enrolment
from lobby.domain.enrolment_admission import Plan
from lobby.domain.states import Event
from lobby.errors import Conflict
from lobby.ledger.enrolment_rows import KIND, REFUSALS, EnrolmentNumberRow, EnrolmentRow, refusals_key
from lobby.ledger.enrolment_tokens import require_usable, update_of
from lobby.ledger.enrolments import find_enrolment
from lobby.ledger.event_writer import ATTEMPTS, EventWriter
from lobby.ledger.transaction import Change, TransactionConflict, Update, change_of
from lobby.names import EnrolmentName, Fingerprint

if TYPE_CHECKING:
    from lobby.domain.identity import Identity


REPLACED: Final = "REPLACED"
"""The reason in the history of a certificate whose device got another one."""


class EnrolmentChanged(Exception):
    """The enrolment is not as it was read, or has become full: read all enrolments again, and select again."""


class EnrolledAdmissionWriter(EventWriter):
    """Writes what enrolments admit."""

    def admit_by(self, plan: Plan, identity: "Identity", actor: str) -> Device:
        """Admit a verified certificate by an enrolment, and claim it if the plan says so. Raise `EnrolmentChanged`, or
        `Conflict` as `Ledger.admit`."""
        replaced = plan.use.replaces if plan.use else None
        before, last, holder = None, None, replaced.certid if replaced else None
        for attempt in range(ATTEMPTS):
            at = self._timestamp()
            admitted = enrolment_admission.admit(before, identity, plan, self._region, at)
            if admitted == before:
                return admitted
            change = self._admission(plan, before, admitted, last, actor, at)
            change = replace(change, name=identity.name, holder=holder)
            try:
                self._writer.write([change, *replacement(replaced, identity.certid, actor, at)])
            except TransactionConflict as conflict:
                if conflict.busy:
                    self._pause(attempt)
                before = self.get(identity.certid)
                if transitions.was_admitted(before):
                    continue
                last = None if before else self.last_entry(identity.certid)
                holder = self._holder(plan, identity)
                _require_same(plan.enrolment, counted=not plan.counts(before))
                if plan.use:
                    require_usable(plan.use, at)
            else:
                assert change.after is not None  # noqa: S101  # an admission never removes the row
                return change.after
        raise Conflict("CHANGED_MEANWHILE", "got an admission for a device that keeps changing; try again")

    def _admission(
        self, plan: Plan, before: Device | None, admitted: Device, last: Entry | None, actor: str, at: str
    ) -> Change:
        certid = admitted.certid
        why = transitions.why_admitted(admitted)
        change = change_of(certid, Event.ADMIT, before, admitted, actor=actor, at=at, why=why, last=last)
        also = [_use(plan.enrolment, counted=not plan.counts(before))]
        change = replace(change, also=(*also, *([update_of(plan.use, at)] if plan.use else [])))
        assert change.after is not None  # noqa: S101  # an admission never removes the row
        claimed = presence.with_code(enrolment_admission.claim(change.after, plan, at), self._new_code)
        if claimed is None:
            return change
        second = change_of(certid, Event.CLAIM, change.after, claimed, actor=plan.enrolment.actor, at=at)
        return replace(change, after=second.after, further=second.entry)

    def _holder(self, plan: Plan, identity: "Identity") -> Fingerprint | None:
        """Return the certificate that holds the name and gives it to this one. Raise `Conflict` NAME_TAKEN, or
        CHANGED_MEANWHILE if the certificate that is to be replaced has changed."""
        replaced = plan.use.replaces if plan.use else None
        if replaced is None:
            return self.replaceable_holder(identity.name, identity.certid)
        current = self.get(replaced.certid)
        if current is None or current.version != replaced.version:
            raise Conflict("CHANGED_MEANWHILE", f"got the name {identity.name!r}, whose device changes; try again")
        return replaced.certid


def replacement(replaced: Device | None, by: Fingerprint, actor: str, at: str) -> list[Change]:
    """Return the change by which a certificate is revoked because its device gets another one, if there is one."""
    if replaced is None:
        return []
    revoked = transitions.revoke(replaced, replaced.certid, f"replaced by certificate {by}", at)
    return [change_of(replaced.certid, Event.REVOKE, replaced, revoked, actor=actor, at=at, why=REPLACED)]


def count_refusal(enrolment: EnrolmentName, code: str) -> None:
    """Count a refusal of a device that has no certificate, hence no row."""
    update = counted_refusal(enrolment, code)
    update.row.update(list(update.actions))


def counted_refusal(enrolment: EnrolmentName, code: str) -> Update:
    """Return the update that counts a refusal by an enrolment."""
    row = EnrolmentNumberRow(REFUSALS, refusals_key(enrolment, code))
    return Update(row, [EnrolmentNumberRow.number.add(1)])


def _use(enrolment: Enrolment, *, counted: bool) -> Update:
    """Return the update that counts a device, on condition that the enrolment is unchanged and not full. A device that
    was counted before only requires that it is unchanged."""
    row, same = EnrolmentRow(KIND, enrolment.name), EnrolmentRow.revision == enrolment.revision
    if counted:
        return Update(row, [EnrolmentRow.revision.set(enrolment.revision)], same)
    free = same if enrolment.limit is None else same & (EnrolmentRow.admitted < enrolment.limit)
    return Update(row, [EnrolmentRow.admitted.add(1)], free)


def _require_same(enrolment: Enrolment, *, counted: bool) -> None:
    current = find_enrolment(enrolment.name)
    if current is None or current.revision != enrolment.revision or (current.is_full and not counted):
        raise EnrolmentChanged
