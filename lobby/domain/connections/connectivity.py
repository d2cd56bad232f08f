"""Whether a device is connected to the lobby, decided from AWS IoT's lifecycle events.

AWS may deliver these events twice and out of order, and their times can be wrong by two minutes (AWS IoT developer
guide, "Lifecycle events"). The events of one connection have the same session and version. Versions grow with the
connections of a client and start again at 0 after an absence of about an hour. So two events are ordered by their times
if the times differ a lot, and otherwise by their versions. Each Region of a lobby counts its own versions, so events of
two Regions are ordered by their times only. An unknown status is None, never "offline".
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from lobby.domain.device import Device
from lobby.domain.states import PLACED_STATES, State

_SKEW: Final = timedelta(minutes=4)
"""Two times that differ by more than this are in the right order, although each can be wrong by two minutes."""
DUPLICATE: Final = "DUPLICATE_CLIENTID"
"""AWS IoT's reason for the end of a connection whose client id connected again; also the problem's code."""

CLIENT_INITIATED: Final = "CLIENT_INITIATED_DISCONNECT"
"""AWS IoT's reason for a connection that its client has ended."""


class ConnectionChange(StrEnum):
    """AWS IoT's `eventType`."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True)
class LifecycleEvent:
    """A change of one connection, `at` a time in ms since 1970. `address`: where it comes from, if that is known.
    `place`: the Region of a lobby with several; None in a lobby with one."""

    change: ConnectionChange
    session: str
    version: int
    at: int
    address: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class Connectivity:
    """The last known change of a device's connection to the lobby. `left`: when the connection ended, the device may
    have gone to a target."""

    last: LifecycleEvent
    left: bool = False

    @property
    def online(self) -> bool:
        return self.last.change is ConnectionChange.CONNECTED


def after(status: Connectivity | None, event: LifecycleEvent, device: Device) -> Connectivity | None:
    """Return the status after an event; the same object if the event changes nothing."""
    if status is not None and not _is_newer(event, status.last):
        return status
    return Connectivity(event, left=event.change is ConnectionChange.DISCONNECTED and may_be_in_target(device))


def _is_newer(event: LifecycleEvent, last: LifecycleEvent) -> bool:
    if (event.session, event.version) == (last.session, last.version):
        # A connection ends once.
        return last.change is ConnectionChange.CONNECTED and event.change is ConnectionChange.DISCONNECTED
    apart = timedelta(milliseconds=event.at - last.at)
    if event.place != last.place:
        return _is_newer_elsewhere(event, last, apart)
    if abs(apart) > _SKEW:
        return apart > timedelta()
    if event.version != last.version:
        return event.version > last.version
    return event.at > last.at


def _is_newer_elsewhere(event: LifecycleEvent, last: LifecycleEvent, apart: timedelta) -> bool:
    """Compare events of two Regions. The end of a connection in one Region, which AWS IoT may notice late, does not end
    a connection in another one. A new connection counts even if the end of the previous one seems a little later."""
    if event.change is not last.change:
        return event.change is ConnectionChange.CONNECTED and apart > -_SKEW
    return apart > timedelta()


def may_be_in_target(device: Device) -> bool:
    """Return whether the device may be connected to a target: it has a route, or it has left a target that is not
    cleared."""
    return device.devstate in PLACED_STATES or bool(device.iotep or device.targets_to_clear)


@dataclass(frozen=True)
class Online:
    """The status for users: whether the device is connected, and since when (ISO 8601, UTC). None is unknown."""

    online: bool | None = None
    since: str | None = None


def online_of(device: Device, status: Connectivity | None) -> Online:
    """Return the status of a device's connection. The status of a device in a target is unknown, because targets report
    no disconnections. It is also unknown after a disconnection with which the device may have moved to a target, until
    the device connects to the lobby again, and while the target has already reported the device but the end of its
    connection to the lobby is not reported yet."""
    if status is None:
        return Online()
    since = datetime.fromtimestamp(status.last.at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if status.online:
        moved_on = device.devstate is State.ARRIVED and since < device.enteredat
        return Online() if moved_on else Online(True, since)
    if status.left or may_be_in_target(device):
        return Online()
    return Online(False, since)
