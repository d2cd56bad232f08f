"""A device as its history describes it: the part of the model that follows the entries, independent of the project's
code.

Each kind of entry has a method that changes the device, or raises `ModelViolation` if the entry cannot follow those
before it.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from lobby.domain.device import Entry
from lobby.names import Target, parse_target_key
from tests.simulation.faults.devices import GUARDED

_TRANSITIONS: Final[dict[str, tuple[str, set[str | None]]]] = {
    "admit": ("knocking", {None, "expected", "refused"}),
    "refuse": ("refused", {None, "expected", "knocking", "refused"}),
    "commission": ("commissioned", {"claimed"}),
    "fail": ("failed", {"claimed"}),
    "arrive": ("arrived", {"commissioned"}),
}
_CLAIM_HELD_STATES: Final = {"claimed", "commissioned", "arrived", "failed"}
_PLACED_STATES: Final = {"commissioned", "arrived"}
_MAX_WRONG_CODES: Final = 5
_FINGERPRINT: Final = re.compile("[0-9a-f]{64}")


class ModelViolation(AssertionError):
    """The lobby differs from the model."""


@dataclass
class ModelDevice:
    """A device as its history describes it. `left` are targets of earlier claims that are not cleared. `used` is the
    certificate in use (None: the first one), `pending` the one that a renewal has signed; `former` are the others that
    the device has had (None: the first one). `due`: it is to renew; `asked`: how often it was asked. `offered`: it has
    an offer to another lobby."""

    state: str | None = None
    target: Target | None = None
    connected: bool = False
    unproven: bool = False
    wrong_codes: int = 0
    left: set[Target] = field(default_factory=set)
    generation: int = 0
    actors: list[str] = field(default_factory=list)
    due: bool = False
    asked: int = 0
    used: str | None = None
    pending: str | None = None
    former: set[str | None] = field(default_factory=set)
    offered: bool = False

    def follow(self, entry: Entry) -> None:
        """Apply an entry. Raise `ModelViolation` if it cannot follow those before it."""
        about = parse_target_key(entry.target) if entry.target else None
        self.generation = self.generation if self.state else 0
        getattr(self, f"_{entry.event}", self._plain)(entry, about)
        self.actors.append(entry.actor)
        if (self.state, self.generation) != (entry.after, entry.generation):
            raise ModelViolation(f"got {entry}, want {self}")

    def _due(self, entry: Entry, _about: Target | None) -> None:
        """The device is due, or was asked in its target. It can have renewed while it was asked."""
        if entry.reason == "ASKED":
            self.asked += 1
            return
        if self.state not in _PLACED_STATES or entry.reason is not None:
            raise ModelViolation(f"got {entry}, want a device in its target, and no reason")
        self.due = True

    def _renew(self, entry: Entry, _about: Target | None) -> None:
        known = {self.used, self.pending, *self.former}
        new = entry.reason or ""
        if not self.due or self.state not in _CLAIM_HELD_STATES or not _FINGERPRINT.fullmatch(new) or new in known:
            raise ModelViolation(f"got {entry}, want a device that is due, and a new certificate")
        if self.pending is not None:
            self.former.add(self.pending)
        self.pending, self.state = new, "claimed"
        self.generation += 1

    def _arrive(self, entry: Entry, about: Target | None) -> None:
        if (entry.reason == "RENEWED") != (self.pending is not None):
            raise ModelViolation(f"got {entry}, want RENEWED for the first arrival with a new certificate")
        if self.pending is not None:
            self.former.add(self.used)
            self.used, self.pending, self.due = self.pending, None, False
        self._plain(entry, about)

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
        retired = entry.reason if entry.reason and _FINGERPRINT.fullmatch(entry.reason) else None
        if retired and retired not in self.former and None not in self.former:
            raise ModelViolation(f"got {entry}, want a certificate that is no longer in use")
        held = self.state in _CLAIM_HELD_STATES and about == self.target
        if entry.reason and about is not None and not held and entry.generation == self.generation + 1:
            self.left.add(about)
            self.generation += 1
        if entry.reason is None and about is not None and not held:
            self.left.discard(about)

    def _revoke(self, _entry: Entry, _about: Target | None) -> None:
        self._leave()
        self.state, self.generation, self.due = "revoked", self.generation + 1, False

    def _quarantine(self, _entry: Entry, _about: Target | None) -> None:
        if self.state not in (_CLAIM_HELD_STATES | {"knocking", "inlobby", "proving"}):
            raise ModelViolation(f"got a quarantine from {self.state}")
        self._leave()
        self.state, self.generation, self.due = "quarantined", self.generation + 1, False

    def _lift(self, _entry: Entry, _about: Target | None) -> None:
        if self.state != "quarantined":
            raise ModelViolation(f"got the end of a quarantine from {self.state}")
        claimed = "proving" if self.unproven else "claimed"
        self.state, self.generation = claimed if self.target else "inlobby", self.generation + 1
        if self.target is not None and not self.unproven:
            self.left.discard(self.target)

    def _offer(self, _entry: Entry, _about: Target | None) -> None:
        """The device continues to work."""
        if self.state not in (_CLAIM_HELD_STATES | {"knocking", "inlobby"}) or self.offered:
            raise ModelViolation(f"got an offer of {self}")
        self.offered = True

    def _withdraw(self, _entry: Entry, _about: Target | None) -> None:
        if not self.offered and self.state != "transferred":
            raise ModelViolation(f"got a withdrawal from {self}")
        self.offered = False
        if self.state == "transferred":
            self.state, self.generation = "inlobby", self.generation + 1

    def _transfer(self, _entry: Entry, _about: Target | None) -> None:
        """It leaves its target and has no claim. It is not in a renewal."""
        if self.state not in (_CLAIM_HELD_STATES | {"knocking", "inlobby"}) or not self.offered or self.pending:
            raise ModelViolation(f"got a transfer of {self}, want one that is offered and not in a renewal")
        self._leave()
        self._end_claim()
        self.state, self.offered = "transferred", False

    def _end_claim(self) -> None:
        self.state, self.target, self.unproven, self.due = "inlobby", None, False, False
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
