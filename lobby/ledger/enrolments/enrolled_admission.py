"""Writes the admission of a device by an enrolment: row, history, counts, claim and the enrolment's number of devices,
in one transaction.

The transaction requires that the enrolment is unchanged and not full. So a limit is never exceeded, and a pause or a
revocation applies to every later admission, even if a Lambda has cached older data.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lobby.domain import presence, transitions
from lobby.domain.claims.serial_claim import RESERVED, SerialClaim, SerialNumberClaimed
from lobby.domain.device import Device, Entry
from lobby.domain.doors.repeats import Predecessor, has_same_key, predecessor_for
from lobby.domain.enrolments import enrolment_admission
from lobby.domain.enrolments.enrolment import Enrolment
from lobby.domain.enrolments.enrolment_admission import Plan
from lobby.domain.states import Event
from lobby.errors import Conflict
from lobby.ledger.enrolments.claimed_admission import ClaimedAdmissionWriter, serial_claim
from lobby.ledger.enrolments.enrolment_register import find_enrolment
from lobby.ledger.enrolments.enrolment_rows import KIND, REFUSALS, EnrolmentNumberRow, EnrolmentRow, refusals_key
from lobby.ledger.enrolments.enrolment_tokens import require_usable, update_of
from lobby.ledger.enrolments.serial_approvals import is_approved, use_of
from lobby.ledger.event_writer import ATTEMPTS
from lobby.ledger.transaction import Change, TransactionConflict, Update, change_of
from lobby.names import EnrolmentName, Fingerprint

if TYPE_CHECKING:
    from lobby.domain.identity import Identity


REPLACED: Final = "REPLACED"
"""The reason in the history of a certificate that was replaced because its device got another one."""


class EnrolmentChanged(Exception):
    """The enrolment has changed or become full: read all enrolments again, and select again."""


class EnrolledAdmissionWriter(ClaimedAdmissionWriter):
    """Writes admissions by enrolments."""

    def admit_by(self, plan: Plan, identity: "Identity", actor: str) -> Device:
        """Admit a verified certificate by an enrolment, and claim it if the plan says so. The certificate that it
        replaces is revoked in the same transaction. Raise `EnrolmentChanged`, or `Conflict` as `Ledger.admit` and
        `repeats.predecessor_for`."""
        replaced = plan.use.replaces if plan.use else None
        before, last, former = None, None, Predecessor(replaced.certid, replaced) if replaced else None
        claim: SerialClaim | None = None
        for attempt in range(ATTEMPTS):
            at = self._timestamp()
            admitted = enrolment_admission.admit(before, identity, plan, self._region, at)
            if admitted == before:
                return admitted
            change = self._admission(plan, before, admitted, last, actor, at, claim)
            change = _succeeding(replace(change, name=identity.name), plan, before, former)
            try:
                self._writer.write([change, *_replacement(former, identity.certid, actor, at)])
            except TransactionConflict as conflict:
                if conflict.busy:
                    self._pause(attempt)
                before = self.get(identity.certid)
                if transitions.was_admitted(before):
                    continue
                last = None if before else self.last_entry(identity.certid)
                former, claim = self._former_or_claim(plan, identity, at)
                _require_same(plan.enrolment, counted=_is_counted(plan, before, former))
                if plan.use:
                    require_usable(plan.use, at)
            else:
                assert change.after is not None  # noqa: S101  # an admission never removes the row
                return change.after
        raise Conflict("CHANGED_MEANWHILE", "got an admission for a device that keeps changing; try again")

    def _admission(
        self,
        plan: Plan,
        before: Device | None,
        admitted: Device,
        last: Entry | None,
        actor: str,
        at: str,
        claim: SerialClaim | None,
    ) -> Change:
        """Return the admission with the claim of the serial number, if there is one, or else with the enrolment's
        claim."""
        certid = admitted.certid
        why = transitions.why_admitted(admitted)
        change = change_of(certid, Event.ADMIT, before, admitted, actor=actor, at=at, why=why, last=last)
        change = replace(change, also=(update_of(plan.use, at),) if plan.use else ())
        if claim is not None:
            return self._fulfilling(change, claim, at)
        assert change.after is not None  # noqa: S101  # an admission never removes the row
        claimed = presence.with_code(enrolment_admission.claim(change.after, plan, at), self._new_code)
        if claimed is None:
            return change
        second = change_of(certid, Event.CLAIM, change.after, claimed, actor=plan.enrolment.actor, at=at)
        return replace(change, after=second.after, further=second.entry)

    def _former_or_claim(
        self, plan: Plan, identity: "Identity", at: str
    ) -> tuple[Predecessor | None, SerialClaim | None]:
        """Return the holder that gives its name to this certificate: a former certificate, or a user's claim."""
        try:
            return self._former(plan, identity, at), None
        except SerialNumberClaimed:
            return Predecessor(RESERVED, None), serial_claim(identity.name)

    def _former(self, plan: Plan, identity: "Identity", at: str) -> Predecessor | None:
        """Return the certificate that gives its name to this one, if there is one. Raise `Conflict` NAME_TAKEN, as
        `repeats.predecessor_for`, or CHANGED_MEANWHILE if the device of the former certificate has changed."""
        if plan.use is not None and plan.use.replaces is not None:
            return self._unchanged(plan.use.replaces, identity)
        if plan.enrolment.repeat is None:
            successor_of = self.replaceable_holder(identity.name, identity.certid)
            return Predecessor(successor_of, None) if successor_of else None
        holder = self.holder_or_claim(identity.name)
        if holder is None or holder == identity.certid:
            return None
        row, approved = self.get_with_certificate(holder), is_approved(identity.name, plan.enrolment.name, at)
        same = row is not None and row.devicecert is not None and has_same_key(identity.pem, row.devicecert)
        return predecessor_for(plan.enrolment, identity.name, holder, row, same_key=same, approved=approved)

    def _unchanged(self, replaced: Device, identity: "Identity") -> Predecessor:
        current = self.get(replaced.certid)
        if current is None or current.version != replaced.version:
            raise Conflict("CHANGED_MEANWHILE", f"got the name {identity.name!r}, whose device changes; try again")
        return Predecessor(replaced.certid, replaced)


