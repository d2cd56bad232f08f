"""A small model of the ledger and of the registries, with its invariants: those at any time, and those after settling.

The model is independent of the project's code. It follows a device's history entry by entry, and computes the content
of the row and the targets in which the certificate may be active: the claim's target, and targets that the device has
left and that are not cleared yet. These invariants hold at any time, because a lane's workers never overlap.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, TypeVar

from lobby.domain.device import Device, Entry
from lobby.domain.history.history_audit import first_broken_entry
from lobby.ledger.items import device_of_image, entry_of
from lobby.ledger.models import HistoryRow
from lobby.names import Target
from tests import aws
from tests.simulation.faults.devices import ENDPOINTS, SimulatedDevice
from tests.simulation.races.model_device import ModelDevice, ModelViolation
from tests.simulation.races.user_requests import DONE, UNKNOWN, UserRequest

TARGETS: Final = tuple(ENDPOINTS.values())
LOBBY: Final = "999999999999/eu-west-1"
"""The lobby's key in the claims of its things."""
_SETTLED_STATES: Final = ("inlobby", "arrived", "revoked", "quarantined", "transferred")
_EXCLUDED_STATES: Final = ("revoked", "quarantined", "refused")
_CLAIM_HELD_STATES: Final = {"claimed", "commissioned", "arrived", "failed"}
_REMEMBERED: Final = 5000
T = TypeVar("T")


def model_devices() -> dict[str, ModelDevice]:
    """Return every device that ever had an entry. Raise `ModelViolation` for a hash chain that is invalid, or does not
    match the row."""
    rows, entries = _rows(), _entries()
    devices = {certid: _model_device(of_device, rows.get(certid)) for certid, of_device in entries.items()}
    if rows.keys() - entries.keys():
        raise ModelViolation(f"got rows without a history: {rows.keys() - entries.keys()}")
    return devices


def _model_device(entries: list[Entry], row: Device | None) -> ModelDevice:
    return _followed(tuple(entries), *((row.version, row.head) if row else (None, None)))


@lru_cache(maxsize=_REMEMBERED)
def _followed(entries: tuple[Entry, ...], version: int | None, head: str | None) -> ModelDevice:
    """Return the device as this history describes it. Most steps of a simulation change no history."""
    broken = first_broken_entry(entries, version=version, head=head)
    if broken is not None:
        raise ModelViolation(f"got an invalid history at {broken}: {entries}, version {version}, head {head}")
    device = ModelDevice()
    for entry in entries:
        device.follow(entry)
    return device


def check_always() -> dict[str, ModelDevice]:
    """Check the invariants that hold at any time, also between two calls."""
    rows, devices = _rows(), model_devices()
    if aws.counts() != aws.recounted():
        raise ModelViolation(f"got counts {aws.counts()}, want {aws.recounted()}")
    for certid, device in devices.items():
        row = rows.get(certid)
        if (row is None) != (device.state is None):
            raise ModelViolation(f"got row {row} of {certid}, want {device.state} as in its history")
        if row is None:
            continue
        state = (row.devstate.value, row.generation, set(row.targets_to_clear))
        target_differs = device.state != "revoked" and row.target != device.target
        if state != (device.state, device.generation, device.left) or target_differs:
            raise ModelViolation(f"got {row}, want {device}")
        _check_certificates(row, device)
        held = {device.target} if device.state in _CLAIM_HELD_STATES else set()
        for certificate in _certificates_of(row, device):
            active = {target for target in TARGETS if _is_active_in(target, certificate)}
            if not active <= held | device.left:
                raise ModelViolation(f"got {certificate} active in {active}, want it as {device}")
    return devices


def _is_active_in(target: Target, certificate: str) -> bool:
    """Return whether the certificate is ACTIVE in a target where no other lobby has registered the device."""
    if aws.status(certificate, target) != "ACTIVE":
        return False
    claims = [thing["claim"].split(":") for thing in aws.registry(target)["things"].values() if "claim" in thing]
    others = [claim for claim in claims if claim[-1] == certificate and claim[-2] != LOBBY and claim[2] != "left"]
    return not others


def _certificates_of(row: Device, device: ModelDevice) -> set[str]:
    """Return all certificates that the device has, or has had."""
    return {each or row.certid for each in (device.used, device.pending or device.used, *device.former)}


