"""Writes the events of a renewal: the device is due, its new certificate is signed, an arrival proves the new
certificate, and the old one is retired.

A device keeps its row under its first fingerprint. Each further certificate has an item in the certificates' table that
names the device and the certificate that it renews; it is written with the row, before the certificate is activated.
"""

from typing import Final

from pynamodb.exceptions import DoesNotExist

from lobby.domain import commissioner_transitions
from lobby.domain.device import Device
from lobby.domain.renewals import renewal_transitions
from lobby.domain.states import Event
from lobby.ledger.certificates import compressed
from lobby.ledger.event_writer import EventWriter
from lobby.ledger.models import CertificateRow
from lobby.ledger.transaction import Update
from lobby.names import Fingerprint

ASKED: Final = "ASKED"
"""The reason of an entry that states that the device was asked to renew its certificate."""
RENEWED: Final = "RENEWED"
"""The reason of the arrival that proves a new certificate."""


class RenewalWriter(EventWriter):
    """The ledger's events of renewals."""

    def find(self, certificate: Fingerprint) -> Device | None:
        """Return the device that has, or has had, this certificate; None if no device has. The lookup takes one read by
        a device's first certificate, and three by a later one."""
        device = self.get(certificate)
        if device is not None:
            return device
        try:
            owner = CertificateRow.get(certificate, consistent_read=True).device
        except DoesNotExist:
            return None
        return self.get(Fingerprint(owner)) if owner else None

    def due(self, device: Device, by: str, actor: str) -> Device:
        """Record that the device has to renew by `by`, and have the commissioner ask it. Each repetition makes the
        commissioner ask again."""
        return self._update(device, Event.DUE, lambda d, _at: renewal_transitions.become_due(d, by), actor)

    def renew(self, device: Device, certificate: Fingerprint, pem: str, expires: str | None, actor: str) -> Device:
        """Record a new certificate of the device, for this claim only. The reason of the entry is the new fingerprint.
        Raise `Conflict` NOT_DUE, REVOKED, NOT_ALLOWED or CHANGED_MEANWHILE."""

        def decide(row: Device, at: str) -> Device:
            commissioner_transitions.require_same_claim(row, device.generation)
            return renewal_transitions.renew(row, certificate, expires, at)

        actions = [
            CertificateRow.pem.set(compressed(pem)),
            CertificateRow.device.set(device.certid),
            CertificateRow.renews.set(device.current),
        ]
        item = Update(CertificateRow(certificate), actions, CertificateRow.certid.does_not_exist())
        return self._update(device, Event.RENEW, decide, actor, why=certificate, also=(item,))

    def arrive(self, device: Device, actor: str, certificate: Fingerprint | None = None) -> Device:
        """Record that the target reported a connection of the device with `certificate` (None: the awaited one)."""

        def decide(row: Device, at: str) -> Device:
            return commissioner_transitions.arrive(row, at, certificate)

        def why(after: Device | None) -> str | None:
            return RENEWED if after is not None and after.renewed_at == after.enteredat else None

        return self._update(device, Event.ARRIVE, decide, actor, why=why)

    def retire_certificates(self, device: Device, certificates: tuple[Fingerprint, ...], actor: str) -> Device:
        """Record that these certificates are retired in the target and in the lobby, and that a device that is due was
        asked. The reason of the entry is the first fingerprint, or ASKED if there is none."""

        def decide(row: Device, _at: str) -> Device:
            return renewal_transitions.retired(row, device.generation, certificates)

        event, why = (Event.RETIRE, certificates[0]) if certificates else (Event.DUE, ASKED)
        return self._update(device, event, decide, actor, why=why)