def _succeeding(change: Change, plan: Plan, before: Device | None, former: Predecessor | None) -> Change:
    """Return the admission, which also counts in the enrolment and takes over the claim of the former certificate."""
    also = [_use(plan.enrolment, counted=_is_counted(plan, before, former)), *change.also]
    if former is None:
        return replace(change, also=tuple(also))
    if former.approved and change.name is not None:
        also.append(use_of(change.name, plan.enrolment.name, change.entry.certid))
    return replace(change, also=tuple(also), holder=former.holder)


def _is_counted(plan: Plan, before: Device | None, former: Predecessor | None) -> bool:
    """Return whether the enrolment has counted the device, possibly with its former certificate."""
    return not plan.counts(before) or enrolment_admission.is_counted(former.row if former else None, plan.enrolment)


def _replacement(former: Predecessor | None, by: Fingerprint, actor: str, at: str) -> list[Change]:
    """Return the change by which a certificate is revoked because its device gets another one, if there is one."""
    replaced = former.revokes if former else None
    if replaced is None:
        return []
    revoked = transitions.revoke(replaced, replaced.certid, f"replaced by certificate {by}", at)
    return [change_of(replaced.certid, Event.REVOKE, replaced, revoked, actor=actor, at=at, why=REPLACED)]


def count_refusal(enrolment: EnrolmentName, code: str) -> None:
    """Count a refusal of a device that has no certificate, and therefore no row."""
    update = counted_refusal(enrolment, code)
    update.row.update(list(update.actions))


def counted_refusal(enrolment: EnrolmentName, code: str) -> Update:
    """Return the update that counts a refusal by an enrolment."""
    row = EnrolmentNumberRow(REFUSALS, refusals_key(enrolment, code))
    return Update(row, [EnrolmentNumberRow.number.add(1)])


def _use(enrolment: Enrolment, *, counted: bool) -> Update:
    """Return the update that counts a device, on condition that the enrolment is unchanged and not full. For a device
    that was counted before, the enrolment may be full."""
    row, same = EnrolmentRow(KIND, enrolment.name), EnrolmentRow.revision == enrolment.revision
    if counted:
        return Update(row, [EnrolmentRow.revision.set(enrolment.revision)], same)
    free = same if enrolment.limit is None else same & (EnrolmentRow.admitted < enrolment.limit)
    return Update(row, [EnrolmentRow.admitted.add(1)], free)


def _require_same(enrolment: Enrolment, *, counted: bool) -> None:
    current = find_enrolment(enrolment.name)
    if current is None or current.revision != enrolment.revision or (current.is_full and not counted):
        raise EnrolmentChanged
