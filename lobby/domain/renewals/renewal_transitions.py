"""The changes of a device by the steps of a renewal: pure functions from a row to the new row, as in `transitions`.

The device keeps its row and its first fingerprint, which its label shows. The row names the certificate in use
(`certificate`), the new one until it is proven (`pending`), and those that are to be retired. Until an arrival proves
the new certificate, both are active wherever the device can be, so it can always connect with one of them.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.device import Device, Priority
from lobby.domain.renewals.renewal import DEFAULT_GRACE
from lobby.domain.standby.standby import StandbyStatus
from lobby.domain.states import PLACED_STATES, Event, State
from lobby.domain.transitions import entered, state_after
from lobby.errors import Conflict
from lobby.names import Fingerprint

JUST_RENEWED: Final = timedelta(hours=1)
"""For this time after a renewal, a user's request counts as a repetition of the completed one."""


def become_due(device: Device, by: str) -> Device:
    """Return the device when it has to renew by `by`. A deadline that it already has stays. If its client can renew,
    the commissioner requests the renewal each time this event is applied."""
    state_after(device, Event.DUE)
    asks = bool(device.can_renew) or device.needs_commissioner
    return replace(device, renew_by=device.renew_by or by, needs_commissioner=asks)


def request(device: Device, at: str) -> Device:
    """Return the device after a user has requested its renewal. A device that is not due gets `DEFAULT_GRACE` from now
    on. A device whose new certificate is already signed, or that has just renewed, does not change. Raise `Conflict`
    NOT_ALLOWED in another state, or CANNOT_RENEW."""
    state_after(device, Event.DUE)
    if device.pending is not None or _has_just_renewed(device, at):
        return device
    if not device.can_renew:
        raise Conflict(
            "CANNOT_RENEW",
            f"got {device.certid}, whose client has not reported in a hello that it can renew, want a client that can",
        )
    by = datetime.fromisoformat(at) + DEFAULT_GRACE
    return become_due(device, by.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _has_just_renewed(device: Device, at: str) -> bool:
    since = device.renewed_at
    return since is not None and datetime.fromisoformat(at) < datetime.fromisoformat(since) + JUST_RENEWED


def renew(device: Device, certificate: Fingerprint, expires: str | None, at: str) -> Device:
    """Return the device after a new certificate was signed for it. The new certificate is commissioned in the target in
    addition to the one in use. If another new certificate was pending, the device has lost it, and it is retired. Raise
    `Conflict` NOT_DUE if no renewal was requested."""
    state = state_after(device, Event.RENEW)
    if device.pending == certificate:
        return device
    if device.renew_by is None:
        raise Conflict("NOT_DUE", f"got a new certificate for {device.certid}, which is not due to renew")
    lost = (device.pending,) if device.pending else ()
    signed = replace(
        device,
        pending=certificate,
        pending_expires=expires,
        retiring=(*device.retiring, *lost),
        generation=device.generation + 1,
        priority=Priority.BULK,
        iotep=None,
        reason=None,
        message=None,
        needs_commissioner=True,
    )
    return entered(signed, state, at)


def prove(device: Device, at: str) -> Device:
    """Return the device after it has arrived with its new certificate, which is now the one in use. The old certificate
    must be retired."""
    if device.pending is None:
        return device
    standby = device.standby
    if standby is not None and not standby.home:  # the target has the old certificate and only needs the new one
        standby = replace(standby, wanted=True)
    return replace(
        device,
        standby=standby,
        certificate=device.pending,
        expires=device.pending_expires,
        renewed_at=at,
        pending=None,
        pending_expires=None,
        renew_by=None,
        retiring=(*device.retiring, device.current),
        needs_commissioner=True,
    )


def retired(device: Device, generation: int, certificates: tuple[Fingerprint, ...]) -> Device:
    """Return the device after these certificates were set INACTIVE in the target and in the lobby, and, if the device
    is due, the renewal was requested. The row still needs the commissioner for remaining work, or for a claim since
    `generation`. The row keeps the certificates while they may be active in another place."""
    state_after(device, Event.RETIRE)
    left = tuple(each for each in device.retiring if each not in certificates)
    after = device if _may_be_active_elsewhere(device) else replace(device, retiring=left)
    if device.generation != generation or device.devstate is State.CLAIMED:
        return after
    elsewhere = device.works_in_standby or device.announces_standby
    return replace(after, needs_commissioner=bool(device.targets_to_clear or left or elsewhere))


def _may_be_active_elsewhere(device: Device) -> bool:
    """Return whether certificates to be retired may still be active elsewhere: in the target from which the device was
    evacuated, in a target to clear, or in a standby that has refused the device."""
    standby = device.standby
    is_open = standby is not None and (standby.home or standby.status is StandbyStatus.REFUSED)
    return is_open or bool(device.targets_to_clear)


def retires_in_lobby(device: Device) -> bool:
    """Return whether the device was released and its only remaining work is to retire certificates."""
    waits = device.devstate is State.INLOBBY and device.needs_commissioner
    return waits and bool(device.retiring) and not device.targets_to_clear


def has_work_in_target(device: Device) -> bool:
    """Return whether the commissioner has work in the device's target: a part of a renewal, or the announcement of the
    standby. A retirement comes after the targets to clear and the device's other place, because the row loses the old
    certificate with it."""
    if device.retiring and (device.works_in_standby or device.targets_to_clear):
        return False
    placed = device.needs_commissioner and device.devstate in PLACED_STATES and device.target is not None
    return placed and (is_renewed_in_target(device) or device.announces_standby)


def is_renewed_in_target(device: Device) -> bool:
    """Return whether that work is a part of a renewal."""
    return bool(device.retiring or (device.renew_by and device.can_renew))
