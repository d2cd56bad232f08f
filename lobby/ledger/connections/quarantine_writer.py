"""The ledger's changes of a device when evidence is found that its certificate is in use twice.

`domain.connections.quarantine` decides them.

One transaction records the evidence and, if the policy requires it, the quarantine, so a crash cannot separate them.
Repeating it changes nothing. Users dismiss a suspicion and lift a quarantine with `DeviceChanges`.
"""

from lobby.domain.connections import quarantine
from lobby.domain.connections.clones import ClonePolicy, Evidence, usable_from
from lobby.domain.device import Device
from lobby.domain.states import ADMITTED_STATES, Event
from lobby.ledger.event_writer import EventWriter


class QuarantineWriter(EventWriter):
    """The ledger's changes because of evidence."""

    def suspect(self, device: Device, evidence: Evidence, policy: ClonePolicy, since: int, actor: str) -> Device:
        """Flag the device, or put it in quarantine. Nothing changes in three cases: the device is already flagged and
        the policy is not a quarantine; it has no active certificate; or a user has dismissed the suspicion after the
        evidence was selected with `usable_from` = `since`."""

        def decide(row: Device, at: str) -> Device:
            if row.devstate not in ADMITTED_STATES or usable_from(row.suspicion) > since:
                return row
            found = evidence.found(at)
            if policy is ClonePolicy.QUARANTINE:
                return quarantine.quarantine(row, found.advice, at, found)
            return quarantine.suspect(row, found)

        event = Event.QUARANTINE if policy is ClonePolicy.QUARANTINE else Event.SUSPECT
        return self._update(device, event, decide, actor, why=evidence.summary)