def _check_certificates(row: Device, device: ModelDevice) -> None:
    """The row names the certificates of its history. One that it no longer names is active nowhere."""
    named = (row.current, row.pending, row.renew_by is not None)
    if named != (device.used or row.certid, device.pending, device.due):
        raise ModelViolation(f"got certificates {named}, want them as {device}")
    former = {each or row.certid for each in device.former}
    if not set(row.retiring) <= former:
        raise ModelViolation(f"got {row.retiring} to be retired, want some of {former}")
    for retired in former - set(row.retiring):
        active = [target for target in (aws.HOME, *TARGETS) if aws.status(retired, target) == "ACTIVE"]
        if active:
            raise ModelViolation(f"got {retired} active in {active}, which the row no longer names")


def check_settled(simulated: Iterable[SimulatedDevice]) -> None:
    """Check the invariants after settling: all events are delivered, all faults are over, every device is powered."""
    devices, rows = check_always(), _rows()
    for each in simulated:
        row, device = rows.get(each.certid), devices.get(each.certid)
        if device is None or row is None:
            raise ModelViolation(f"got no row of {each.name}, which has connected")
        settled = device.state in _SETTLED_STATES or row.reason == "NAME_TAKEN"
        if row.needs_commissioner or row.targets_to_clear or not settled:
            raise ModelViolation(f"got {each.name} as {row}, want it settled")
        _check_registries(each, row, device)


def _check_registries(simulated: SimulatedDevice, row: Device, device: ModelDevice) -> None:
    target = device.target if device.state == "arrived" else None
    active = [each for each in TARGETS if _is_active_in(each, row.current)]
    if active != ([target] if target else []):
        raise ModelViolation(f"got {simulated.name} active in {active}, want it as {device}")
    if row.retiring and device.state not in _EXCLUDED_STATES:
        raise ModelViolation(f"got {row.retiring}, want every former certificate retired")
    status = aws.status(row.current)
    if status != ("INACTIVE" if device.state in _EXCLUDED_STATES else "ACTIVE"):
        raise ModelViolation(f"got {simulated.name} {status} in the lobby, want it as {device}")
    connected_to = None if device.state in _EXCLUDED_STATES else target or aws.HOME
    if simulated.connected_to != connected_to:
        raise ModelViolation(f"got {simulated.name} connected to {simulated.connected_to}, want {connected_to}")


def check_responses(requests: Iterable[UserRequest]) -> None:
    """Check the responses to users: a refused request has changed nothing; a successful request is in the history under
    the user's name, or another request had the same effect before."""
    for request in requests:
        entries = entries_of(request.certid)
        own = [entry for entry in entries if entry.actor == request.by]
        if any(entry.event != request.event for entry in own) or len(own) > 1:
            raise ModelViolation(f"got {own} for {request}")
        refused = request.answer not in ("", DONE, UNKNOWN)
        if refused and own and request.event != "mismatch":
            raise ModelViolation(f"got {own} for {request}, which was refused")
        if request.answer == DONE and not own and not _was_done_before(request, entries):
            raise ModelViolation(f"got no entry for {request}")


def _was_done_before(request: UserRequest, entries: list[Entry]) -> bool:
    """Return whether another request had the same effect. The row does not show whether its last generation began with
    a release or with a quarantine, so a release of a device that has no claim then succeeds without an effect."""
    if request.event in ("claim", "move"):
        return any(entry.event in ("claim", "move") and entry.target == str(request.target) for entry in entries)
    if request.event == "release" and any(entry.event == "quarantine" for entry in entries):
        return True
    return request.event != "retry" and any(entry.event == request.event for entry in entries)


def entries_of(certid: str) -> list[Entry]:
    return _entries().get(certid, [])


def row_of(certid: str) -> Device | None:
    return _rows().get(certid)


def _rows() -> dict[str, Device]:
    devices = [_parsed(device_of_image, item) for item in aws.items("device-lobby-ledger")]
    return {device.certid: device for device in devices}


def _entries() -> dict[str, list[Entry]]:
    entries: dict[str, list[Entry]] = {}
    for item in aws.items("device-lobby-history"):
        certid, entry = _parsed(_history_entry, item)
        entries.setdefault(certid, []).append(entry)
    return {certid: sorted(of_device, key=lambda entry: entry.seq) for certid, of_device in entries.items()}


def _history_entry(item: dict[str, Any]) -> tuple[str, Entry]:
    row: Any = HistoryRow()
    row.deserialize(item)
    return row.certid, entry_of(row)


_known: dict[str, Any] = {}


def _parsed(parse: Callable[[dict[str, Any]], T], item: dict[str, Any]) -> T:
    """Parse an item once. All items are checked after every step, and a step changes at most two."""
    text = f"{parse.__name__} {item}"
    if text not in _known:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[text] = parse(item)
    parsed: T = _known[text]
    return parsed
