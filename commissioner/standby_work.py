"""The commissioner's work for a device in its other place: prepares it in its standby, or sends it to the lobby from
its home.

Every step can be interrupted and repeated. A device that was just returned may still be connected to its standby, so it
gets a reset message before its certificate is deactivated there. If a standby refuses a device, nothing changes in the
device's target; the row gets the reason, and the next preparation tries again.

A target's record can change while a device is being prepared by the earlier record. The campaign of that change does
not request a preparation that is in progress, so it is requested again here. The record is read from the table, because
a Lambda may have cached an older one.
"""

from collections.abc import Callable
from dataclasses import replace

from commissioner.errors import TargetRefusal
from commissioner.target_gateway.gateway import TargetGateway
from lobby.domain.changes import Chosen
from lobby.domain.device import Device
from lobby.domain.standby.standby import Standby, StandbyMode, StandbyStatus
from lobby.domain.standby.standby_changes import Prepare
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target
from lobby.wire import Message


class StandbyWork:
    """`actor` is the commissioner's name in histories. `send` sends a message to a device in the lobby."""

    def __init__(
        self, ledger: Ledger, gateway: TargetGateway, send: Callable[[Device, Message], None], actor: str
    ) -> None:
        self._ledger, self._gateway, self._send, self._actor = ledger, gateway, send, actor

    def carry_out(self, device: Device, is_former: Callable[[Fingerprint], bool]) -> str:
        """Do the row's work, and return the outcome. Raise errors after which the work must be retried."""
        standby = _standby_of(device)
        try:
            return self._leave_home(device, standby) if standby.home else self._prepare(device, standby, is_former)
        except TargetRefusal as refusal:
            return self.refused(device, refusal)

    def refused(self, device: Device, refusal: TargetRefusal) -> str:
        """Record that the place has refused the device. At its home, the registration stays as it is."""
        standby = _standby_of(device)
        status = standby.status if standby.home else StandbyStatus.REFUSED
        self._ledger.prepared(device, standby.target, status, self._actor, code=refusal.code)
        return refusal.code

    def _leave_home(self, device: Device, standby: Standby) -> str:
        self._gateway.send_to_lobby(standby.target, device)
        why = f"asked to leave {standby.target}"
        self._ledger.prepared(device, standby.target, standby.status, self._actor, why=why)
        return "asked to leave"

    def _prepare(self, device: Device, standby: Standby, is_former: Callable[[Fingerprint], bool]) -> str:
        registered = self._gateway.target_now(device.target)
        mode = registered.standby_mode if registered else StandbyMode.ACTIVE
        refusal = self._ask_to_leave(standby.target, device) if standby.leaving else None
        endpoint = self._gateway.prepare(standby.target, device, mode, is_former)
        status = StandbyStatus.ACTIVE if mode is StandbyMode.ACTIVE else StandbyStatus.INACTIVE
        if refusal is not None and status is StandbyStatus.ACTIVE:
            return self.refused(device, refusal)
        if status is StandbyStatus.ACTIVE and registered is not None and registered.evacuated_at is None:
            self._send_route(replace(device, standby=replace(standby, status=status, iotep=endpoint, wanted=False)))
        self._ledger.prepared(device, standby.target, status, self._actor, endpoint)
        current = self._gateway.target_now(device.target)
        if current is not None and (current.standby, current.standby_mode) != (standby.target, mode):
            self._ledger.change(Chosen(device.certid), Prepare(current), self._actor)
        return "prepared"

    def _ask_to_leave(self, standby: Target, device: Device) -> TargetRefusal | None:
        """Return the refusal of the message. If the certificate stays active in the standby, the device stays, too, so
        the next preparation sends the message again."""
        try:
            self._gateway.send_to_lobby(standby, device)
        except TargetRefusal as refusal:
            return refusal
        return None

    def announce(self, device: Device, target: Target) -> str:
        """Send the route to a device in its target, in the target's lane. The device then fetches its standby from the
        lobby. If the target refuses the message, the device gets its standby with its next hello in the lobby."""
        route = device.route()
        if route is None or device.devicename is None:
            raise AssertionError(f"a device that has arrived has a route: {device.certid}")
        try:
            self._gateway.publish_route(target, device.devicename, route)
        except TargetRefusal as refusal:
            self._ledger.announced(device, self._actor, refusal.code)
            return refusal.code
        self._ledger.announced(device, self._actor)
        return "standby announced"

    def _send_route(self, device: Device) -> None:
        """Send the route, which now has a standby, to a device in the lobby. A device in its target gets the
        announcement from the target's lane, because a worker of the standby's lane makes no calls there."""
        route = device.route()
        if route is not None:
            self._send(device, route)


def _standby_of(device: Device) -> Standby:
    if device.standby is None:
        raise AssertionError(f"a device with work in its standby has one: {device.certid}")
    return device.standby
