"""The ledger (device registry): every event of a device, written as one conditional transaction with its history entry.

A method reads the row (or takes the one that its caller has read), lets `transitions` decide what the event changes,
and writes only if the row is unchanged. If it has changed, the method decides again with the new row. Nothing is
written in part, and an event that changes nothing writes nothing. An event that `states` does not allow raises
`Conflict`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pynamodb.exceptions import UpdateError

from lobby.domain import commissioner_transitions, hellos, presence, transitions
from lobby.domain.changes import Chosen, Release, Revoke
from lobby.domain.claims.serial_claim import SerialNumberClaimed
from lobby.domain.device import Device, PresenceProof
from lobby.domain.hellos import Report
from lobby.domain.shadows.shadow_choices import ShadowOutcome
from lobby.domain.states import PLACED_STATES, Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.bulk import Bulk
from lobby.ledger.clock import timestamp
from lobby.ledger.connections.quarantine_writer import QuarantineWriter
from lobby.ledger.device_changes import DeviceChanges
from lobby.ledger.dynamodb_errors import code_of
from lobby.ledger.enrolments.enrolled_admission import EnrolledAdmissionWriter, counted_refusal
from lobby.ledger.event_writer import UNREAD, on_row, present
from lobby.ledger.models import LedgerRow
from lobby.ledger.regions.epochs import by_no_newer_home, written_by_home
from lobby.ledger.renewals.renewal_writer import RenewalWriter
from lobby.ledger.standby.standby_writer import StandbyWriter
from lobby.ledger.transaction import changes
from lobby.ledger.transfers.transfer_writer import TransferWriter
from lobby.names import EnrolmentName, Fingerprint, PresenceCode, Target, ThingName

if TYPE_CHECKING:
    from lobby.domain.identity import Identity

HEARTBEAT_INTERVAL: Final = timedelta(minutes=30)
"""How often a waiting device's last hello is recorded. Whether it is connected is known from lifecycle events."""
NO_NAMES: Final[Mapping[Fingerprint, ThingName]] = MappingProxyType({})
_WAITING_STATES: Final = (State.INLOBBY, State.PROVING, State.FAILED)


