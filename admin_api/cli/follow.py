"""Follows devices until they have arrived, or it is plain that they will not.

What a device's state means for somebody who waits is a pure function; the loop around it asks, tells each change once,
and gives up at its deadline. The pauses grow, so that a long wait asks seldom.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from lobby.names import Fingerprint, State

Device = Mapping[str, Any]
FIRST_PAUSE: Final = 0.3
LONGEST_PAUSE: Final = 3.0
_GROWTH: Final = 1.3
_WAITING: Final = frozenset({State.EXPECTED, State.PROVING, State.CLAIMED, State.COMMISSIONED})
_UNCLAIMED: Final = frozenset({State.KNOCKING, State.INLOBBY})
_WAITS_FOR: Final = {
    State.EXPECTED: "the device has not knocked yet: is it powered on and online?",
    State.PROVING: "it waits for the code that it shows: lobbyctl confirm",
    State.CLAIMED: "the commissioner is at work on it",
    State.COMMISSIONED: "its route is ready; it has not connected to its target yet",
    State.KNOCKING: "it has been let in, and has not said hello yet",
    State.INLOBBY: "it waits to be claimed",
}


class Goal(Enum):
    """What is waited for."""

    ARRIVAL = "arrival"
    EVENTUAL_ARRIVAL = "eventual arrival"
    """It need not be claimed yet, nor known."""
    CLEARED = "cleared"
    """No target that it has left is still to be cleared: what a retry is for where nothing is claimed."""


class Verdict(Enum):
    """Whether to wait on."""

    WAIT = "wait"
    REACHED = "reached"
    LOST = "lost"


@dataclass(frozen=True)
class Progress:
    """A device as it was last seen, and how long after the beginning that state was first seen."""

    certid: Fingerprint
    seconds: float
    device: Device | None
    verdict: Verdict

    @property
    def state(self) -> str:
        return str(self.device["devstate"]) if self.device else "unknown"

    @property
    def told(self) -> str | None:
        """Why it does not go on, and what to do."""
        if self.device is None:
            return "it is not in the ledger"
        reason, message = self.device["reason"], self.device.get("message")
        return ": ".join(part for part in (reason, message) if part) or _WAITS_FOR.get(State(self.state))


def verdict(device: Device | None, goal: Goal) -> Verdict:
    """What the device's state says to somebody who waits."""
    patient = goal is Goal.EVENTUAL_ARRIVAL
    if device is None:
        return Verdict.WAIT if patient else Verdict.LOST
    if goal is Goal.CLEARED:
        return Verdict.WAIT if device["previousTargets"] else Verdict.REACHED
    state = State(device["devstate"])
    if state is State.ARRIVED:
        return Verdict.REACHED
    return Verdict.WAIT if state in _WAITING or (patient and state in _UNCLAIMED) else Verdict.LOST


def goal_of(device: Device) -> Goal:
    """What a device in this state is on its way to."""
    return Goal.ARRIVAL if State(device["devstate"]) in _WAITING | {State.FAILED, State.ARRIVED} else Goal.CLEARED


@dataclass(frozen=True)
class Following:
    """How to look and to wait. `clock` gives seconds, `pause` waits that many, `tell` hears every change once."""

    look: Callable[[Sequence[Fingerprint]], Mapping[Fingerprint, Device]]
    clock: Callable[[], float]
    pause: Callable[[float], None]
    tell: Callable[[Progress], None]

    def until(self, goals: Mapping[Fingerprint, Goal], timeout: float) -> list[Progress]:
        """Each device's last progress, in their order, once all have ended or `timeout` seconds are over."""
        began, wait = self.clock(), FIRST_PAUSE
        last: dict[Fingerprint, Progress] = {}
        while True:
            open_ = [certid for certid in goals if certid not in last or last[certid].verdict is Verdict.WAIT]
            for seen in self._looked(open_, goals, began):
                known = last.get(seen.certid)
                if known is None or _differs(known, seen):
                    last[seen.certid] = seen
                    self.tell(seen)
                else:
                    last[seen.certid] = replace(seen, seconds=known.seconds)
            left = timeout - (self.clock() - began)
            if left <= 0 or all(seen.verdict is not Verdict.WAIT for seen in last.values()):
                return [last[certid] for certid in goals]
            self.pause(min(wait, left))
            wait = min(wait * _GROWTH, LONGEST_PAUSE)

    def _looked(
        self, certids: Sequence[Fingerprint], goals: Mapping[Fingerprint, Goal], began: float
    ) -> Iterable[Progress]:
        found = self.look(certids)
        for certid in certids:
            device = found.get(certid)
            yield Progress(certid, self.clock() - began, device, verdict(device, goals[certid]))


def _differs(one: Progress, other: Progress) -> bool:
    return (one.state, one.told, one.verdict) != (other.state, other.told, other.verdict)
