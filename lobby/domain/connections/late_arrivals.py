"""When the thing of a device that has not arrived for long is marked as awaited again.

The mark after a fallback or a visit to the standby is dropped if the target does not answer for an hour, and a delayed
mark of an earlier arrival can replace it. Then the target's rule reports no connection, and the device would never
arrive. So the mark is repeated, at increasing ages of the state `commissioned`, and finally left to the daily
comparison. It is written only over the mark `arrived` of the same claim, so it changes nothing for other devices.
"""

from datetime import datetime, timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget

LATE: Final = timedelta(minutes=30)
"""The longest usual time from the route to the arrival. At this age the device is reported, and marked for the first
time."""
MARKED_AT: Final = (timedelta(hours=4), timedelta(days=1), timedelta(days=7))
"""The later ages at which a device is marked again. A mark is retried for an hour, so a target that answers in one of
these hours gets it."""
CHECKED_EVERY: Final = timedelta(hours=1)
"""The time between two searches for devices of these ages. A search costs one query for each age."""


def is_check_due(completed: datetime | None, at: datetime) -> bool:
    """Return whether to search for devices of the later ages. `completed`: when the last search was completed; None if
    none was."""
    return completed is None or at - completed >= CHECKED_EVERY


def is_marked_again(device: Device, target: RegisteredTarget) -> bool:
    """Return whether the device is still awaited in `target`, which is its target. The devices of an evacuated target
    go to the standby, where the evacuation registers them as awaited. An archived target keeps its devices, so they
    are marked."""
    return device.devstate is State.COMMISSIONED and target.evacuated_at is None
