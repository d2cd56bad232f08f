"""When a hello of an arrived device is recorded as a fallback to the lobby.

A device that alternates between lobby and target would add history entries without end. Each recorded fallback doubles
the time for which the device must have been recorded as arrived before the next one is recorded, up to a day. After a
day in the target, or with the next claim, the count starts again.
"""

from datetime import datetime, timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.domain.states import State

FIRST_STAY: Final = timedelta(minutes=1)
LONGEST_STAY: Final = timedelta(days=1)


def is_fallback(device: Device, received: datetime) -> bool:
    """Return whether a hello in the lobby is recorded as a fallback. Three kinds are not: a late one from before the
    arrival, one that was processed before, and the first one after the announcement of a standby, which makes the
    device visit the lobby."""
    stay = received - datetime.fromisoformat(device.enteredat)
    visits = device.standby is not None and device.standby.announced
    if visits or (device.lastseen is not None and received <= datetime.fromisoformat(device.lastseen)):
        return False
    return device.devstate is State.ARRIVED and stay > min(LONGEST_STAY, FIRST_STAY * 2**device.fallbacks)


def fallbacks_after(device: Device, at: str) -> int:
    """Return the number of fallbacks in short succession, including the one at `at`."""
    stay = datetime.fromisoformat(at) - datetime.fromisoformat(device.enteredat)
    return 0 if stay >= LONGEST_STAY else device.fallbacks + 1
