"""The reason of a device whose certificate must be inactive everywhere, because it is revoked or in quarantine.

While a target that it has left cannot be cleared, the row's reason is the code of that failure; this module restores
the reason of the state. A device in any other state is returned as it is.
"""

from dataclasses import replace
from typing import Final

from lobby.domain.connections.clones import CLONE_SUSPECTED
from lobby.domain.device import Device
from lobby.domain.states import State

REVOKED: Final = "REVOKED"
"""The reason of a revoked device."""
QUARANTINED: Final = "QUARANTINED"
"""The reason of a device that a user has put in quarantine without a suspicion."""


def deactivation_reason(device: Device) -> str:
    if device.devstate is State.REVOKED:
        return REVOKED
    return CLONE_SUSPECTED if device.is_suspected else QUARANTINED


def without_failed_clearing(device: Device) -> Device:
    """Return the device with the reason of its state, instead of the reason of a target that could not be cleared."""
    reason = deactivation_reason(device)
    if device.reason == reason or device.message is None:
        return device
    return replace(device, reason=reason, message=device.message.rpartition(f"; {device.reason}: ")[0])
