"""The common end of all doors: a device with a verified identity is admitted by the enrolment that applies to it.

The most specific enrolment that matches decides: it refuses with its own reason, or admits, counts and claims the
device in one transaction. A device that no enrolment matches is admitted and waits for a claim. Every step can be
repeated: an admitted device stays admitted, even if its enrolment has changed since then.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from lobby.domain.device import Device
from lobby.domain.doors.applicants import applicant_of
from lobby.domain.doors.provisioning import SERIAL_UNMATCHED
from lobby.domain.enrolments.enrolment import Applicant, Door, Enrolment, refusal_of
from lobby.domain.enrolments.enrolment_admission import Plan, is_counted
from lobby.domain.enrolments.enrolment_selection import matches, selected
from lobby.domain.identity import Identity
from lobby.domain.transitions import was_admitted
from lobby.doors.allocating import Allocator
from lobby.errors import Conflict, IdentityRefused
from lobby.ledger.clock import now, timestamp
from lobby.ledger.enrolments.enrolled_admission import EnrolmentChanged
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.recent_enrolments import RecentEnrolments
from lobby.ledger.enrolments.serial_lists import enrolment_listing
from lobby.ledger.store import Ledger
from lobby.names import EnrolmentName

_ATTEMPTS: Final = 4


class EnrolmentRefused(IdentityRefused):
    """The device's enrolment does not admit it."""

    def __init__(self, enrolment: EnrolmentName, code: str, message: str) -> None:
        super().__init__(code, message)
        self.enrolment = enrolment


class Admission:
    """Admits devices by the enrolment that matches them, or that they name. `allocator` chooses their targets."""

    def __init__(
        self,
        ledger: Ledger,
        enrolments: RecentEnrolments,
        allocator: Allocator,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._ledger, self._enrolments, self._allocator, self._clock = ledger, enrolments, allocator, clock

    def admit(self, identity: Identity, ca: str, actor: str) -> Device:
        """Admit a device at the registration door. `ca` is AWS IoT's id of the CA that signed its certificate. Raise
        `EnrolmentRefused`, or `Conflict` as `Ledger.admit`."""
        enrolments = self._known()
        if not enrolments:
            return self._ledger.admit(identity, actor)
        applicant, plan = applicant_of(identity, ca), None
        for _ in range(_ATTEMPTS):
            enrolment = self._applying(enrolments, applicant)
            if enrolment is None:
                return self._ledger.admit(identity, actor)
            if refusal_of(enrolment, timestamp(self._clock())) is not None:
                enrolments = self._known(self._clock())
                enrolment = self._applying(enrolments, applicant)
                if enrolment is None or not self._admits(enrolment, applicant):
                    return self._ledger.admit(identity, actor)
            plan = self._plan(enrolment, applicant, plan)
            try:
                return self._ledger.admit_by(plan, identity, actor)
            except EnrolmentChanged:
                enrolments = self._known(self._clock())
        raise Conflict("CHANGED_MEANWHILE", f"got {identity.certid}, whose enrolment keeps changing; try again")

    def admit_to(self, name: EnrolmentName, identity: Identity, actor: str) -> Device:
        """Admit a device at a door that knows its enrolment. The enrolment is read now, because cached data could admit
        a device with a revoked certificate or after the end of the enrolment. Raise `EnrolmentRefused`, or `Conflict`
        as `Ledger.admit_by`."""
        applicant, plan = Applicant(identity.certid, identity.name, "", {}), None
        for _ in range(_ATTEMPTS):
            enrolment = Enrolments(self._clock).get(name)
            if refusal_of(enrolment, timestamp(self._clock())) is not None and not self._admits(enrolment, applicant):
                return self._ledger.admit(identity, actor)
            require_match(enrolment, applicant, enrolment_listing(applicant.name))
            plan = self._plan(enrolment, applicant, plan)
            try:
                return self._ledger.admit_by(plan, identity, actor)
            except EnrolmentChanged:
                continue
        raise Conflict("CHANGED_MEANWHILE", f"got {identity.certid}, whose enrolment keeps changing; try again")

    def _known(self, read_after: datetime | None = None) -> list[Enrolment]:
        """Return the enrolments of this door from the cache; with `read_after`, only if they were read after this
        time."""
        return [each for each in self._enrolments.all(read_after) if each.door is Door.REGISTRATION]

    @staticmethod
    def _applying(enrolments: list[Enrolment], applicant: Applicant) -> Enrolment | None:
        """Return the enrolment that applies. The lists of serial numbers are read only if an enrolment has one."""
        has_lists = any(each.match.listed for each in enrolments)
        return selected(enrolments, applicant, enrolment_listing(applicant.name) if has_lists else None)

    def _admits(self, enrolment: Enrolment, applicant: Applicant) -> bool:
        """Return whether the enrolment admits the device now; False if the device was admitted before and stays
        admitted. Raise `EnrolmentRefused`."""
        row, at = self._ledger.get(applicant.certid), timestamp(self._clock())
        if was_admitted(row):
            return False
        refusal = refusal_of(enrolment, at, counted=self._is_counted(row, enrolment, applicant))
        if refusal is not None:
            raise EnrolmentRefused(enrolment.name, refusal.code, refusal.message)
        return True

    def _is_counted(self, row: Device | None, enrolment: Enrolment, applicant: Applicant) -> bool:
        """Return whether the enrolment has already counted the device, possibly with a key that this one can
        replace."""
        if enrolment.repeat is None or is_counted(row, enrolment):
            return is_counted(row, enrolment)
        holder = self._ledger.name_holder(applicant.name)
        return holder is not None and is_counted(self._ledger.get(holder), enrolment)

    def _plan(self, enrolment: Enrolment, applicant: Applicant, earlier: Plan | None) -> Plan:
        """Return how the device is admitted. A target that was chosen in an earlier attempt is kept, unless another
        enrolment applies now: the allocation of an enrolment never changes."""
        if earlier is not None and earlier.enrolment.name == enrolment.name:
            return Plan(enrolment, earlier.claim, earlier.failure)
        return self._allocator.plan(enrolment, applicant)


def require_match(enrolment: Enrolment, applicant: Applicant, listed_in: EnrolmentName | None) -> None:
    """Raise `EnrolmentRefused` SERIAL_UNMATCHED if the enrolment does not match the serial number, or if another
    enrolment lists it, because a list is more specific than any condition."""
    if listed_in not in (None, enrolment.name):
        message = f"got serial number {applicant.name!r}, which is in the list of enrolment {listed_in}"
        raise EnrolmentRefused(enrolment.name, SERIAL_UNMATCHED, message)
    if not matches(enrolment.match, applicant, listed=listed_in == enrolment.name):
        message = f"got serial number {applicant.name!r}, want one that enrolment {enrolment.name} matches"
        raise EnrolmentRefused(enrolment.name, SERIAL_UNMATCHED, message)
