"""What the documented limits of Azure's Device Provisioning Service (DPS) allow for moving devices to another hub.

Nothing of Azure is measured. The limits come from the page "Azure subscription and service limits" (DPS, section
"Device Provisioning Service limits") and of "IoT Hub quotas and throttling", read on 2026-11-30. A move in DPS changes
the device's enrolment, and takes effect when the device registers again. So each device needs one registration. With
individual enrolments, each device also needs one operation; a group needs one operation in total.
"""

from dataclasses import dataclass
from typing import Final

REGISTRATIONS_PER_MINUTE: Final = 1000
OPERATIONS_PER_MINUTE: Final = 1000
"""For each service, as above."""
LINKED_HUBS: Final = 50
IDENTITIES_PER_MINUTE: Final = 100
"""Operations on the identity registry for each unit of an IoT hub in the tier S1."""
SOURCES: Final = (
    "https://github.com/MicrosoftDocs/azure-docs/blob/main/includes/iot-dps-limits.md",
    "https://learn.microsoft.com/en-us/azure/iot-hub/iot-hub-devguide-quotas-throttling",
)


@dataclass(frozen=True)
class DpsTime:
    """The shortest times in minutes that the limits allow for moving `devices`."""

    devices: int
    registrations: float
    enrolments: float
    identities: float

    @property
    def minutes(self) -> float:
        """Return the time of one service with one S1 unit in the new hub, if all devices register immediately."""
        return max(self.registrations, self.enrolments, self.identities)


def dps_time(devices: int, *, individual: bool = True, units: int = 1) -> DpsTime:
    """Return the times for devices with individual enrolments, or in one group, and a hub with so many units."""
    if devices < 1 or units < 1:
        raise ValueError(f"got {devices} devices and {units} units, want at least one of each")
    changes = devices if individual else 1
    return DpsTime(
        devices,
        devices / REGISTRATIONS_PER_MINUTE,
        changes / OPERATIONS_PER_MINUTE,
        devices / (IDENTITIES_PER_MINUTE * units),
    )


def lobby_minutes(devices: int, rate: float) -> float:
    """Return the shortest time for moving devices at a target's rate, in devices per second."""
    if devices < 1 or rate <= 0:
        raise ValueError(f"got {devices} devices at {rate} per second, want more than none")
    return devices / rate / 60
