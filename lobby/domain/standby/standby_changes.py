"""The changes of a device by the preparation of a standby, an evacuation and a return, in the form of `changes`.

Each uses the target as it is now. A device that is not affected, or is already as required, is not changed. So each
change can be repeated, for one device and for all devices of a target.
"""

from dataclasses import dataclass
from typing import ClassVar

from lobby.domain.changes import known
from lobby.domain.device import Device
from lobby.domain.shadows import shadow_transitions
from lobby.domain.shadows.shadow_choices import ShadowChoice, named
from lobby.domain.standby import standby_transitions
from lobby.domain.states import Event
from lobby.domain.targets.target import RegisteredTarget, standby_of
from lobby.errors import Conflict
from lobby.names import Fingerprint


@dataclass(frozen=True)
class Prepare:
    """Align the preparation of a device with the standby of its target."""

    registered: RegisteredTarget
    event: ClassVar[Event] = Event.PREPARE
    why: ClassVar[str | None] = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        row = known(device, certid)
        if row.target != self.registered.target:
            return row
        return standby_transitions.prepare(row, self.registered.standby, self.registered.standby_mode)


@dataclass(frozen=True)
class Evacuate:
    """Exchange a device's target for its standby. `why` is the reason, for the history. With `drill`, the target
    itself is not evacuated."""

    registered: RegisteredTarget
    why: str | None = None
    drill: bool = False
    event: ClassVar[Event] = Event.EVACUATE

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:
        row, home, standby = known(device, certid), self.registered.target, standby_of(self.registered)
        is_drilled = self.drill and (self.registered.last_work or "").startswith("drill|")
        if self.registered.evacuated_at is None and not is_drilled:
            raise Conflict("NOT_EVACUATED", f"got {home}, which was returned since; want an evacuated target")
        return standby_transitions.evacuate(row, home, standby, actor, at)


@dataclass(frozen=True)
class Return:
    """Bring a device back to the target that it was evacuated from. `reason` is the user's reason. `shadows` says what
    happens to the device's shadows in the standby (None: they stay there)."""

    registered: RegisteredTarget
    reason: str | None = None
    shadows: ShadowChoice | None = None
    event: ClassVar[Event] = Event.RETURN

    @property
    def why(self) -> str | None:
        return named(self.reason, self.shadows)

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        if self.registered.evacuated_at is not None:
            message = f"got {self.registered.target}, evacuated at {self.registered.evacuated_at}; want it returned"
            raise Conflict("TARGET_EVACUATED", message)
        row = known(device, certid)
        back = standby_transitions.come_back(row, self.registered.target, at)
        return shadow_transitions.choose_return(row, back, self.shadows, at)
