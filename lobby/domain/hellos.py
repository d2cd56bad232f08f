"""The changes of a device by a hello: it enters the lobby, returns to it, or reports the capabilities of its client.

Pure functions from a row to the new row, as in `transitions`. A hello changes nothing else, because it contains only
information about the client.
"""

from dataclasses import dataclass, replace

from lobby.domain import presence
from lobby.domain.connections.fallbacks import fallbacks_after
from lobby.domain.device import Device
from lobby.domain.states import PLACED_STATES, Event, State
from lobby.domain.transitions import entered, state_after
from lobby.names import Region


@dataclass(frozen=True)
class Report:
    """A client's information about itself: its version, whether it can show a presence code, renew its certificate, or
    change its lobby (None: not known). `region` is the Region of the door, if it is known."""

    clientversion: str | None = None
    shows_code: bool | None = None
    can_renew: bool | None = None
    region: Region | None = None
    can_transfer: bool | None = None


def hello(device: Device, report: Report, at: str) -> Device:
    """Return the device after its hello: it is connected to the lobby and subscribed. A device that had arrived has
    fallen back to the lobby, and is commissioned again."""
    state = state_after(device, Event.HELLO)
    updated = replace(
        device,
        lastseen=at,
        clientversion=report.clientversion or device.clientversion,
        shows_code=report.shows_code,
        can_renew=report.can_renew,
        lobbyregion=region_of(device, report),
    )
    if device.devstate is State.ARRIVED:
        updated = replace(updated, fallbacks=fallbacks_after(device, at))
    return entered(updated, state, at)


def has_changed_doors(device: Device, report: Report) -> bool:
    """Return whether the device is at the door of another Region than before."""
    return region_of(device, report) != device.lobbyregion


def region_of(device: Device, report: Report) -> Region | None:
    """Return the Region of the door at which the device is; None for a row that has none."""
    return report.region if report.region and device.lobbyregion else device.lobbyregion


def is_news(device: Device, report: Report) -> bool:
    """Return whether the client's capabilities or its door differ from those in the row, or whether the device fetches
    its standby. For a device that has its route, of the capabilities only renewal is compared."""
    shows_code = report.shows_code is not None and report.shows_code is not device.shows_code
    visits = device.standby is not None and device.standby.announced
    return is_urgent_news(device, report) or visits or (shows_code and device.devstate not in PLACED_STATES)


def is_urgent_news(device: Device, report: Report) -> bool:
    """Return whether the report changes the record of whether the client can renew, or of the device's door."""
    renews = report.can_renew is not None and bool(device.can_renew) is not report.can_renew
    return renews or has_changed_doors(device, report)


def record(device: Device, report: Report, at: str) -> Device:
    """Return the device with what its hello reports about its client. The device waits in the lobby, or is back in the
    lobby after it was placed. The reason of a proving device changes if its client can now show codes, or no longer
    can."""
    version, region = report.clientversion or device.clientversion, region_of(device, report)
    reported = replace(device, lastseen=at, clientversion=version, lobbyregion=region)
    if device.standby is not None and device.standby.announced:
        reported = replace(reported, standby=replace(device.standby, announced=False))
    if report.can_renew is not None:
        reported = replace(reported, can_renew=report.can_renew)
    if report.shows_code is not None and report.shows_code is not device.shows_code:
        return presence.record_shows_code(reported, report.shows_code)
    return reported
