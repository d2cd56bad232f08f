"""A small model of the ledger and of the registries, and what must hold of them: at every moment, and at rest.

The model knows nothing of our code. It follows a device's history, entry by entry, and says what the row has to be and
where the certificate may be active: where the claim leads, where it has left and is not cleared yet, and where somebody
is at work for a claim that was overtaken, as they put out of use again what they register.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import first_broken_entry
from lobby.ledger.items import device_of_image, entry_of
from lobby.ledger.models import HistoryRow
from lobby.names import Fingerprint, Target, parse_target_key
from tests import aws
from tests.simulation.faults.field import GUARDED, FieldDevice
from tests.simulation.faults.field import PLACES as ENDPOINTS

PLACES: Final = tuple(ENDPOINTS.values())
_LEADS: Final[dict[str, tuple[str, set[str | None]]]] = {
    "admit": ("knocking", {None, "expected", "refused"}),
    "refuse": ("refused", {None, "expected", "knocking", "refused"}),
    "commission": ("commissioned", {"claimed"}),
    "fail": ("failed", {"claimed"}),
    "arrive": ("arrived", {"commissioned"}),
}
_AT_REST: Final = ("inlobby", "arrived", "revoked")
_OUT: Final = ("revoked", "refused")
_TRIES: Final = 5
_HELD: Final = {"claimed", "commissioned", "arrived", "failed"}


UNKNOWN: Final = "INTERNAL"
"""What a person is told of a wish that may have come true or not."""


class Untrue(AssertionError):
    """Something is not as it must be."""


@dataclass(eq=False)
class Wish:
    """What a person asks of the ledger, in a name that nobody else has; and what came of it. `told` is `done`, a code,
    or nothing where nobody is there any more to be told."""

    by: str
    what: str
    certid: Fingerprint
    target: Target | None
    told: str = ""


@dataclass
class Life:
    """A device as its history tells it. `left` are targets that it was claimed for and that nobody has cleared."""

    state: str | None = None
    target: Target | None = None
    seen: bool = False
    unproven: bool = False
    tries: int = 0
    left: set[Target] = field(default_factory=set)
    claims: int = 0
    by: list[str] = field(default_factory=list)

    def follow(self, entry: Entry) -> None:
        """Raises `Untrue` where the entry cannot follow those before it."""
        about = parse_target_key(entry.target) if entry.target else None
        self.claims = self.claims if self.state else 0
        getattr(self, f"_{entry.event}", self._plain)(entry, about)
        self.by.append(entry.actor)
        if (self.state, self.claims) != (entry.after, entry.generation):
            raise Untrue(f"got {entry}, want {self}")

    def _plain(self, entry: Entry, _about: Target | None) -> None:
        leads_to, sources = _LEADS[entry.event]
        if self.state not in sources:
            raise Untrue(f"got {entry.event} from {self.state}")
        self.seen = self.seen or entry.event == "admit"
        claimed = "proving" if self.unproven else "claimed"
        self.state = claimed if entry.event == "admit" and self.target else leads_to

    def _hello(self, _entry: Entry, _about: Target | None) -> None:
        """The first; and of one that had arrived, and has fallen back."""
        leads_to = {"knocking": "inlobby", "arrived": "commissioned"}
        if self.state not in leads_to:
            raise Untrue(f"got a hello from {self.state}")
        self.state = leads_to[self.state]

    def _confirm(self, _entry: Entry, _about: Target | None) -> None:
        if self.state != "proving" or self.target is None:
            raise Untrue(f"got a confirmation from {self.state}")
        self.state, self.unproven = "claimed", False
        self.left.discard(self.target)

    def _mismatch(self, _entry: Entry, _about: Target | None) -> None:
        if self.state != "proving":
            raise Untrue(f"got a wrong code from {self.state}")
        self.tries += 1
        if self.tries == _TRIES:
            self.state, self.target, self.unproven, self.claims = "inlobby", None, False, self.claims + 1

    def _wake(self, _entry: Entry, _about: Target | None) -> None:
        """Nothing changes."""

    def _claim(self, entry: Entry, about: Target | None) -> None:
        if self.state not in (None, "knocking", "inlobby"):
            raise Untrue(f"{entry.actor} won a claim of a device that was {self.state}: there was a winner")
        self.unproven, self.tries = about == GUARDED, 0
        self._goes_to(about)
        self.state = ("proving" if self.unproven else "claimed") if self.seen else "expected"

    def _move(self, _entry: Entry, about: Target | None) -> None:
        if self.state not in (_HELD | {"expected", "proving"}):
            raise Untrue(f"got a move from {self.state}")
        self._leaves()
        self.unproven = about == GUARDED and not self.seen
        self._goes_to(about)
        self.state = "claimed" if self.seen else "expected"

    def _release(self, _entry: Entry, _about: Target | None) -> None:
        if self.state == "expected":
            self.state, self.target = None, None
            return
        if self.state not in (_HELD | {"proving"}):
            raise Untrue(f"got a release from {self.state}")
        self._leaves()
        self.state, self.target, self.unproven, self.claims = "inlobby", None, False, self.claims + 1

    def _retry(self, _entry: Entry, _about: Target | None) -> None:
        self.state = "claimed" if self.state in _HELD else self.state
        self.claims, self.tries = self.claims + 1, 0

    def _retire(self, entry: Entry, about: Target | None) -> None:
        if entry.reason is None and about is not None and (self.state not in _HELD or about != self.target):
            self.left.discard(about)

    def _revoke(self, _entry: Entry, _about: Target | None) -> None:
        self._leaves()
        self.state, self.claims = "revoked", self.claims + 1

    def _leaves(self) -> None:
        if self.target is not None and self.seen and self.state != "proving":
            self.left.add(self.target)

    def _goes_to(self, target: Target | None) -> None:
        if target is None:
            raise Untrue("got a claim without a target")
        self.target, self.claims = target, self.claims + 1
        if not (self.unproven and self.seen):
            self.left.discard(target)


def lives() -> dict[str, Life]:
    """Every device that ever had an entry. Raises `Untrue` for a chain that is broken, or not the row's."""
    rows, entries = _rows(), _entries()
    found = {certid: _life(of, rows.get(certid)) for certid, of in entries.items()}
    if rows.keys() - entries.keys():
        raise Untrue(f"rows without a history: {rows.keys() - entries.keys()}")
    return found


