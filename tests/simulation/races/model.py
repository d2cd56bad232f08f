"""A small model of the ledger and of the registries, with its invariants: those at any time, and those after settling.

The model is independent of the project's code. It follows a device's history entry by entry, and computes the content
of the row and the targets in which the certificate may be active: the claim's target, and targets that the device has
left and that are not cleared yet. These invariants hold at any time, because a lane's workers never overlap.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeVar

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import first_broken_entry
from lobby.ledger.items import device_of_image, entry_of
from lobby.ledger.models import HistoryRow
from lobby.names import Target, parse_target_key
from tests import aws
from tests.simulation.faults.devices import ENDPOINTS, GUARDED, SimulatedDevice
from tests.simulation.races.user_requests import DONE, UNKNOWN, UserRequest

TARGETS: Final = tuple(ENDPOINTS.values())
_TRANSITIONS: Final[dict[str, tuple[str, set[str | None]]]] = {
    "admit": ("knocking", {None, "expected", "refused"}),
    "refuse": ("refused", {None, "expected", "knocking", "refused"}),
    "commission": ("commissioned", {"claimed"}),
    "fail": ("failed", {"claimed"}),
    "arrive": ("arrived", {"commissioned"}),
}
_SETTLED_STATES: Final = ("inlobby", "arrived", "revoked")
_EXCLUDED_STATES: Final = ("revoked", "refused")
_CLAIM_HELD_STATES: Final = {"claimed", "commissioned", "arrived", "failed"}
_MAX_WRONG_CODES: Final = 5
_REMEMBERED: Final = 5000
T = TypeVar("T")


class ModelViolation(AssertionError):
    """The lobby differs from the model."""


@dataclass
class ModelDevice:
    """A device as its history describes it. `left` are targets of earlier claims that are not cleared."""

    state: str | None = None
    target: Target | None = None
    connected: bool = False
    unproven: bool = False
    wrong_codes: int = 0
    left: set[Target] = field(default_factory=set)
    generation: int = 0
    actors: list[str] = field(default_factory=list)

    def follow(self, entry: Entry) -> None:
        """Apply an entry. Raise `ModelViolation` if it cannot follow those before it."""
        about = parse_target_key(entry.target) if entry.target else None
        self.generation = self.generation if self.state else 0
        getattr(self, f"_{entry.event}", self._plain)(entry, about)
        self.actors.append(entry.actor)
        if (self.state, self.generation) != (entry.after, entry.generation):
            raise ModelViolation(f"got {entry}, want {self}")

    def _plain(self, entry: Entry, _about: Target | None) -> None:
        after, before = _TRANSITIONS[entry.event]
        if self.state not in before:
            raise ModelViolation(f"got {entry.event} from {self.state}")
        self.connected = self.connected or entry.event == "admit"
        claimed = "proving" if self.unproven else "claimed"
        self.state = claimed if entry.event == "admit" and self.target else after

    def _hello(self, _entry: Entry, _about: Target | None) -> None:
        """The first hello, or the hello of an arrived device that has fallen back."""
        after = {"knocking": "inlobby", "arrived": "commissioned"}
        if self.state not in after:
            raise ModelViolation(f"got a hello from {self.state}")
        self.state = after[self.state]

    def _confirm(self, _entry: Entry, _about: Target | None) -> None:
        if self.state != "proving" or self.target is None:
            raise ModelViolation(f"got a confirmation from {self.state}")
        self.state, self.unproven = "claimed", False
        self.left.discard(self.target)

    def _mismatch(self, _entry: Entry, _about: Target | None) -> None:
        if self.state != "proving":
            raise ModelViolation(f"got a wrong code from {self.state}")
        self.wrong_codes += 1
        if self.wrong_codes == _MAX_WRONG_CODES:
            self._end_claim()

    def _wake(self, _entry: Entry, _about: Target | None) -> None:
        """Nothing changes."""

    def _claim(self, entry: Entry, about: Target | None) -> None:
        if self.state not in (None, "knocking", "inlobby"):
            raise ModelViolation(f"got a claim by {entry.actor} of a device that was {self.state}, want it refused")
        self.unproven, self.wrong_codes = about == GUARDED, 0
        self._set_target(about)
        self.state = ("proving" if self.unproven else "claimed") if self.connected else "expected"

    def _move(self, _entry: Entry, about: Target | None) -> None:
        if self.state not in (_CLAIM_HELD_STATES | {"expected", "proving"}):
            raise ModelViolation(f"got a move from {self.state}")
        self._leave()
        self.unproven = about == GUARDED and not self.connected
        self._set_target(about)
        self.state = "claimed" if self.connected else "expected"

    def _configure(self, _entry: Entry, _about: Target | None) -> None:
        if self.state not in (_CLAIM_HELD_STATES | {"expected", "proving"}):
            raise ModelViolation(f"got a change of the configuration from {self.state}")
        self.state = "claimed" if self.state in _CLAIM_HELD_STATES else self.state
        self.generation += 1

    def _release(self, _entry: Entry, _about: Target | None) -> None:
        if self.state == "expected":
            self.state, self.target = None, None
            return
        if self.state not in (_CLAIM_HELD_STATES | {"proving"}):
            raise ModelViolation(f"got a release from {self.state}")
        self._leave()
        self._end_claim()

    def _retry(self, _entry: Entry, _about: Target | None) -> None:
        self.state = "claimed" if self.state in _CLAIM_HELD_STATES else self.state
        self.generation, self.wrong_codes = self.generation + 1, 0

    def _retire(self, entry: Entry, about: Target | None) -> None:
        held = self.state in _CLAIM_HELD_STATES and about == self.target
        if entry.reason and about is not None and not held and entry.generation == self.generation + 1:
            self.left.add(about)
            self.generation += 1
        if entry.reason is None and about is not None and not held:
            self.left.discard(about)

    def _revoke(self, _entry: Entry, _about: Target | None) -> None:
        self._leave()
        self.state, self.generation = "revoked", self.generation + 1

    def _end_claim(self) -> None:
        self.state, self.target, self.unproven = "inlobby", None, False
        self.generation += 1

    def _leave(self) -> None:
        if self.target is not None and self.connected and self.state != "proving":
            self.left.add(self.target)

    def _set_target(self, target: Target | None) -> None:
        if target is None:
            raise ModelViolation("got a claim without a target")
        self.target, self.generation = target, self.generation + 1
        if not (self.unproven and self.connected):
            self.left.discard(target)


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
        held = {device.target} if device.state in _CLAIM_HELD_STATES else set()
        active = {target for target in TARGETS if aws.status(certid, target) == "ACTIVE"}
        if not active <= held | device.left:
            raise ModelViolation(f"got {certid} active in {active}, want it as {device}")
    return devices


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
        _check_registries(each, device)


def _check_registries(simulated: SimulatedDevice, device: ModelDevice) -> None:
    target = device.target if device.state == "arrived" else None
    active = [each for each in TARGETS if aws.status(simulated.certid, each) == "ACTIVE"]
    if active != ([target] if target else []):
        raise ModelViolation(f"got {simulated.name} active in {active}, want it as {device}")
    status = aws.status(simulated.certid)
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
    """Return whether another request had the same effect."""
    if request.event in ("claim", "move"):
        return any(entry.event in ("claim", "move") and entry.target == str(request.target) for entry in entries)
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
