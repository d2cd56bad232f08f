"""The ledger's events of a device in its standby: the device was prepared there, is connected there before its row was
changed, or has gone there without an evacuation.

A device that arrives in the standby of an evacuated target is recorded immediately: the arrival changes its row.
"""

from lobby.domain.device import Device
from lobby.domain.standby import standby_transitions
from lobby.domain.standby.standby import StandbyStatus
from lobby.domain.states import Event
from lobby.ledger.event_writer import EventWriter
from lobby.names import Target


class StandbyWriter(EventWriter):
    """The ledger's writes for standbys."""

    def prepared(
        self,
        device: Device,
        target: Target,
        status: StandbyStatus,
        actor: str,
        iotep: str | None = None,
        code: str | None = None,
        why: str = "",
    ) -> Device:
        """Record that the work in the device's other place is done; with `code`, that it was refused. `why` is the
        reason in the history; if empty, the reason states the result of the preparation."""

        def decide(row: Device, _at: str) -> Device:
            return standby_transitions.prepared(row, device.generation, target, status, iotep, code)

        reason = why or f"{code or status.value} in {target}"
        return self._update(device, Event.PREPARED, decide, actor, why=reason)

    def announced(self, device: Device, actor: str, code: str | None = None) -> Device:
        """Record that the standby was announced to the device in its target; with `code`, that it was refused."""
        endpoint = device.standby.iotep if device.standby is not None else None

        def decide(row: Device, _at: str) -> Device:
            return standby_transitions.announced(row, device.generation, endpoint, sent=code is None)

        reason = f"not announced in {device.target}: {code}" if code else f"announced in {device.target}"
        return self._update(device, Event.PREPARED, decide, actor, why=reason)

    def follow(self, device: Device, standby: Target, actor: str, why: str) -> Device:
        """Record that a device of an evacuated target now belongs to the standby."""
        home = device.target
        if home is None:
            raise AssertionError(f"a device that was evacuated has a target: {device.certid}")

        def decide(row: Device, at: str) -> Device:
            return standby_transitions.evacuate(row, home, standby, actor, at)

        return self._update(device, Event.EVACUATE, decide, actor, why=why)

    def prepare_again(self, device: Device, actor: str) -> Device:
        """Record that a device must be prepared again, because its standby is out of step."""

        def decide(row: Device, _at: str) -> Device:
            return standby_transitions.prepare_again(row)

        return self._update(device, Event.PREPARE, decide, actor, why="the standby is out of step")

    def visit(self, device: Device, standby: Target, actor: str, why: str) -> Device:
        """Record that a device has gone to its standby without an evacuation."""

        def decide(row: Device, at: str) -> Device:
            return standby_transitions.visit(row, standby, at)

        return self._update(device, Event.STANDBY, decide, actor, why=why)

    def call_back(self, device: Device, standby: Target, actor: str, why: str) -> Device:
        """Record that a device is connected to its standby, although its target is not evacuated, and must return."""

        def decide(row: Device, at: str) -> Device:
            return standby_transitions.call_back(row, standby, actor, at)

        return self._update(device, Event.RETURN, decide, actor, why=why)
