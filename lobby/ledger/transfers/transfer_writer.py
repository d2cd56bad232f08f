"""The ledger's events of transfers between lobbies (`domain.transfers.transfer_transitions`).

Each event is one transaction for one device. An event that was written before changes nothing, so an interrupted
request can be repeated completely.
"""

from typing import TYPE_CHECKING

from lobby.domain.claims.serial_claim import SerialNumberClaimed
from lobby.domain.device import Device
from lobby.domain.states import Event, State
from lobby.domain.transfers import transfer_transitions
from lobby.domain.transfers.transfer import Transfer
from lobby.errors import Conflict
from lobby.ledger.event_writer import EventWriter, RowDecision, on_row, present
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from lobby.domain.identity import Identity


class TransferWriter(EventWriter):
    """Writes the steps of transfers."""

    def offer(self, certid: Fingerprint, offered: Transfer) -> Device:
        """Offer a device to another lobby. Raise `NotFound`, or `Conflict` as `transfer_transitions.offer`."""
        why = f"{offered.offer} to {offered.partner}"
        return self._decide(
            certid, Event.OFFER, lambda d, at: transfer_transitions.offer(d, offered, at), offered.actor, why
        )

    def withdraw(
        self, certid: Fingerprint, actor: str, offer: str | None = None, *, also_completed: bool = True
    ) -> Device:
        """Withdraw an offer or a completed transfer; with `offer`, only this offer. Raise `NotFound`, or `Conflict`
        NOT_OFFERED, or TRANSFERRED without `also_completed`."""

        def decide(device: Device, at: str) -> Device:
            if offer is not None:
                transfer_transitions.require_offer(device, offer)
            if device.devstate is State.TRANSFERRED and not also_completed:
                raise Conflict("TRANSFERRED", f"got {certid}, which was transferred; want an admin to take it back")
            return transfer_transitions.withdraw(device, at)

        return self._decide(certid, Event.WITHDRAW, decide, actor, None)

    def transfer(self, certid: Fingerprint, completed: Transfer) -> Device:
        """Record that another lobby has accepted a device. Raise `NotFound`, or `Conflict` as
        `transfer_transitions.complete`."""
        why = f"{completed.offer} to {completed.partner} at {completed.endpoint}"
        return self._decide(
            certid, Event.TRANSFER, lambda d, at: transfer_transitions.complete(d, completed, at), completed.actor, why
        )

    def end_transfer(self, device: Device, actor: str) -> Device:
        """Have the certificate of a transferred device deactivated, if its time is over."""
        return self._update(device, Event.DEACTIVATE, transfer_transitions.end, actor, why=transfer_transitions.ENDED)

    def accept(self, row: Device | None, identity: "Identity", accepted: Transfer, issued: str) -> Device:
        """Admit a device of another lobby by an offer from the time `issued`. `row` is the device's row, if it has one.
        Raise `Conflict` as `transfer_transitions.accept`, NAME_TAKEN if another certificate or the claim of a serial
        number holds its name, REVOKED, QUARANTINED."""

        def decide(device: Device | None, at: str) -> Device:
            return transfer_transitions.accept(device, identity, accepted, issued, self._region, at)

        try:
            return present(
                self._transition(
                    row.certid if row else identity.certid,
                    Event.ACCEPT,
                    decide,
                    accepted.actor,
                    row=row,
                    why=f"{accepted.offer} from {accepted.partner}",
                    name=identity.name,
                )
            )
        except SerialNumberClaimed:
            message = f"got the name {identity.name!r}, which is claimed as a serial number; withdraw that claim first"
            raise Conflict("NAME_TAKEN", message) from None

    def _decide(self, certid: Fingerprint, event: Event, decide: RowDecision, actor: str, why: str | None) -> Device:
        return present(self._transition(certid, event, on_row(certid, decide), actor, why=why))