def _life(entries: list[Entry], row: Device | None) -> Life:
    version, head = (row.version, row.head) if row else (None, None)
    broken = first_broken_entry(entries, version=version, head=head)
    if broken is not None:
        raise Untrue(f"the history is broken at {broken}: {entries}, {row}")
    life = Life()
    for entry in entries:
        life.follow(entry)
    return life


def check_moment(at_work: dict[str, set[Target]]) -> dict[str, Life]:
    """What must hold at every moment. `at_work`: for which targets the commissioner is, or will be, at work for a
    claim, by device."""
    rows, known = _rows(), lives()
    if aws.counts() != aws.recounted():
        raise Untrue(f"counted {aws.counts()}, want {aws.recounted()}")
    for certid, life in known.items():
        row = rows.get(certid)
        if (row is None) != (life.state is None):
            raise Untrue(f"{certid} is {life.state} by its history, and its row is {row}")
        if row is None:
            continue
        was = (row.devstate.value, row.generation, set(row.targets_to_clear))
        if was != (life.state, life.claims, life.left) or (life.state != "revoked" and row.target != life.target):
            raise Untrue(f"got {row}, want {life}")
        at_home = {life.target} if life.state in _HELD else set()
        active = {place for place in PLACES if aws.status(certid, place) == "ACTIVE"}
        if not active <= at_home | life.left | at_work.get(certid, set()):
            raise Untrue(f"{certid} is active in {active}, and is {life}")
    return known


def check_rest(devices: Iterable[FieldDevice]) -> None:
    """What must hold when everything was delivered, all faults are mended, and every device is powered."""
    known, rows = check_moment({}), _rows()
    for device in devices:
        row, life = rows.get(device.certid), known.get(device.certid)
        if life is None or row is None:
            raise Untrue(f"{device.name} knocked, and has no row")
        if (
            row.needs_commissioner
            or row.targets_to_clear
            or (life.state not in _AT_REST and row.reason != "NAME_TAKEN")
        ):
            raise Untrue(f"{device.name} is at rest as {row}")
        goal = life.target if life.state == "arrived" else None
        active = [place for place in PLACES if aws.status(device.certid, place) == "ACTIVE"]
        if active != ([goal] if goal else []):
            raise Untrue(f"{device.name} is active in {active}, and at rest as {life}")
        home = aws.status(device.certid)
        if home != ("INACTIVE" if life.state in _OUT else "ACTIVE"):
            raise Untrue(f"{device.name} is {home} in the lobby, and at rest as {life}")
        want = None if life.state in _OUT else goal or aws.HOME
        if device.place != want:
            raise Untrue(f"{device.name} is connected to {device.place}, and at rest as {life}")


def check_told(wishes: Iterable[Wish]) -> None:
    """That people were told the truth: who was refused has changed nothing; what was done is in the history, under
    that name, or was so already."""
    for wish in wishes:
        entries = entries_of(wish.certid)
        mine = [entry for entry in entries if entry.actor == wish.by]
        if any(entry.event != wish.what for entry in mine) or len(mine) > 1:
            raise Untrue(f"{wish} is in the history as {mine}")
        if wish.told not in ("", "done", UNKNOWN) and mine and wish.what != "mismatch":
            raise Untrue(f"{wish} was refused, and is in the history")
        if wish.told == "done" and not mine and not _was_so(wish, entries):
            raise Untrue(f"{wish} is nowhere in the history")


def _was_so(wish: Wish, entries: list[Entry]) -> bool:
    """Whether somebody else had done the same."""
    if wish.what in ("claim", "move"):
        return any(entry.event in ("claim", "move") and entry.target == str(wish.target) for entry in entries)
    return wish.what != "retry" and any(entry.event == wish.what for entry in entries)


def entries_of(certid: str) -> list[Entry]:
    return _entries().get(certid, [])


def row_of(certid: str) -> Device | None:
    return _rows().get(certid)


def _rows() -> dict[str, Device]:
    found = (device_of_image(item) for item in aws.items("device-lobby-ledger"))
    return {device.certid: device for device in found}


def _entries() -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for item in aws.items("device-lobby-history"):
        row: Any = HistoryRow()
        row.deserialize(item)
        found.setdefault(row.certid, []).append(entry_of(row))
    return {certid: sorted(entries, key=lambda entry: entry.seq) for certid, entries in found.items()}