class Ledger(EnrolledAdmissionWriter, DeviceChanges, RenewalWriter, StandbyWriter, QuarantineWriter, TransferWriter):
    """The record of every device: one method for each event."""

    def admit(self, identity: "Identity", actor: str) -> Device:
        """Admit a verified certificate. The first attempt assumes that there is no row, which is true for most devices,
        so it reads nothing. If the claim expected another name, the entry has the reason NAME_DIFFERS. If the device's
        serial number is claimed, the same transaction claims the device. Raise `Conflict` NAME_TAKEN if another
        certificate has its name, REVOKED or QUARANTINED."""
        try:
            return present(
                self._transition(
                    identity.certid,
                    Event.ADMIT,
                    lambda d, at: transitions.admit(d, identity, self._region, at),
                    actor,
                    row=None,
                    why=transitions.why_admitted,
                    name=identity.name,
                )
            )
        except SerialNumberClaimed:
            return self.admit_claimed(identity, actor)

    def refuse(
        self,
        certid: Fingerprint,
        name: ThingName | None,
        code: str,
        message: str,
        actor: str,
        enrolment: EnrolmentName | None = None,
        *,
        unless_admitted: bool = False,
    ) -> Device:
        """Record that a certificate was refused, and why, and count the refusal by an `enrolment`. `unless_admitted`: a
        device that was admitted before stays as it is."""

        def decide(device: Device | None, at: str) -> Device:
            if device is not None and unless_admitted and transitions.was_admitted(device):
                return device
            return transitions.refuse(device, certid, name, self._region, code, message, at)

        also = (counted_refusal(enrolment, code),) if enrolment else ()
        return present(self._transition(certid, Event.REFUSE, decide, actor, row=None, why=code, also=also))

    def hello(
        self,
        device: Device,
        clientversion: str | None,
        actor: str,
        shows_code: bool | None = None,
        can_renew: bool | None = None,
    ) -> Device:
        """Record the first hello of an admitted device, or that an arrived device is back in the lobby, with what its
        client reports (`hellos.Report`)."""
        report = Report(clientversion, shows_code, can_renew, self._region)
        return self._update(device, Event.HELLO, lambda d, at: hellos.hello(d, report, at), actor)

    def record_heartbeat(
        self,
        device: Device,
        clientversion: str | None,
        shows_code: bool | None = None,
        can_renew: bool | None = None,
    ) -> bool:
        """Record the last hello of a waiting device. Return whether it was written: at most once per
        `HEARTBEAT_INTERVAL`, or when the capabilities of its client have changed. For a device that has its route, only
        such changes are recorded. While the row needs the commissioner, each write starts the commissioner again, so
        only two changes are written: whether the client can renew, and a change of the door. They must not wait,
        because a device that was claimed before its first hello may send only this one in the lobby."""
        at, report = self._clock(), Report(clientversion, shows_code, can_renew, self._region)
        waits, is_new = device.devstate in _WAITING_STATES, hellos.is_news(device, report)
        if device.needs_commissioner and not hellos.is_urgent_news(device, report):
            return False
        if not device.needs_commissioner and not (waits or (is_new and device.devstate in PLACED_STATES)):
            return False
        if device.lastseen is not None and device.lastseen > timestamp(at - HEARTBEAT_INTERVAL) and not is_new:
            return False
        after, unchanged = hellos.record(device, report, timestamp(at)), LedgerRow.version == device.version
        newest = by_no_newer_home()
        try:
            LedgerRow(device.certid).update(
                actions=[*changes(device, after), *written_by_home()],
                condition=unchanged if newest is None else unchanged & newest,
            )
        except UpdateError as error:
            if code_of(error) in ("ConditionalCheckFailedException", "TransactionConflictException"):
                return False
            raise
        return True

    def claim(
        self,
        certid: Fingerprint,
        request: ClaimRequest,
        actor: str,
        row: Any = UNREAD,
        expected_name: ThingName | None = None,
    ) -> Device:
        """Claim a device that was never seen, or that waits. Raise `Conflict` ALREADY_CLAIMED. `row` is the row that
        the caller has read, or None if there is no row. `expected_name`: the name that the device is expected to
        have."""

        def decide(device: Device | None, at: str) -> Device:
            return transitions.claim(device, certid, request, actor, at, expected_name)

        return present(self._transition(certid, Event.CLAIM, decide, actor, row=row))

    def claim_many(
        self,
        certids: Sequence[Fingerprint],
        request: ClaimRequest,
        actor: str,
        deadline: Callable[[], bool],
        names: Mapping[Fingerprint, ThingName] = NO_NAMES,
    ) -> list[Device | LobbyError]:
        """Claim each device and return the results in order: a device, or the error. Once `deadline` returns true, the
        remaining devices get `Conflict` NOT_TRIED. `names`: the names that the devices are expected to have."""
        bulk = Bulk(
            Event.CLAIM,
            lambda certid, device, at: transitions.claim(device, certid, request, actor, at, names.get(certid)),
            lambda _certid, error: error,
            actor,
            self._writer,
            lambda certid: self.claim(certid, request, actor, expected_name=names.get(certid)),
            self._timestamp,
            self._pause,
            deadline,
            self._new_code,
        )
        return [outcome if isinstance(outcome, LobbyError) else present(outcome) for outcome in bulk.outcomes(certids)]

    def confirm(self, device: Device, code: PresenceCode, actor: str) -> Device:
        """Put the claim of the device that shows this code into effect. Nothing changes for a claim that was confirmed
        before. A wrong code is recorded before the error is raised, even if several are entered at the same time.
        Raise `Conflict`: WRONG_CODE; PRESENCE_FAILED for the last wrong code, which drops the claim; CHANGED_MEANWHILE
        if the device has another claim."""
        if device.presence_proof is PresenceProof.GIVEN:
            return device
        right, generation = presence.is_right(device, code), device.generation
        if right:
            return self._update(device, Event.CONFIRM, lambda d, at: presence.confirm(d, generation, at), actor)
        raise presence.wrong_code(
            self._update(
                device, Event.MISMATCH, lambda d, at: presence.mismatch(d, generation, at), actor, why=presence.WRONG
            )
        )

    def move(self, certid: Fingerprint, request: ClaimRequest, actor: str) -> Device:
        """Claim a claimed device for another target."""
        return present(
            self._read_and_update(certid, Event.MOVE, lambda d, at: transitions.move(d, request, actor, at), actor)
        )

    def release(self, certid: Fingerprint, actor: str) -> Device | None:
        """Withdraw the claim. Return None for a device that was only expected: its row is removed. Its history stays,
        so a repeated request has the same result."""
        return self.change(Chosen(certid), Release(), actor)

    def retry(self, certid: Fingerprint, actor: str, expected: Device | None = None) -> Device:
        """Have the commissioner try again. With `expected`, raise `Conflict` CHANGED_MEANWHILE if claim or state have
        changed."""

        def decide(device: Device, at: str) -> Device:
            if expected and (device.generation, device.devstate) != (expected.generation, expected.devstate):
                raise Conflict("CHANGED_MEANWHILE", f"got {certid} in {device.devstate}, want it unchanged")
            return transitions.retry(device, at)

        return present(self._read_and_update(certid, Event.RETRY, decide, actor))

    def revoke(self, certid: Fingerprint, why: str, actor: str) -> Device:
        """Revoke a certificate permanently, even if it was never seen."""
        return present(self.change(Chosen(certid), Revoke(why), actor))

    def commission(
        self,
        device: Device,
        iotep: str,
        actor: str,
        standby: Target | None = None,
        shadows: ShadowOutcome | None = None,
    ) -> Device:
        """Record the commissioner's success, for this claim only; otherwise raise `Conflict` CHANGED_MEANWHILE.
        `standby`: the standby of the device's target, in which the device is prepared next. `shadows`: what was done
        with the device's shadows."""

        def decide(row: Device, at: str) -> Device:
            return commissioner_transitions.commission(row, device.generation, iotep, at, standby, shadows)

        return self._update(device, Event.COMMISSION, decide, actor, why=shadows.why if shadows else None)

    def fail(self, device: Device, code: str, message: str, actor: str) -> Device:
        """Record the commissioner's failure, for this claim only; otherwise raise `Conflict` CHANGED_MEANWHILE."""

        def decide(row: Device, at: str) -> Device:
            return commissioner_transitions.fail(row, device.generation, code, message, at)

        return self._update(device, Event.FAIL, decide, actor, why=code)

    def retire(
        self, device: Device, cleared: Target | None, actor: str, code: str | None = None, message: str | None = None
    ) -> Device:
        """Record that a target was cleared, or, with a code, that it could not be cleared. The row stops needing the
        commissioner for this claim only; the returned device can have a newer claim."""

        def decide(row: Device, _at: str) -> Device:
            return commissioner_transitions.retire(row, device.generation, cleared, code, message)

        return self._update(device, Event.RETIRE, decide, actor, why=code, about=cleared)

    def leave_uncleared(self, certid: Fingerprint, target: Target, actor: str, code: str) -> Device:
        """Record that a target must be cleared, because a superseded claim may have left the certificate active
        there."""
        decide = on_row(certid, lambda d, _at: commissioner_transitions.leave_uncleared(d, target))
        return present(self._transition(certid, Event.RETIRE, decide, actor, why=code, about=target))

    def wake(self, certid: Fingerprint, actor: str) -> Device:
        """Start the commissioner for a row that it has not processed. Raise `Conflict` NOT_ALLOWED if it has."""
        decide = on_row(certid, lambda d, _at: commissioner_transitions.wake(d))
        return present(self._transition(certid, Event.WAKE, decide, actor, always=True))

    def deactivate(self, device: Device, target: Target, actor: str) -> Device:
        """Record, in advance, that the certificate is deactivated in a target for which it has no claim. Raise
        `Conflict` CHANGED_MEANWHILE if it has been claimed for this target since."""

        def decide(row: Device, _at: str) -> Device:
            return commissioner_transitions.deactivate(row, target)

        return self._update(device, Event.DEACTIVATE, decide, actor, about=target, always=True)
