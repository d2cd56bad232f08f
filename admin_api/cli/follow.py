"""Follows devices until each has reached its goal or cannot reach it.

`assess` is a pure function from a device's state to a verdict. `Follower` polls, reports each change once and stops at
the timeout. The pauses between polls grow, so that a long wait sends few requests.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from lobby.names import Fingerprint, State

Device = Mapping[str, Any]
FIRST_PAUSE: Final = 0.3
MAX_PAUSE: Final = 3.0
_GROWTH: Final = 1.3
_IN_PROGRESS: Final = frozenset({State.EXPECTED, State.PROVING, State.CLAIMED, State.COMMISSIONED})
_UNCLAIMED: Final = frozenset({State.KNOCKING, State.INLOBBY})
_RENEWING: Final = frozenset({State.CLAIMED, State.COMMISSIONED, State.ARRIVED})
_CODE_NOT_SHOWN: Final = "CODE_NOT_SHOWN"
_EXPLANATIONS: Final[dict[State | None, str]] = {
    State.EXPECTED: "the device has not connected yet: is it powered on and online?",
    State.PROVING: "waiting for the code that the device shows: lobbyctl confirm",
    State.CLAIMED: "being registered in the target",
    State.COMMISSIONED: "the route is ready; the device has not connected to the target yet",
    State.KNOCKING: "admitted to the lobby; the device has not sent a hello yet",
    State.INLOBBY: "waiting to be claimed",
    State.ARRIVED: "asked to renew its certificate: is the device online?",
}


class Goal(Enum):
    """The state until which a device is followed."""

    ARRIVAL = "arrival"
    EVENTUAL_ARRIVAL = "eventual arrival"
    """As ARRIVAL, but the device need not be claimed or registered yet."""
    CLEARED = "cleared"
    """All targets that the device has left are cleared. This is the goal of a retry if the device is not claimed."""
    RENEWED = "renewed"
    """The device uses only its new certificate."""


class Verdict(Enum):
    """Whether to keep waiting for a device."""

    WAIT = "wait"
    REACHED = "reached"
    LOST = "lost"


@dataclass(frozen=True)
class Progress:
    """The last observed state of a device. `seconds` is the time from the start until this state was first observed."""

    certid: Fingerprint
    seconds: float
    device: Device | None
    verdict: Verdict

    @property
    def state(self) -> str:
        return str(self.device["devstate"]) if self.device else "unknown"

    @property
    def explanation(self) -> str | None:
        """The reason of the device's state, and what to do."""
        if self.device is None:
            return "not in the ledger"
        reason, message = self.device["reason"], self.device.get("message")
        own = ": ".join(part for part in (reason, message) if part)
        return own or self._queue or _EXPLANATIONS.get(_known_state(self.state))

    @property
    def _queue(self) -> str | None:
        """Return a text which states that a claimed device waits in its target's lane. It has no numbers that change in
        each poll."""
        device = self.device or {}
        if self.state != State.CLAIMED or not device.get("waitsFor"):
            return None
        expected = device.get("expectedAt")
        return f"waits in its target's lane until about {expected[11:16]} UTC" if expected else str(device["waitsFor"])


def assess(device: Device | None, goal: Goal) -> Verdict:
    """Return whether to keep waiting for the device to reach `goal`."""
    eventual = goal is Goal.EVENTUAL_ARRIVAL
    if device is None:
        return Verdict.WAIT if eventual else Verdict.LOST
    if goal is Goal.CLEARED:
        return Verdict.WAIT if device["previousTargets"] else Verdict.REACHED
    state = _known_state(device["devstate"])
    if goal is Goal.RENEWED and state in _RENEWING:
        return Verdict.WAIT if device.get("renewal") else Verdict.REACHED
    if state is State.ARRIVED:
        return Verdict.REACHED
    if state is State.PROVING and cannot_prove(device):
        return Verdict.LOST
    waits = state is None or state in _IN_PROGRESS or (eventual and state in _UNCLAIMED)
    return Verdict.WAIT if waits else Verdict.LOST


def _known_state(name: object) -> State | None:
    """Return the state, or None for one that this version does not know."""
    return next((state for state in State if state == name), None)


def cannot_prove(device: Device) -> bool:
    """Whether the claim waits for a code that the device's client cannot show. A user must release the device or update
    the client."""
    return device["reason"] == _CODE_NOT_SHOWN or device.get("showsCode") is False


def goal_of(device: Device) -> Goal:
    """Return the goal of a device in this state after a change."""
    arriving = _IN_PROGRESS | {State.FAILED, State.ARRIVED}
    return Goal.ARRIVAL if _known_state(device["devstate"]) in arriving else Goal.CLEARED


@dataclass(frozen=True)
class Follower:
    """Polls devices with `lookup`. `monotonic` and `sleep` are in seconds; `on_change` receives every change once."""

    lookup: Callable[[Sequence[Fingerprint]], Mapping[Fingerprint, Device]]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    on_change: Callable[[Progress], None]

    def follow(self, goals: Mapping[Fingerprint, Goal], timeout: float) -> list[Progress]:
        """Return each device's last progress in the order of `goals`, when no device waits any longer or after
        `timeout` s."""
        start, pause = self.monotonic(), FIRST_PAUSE
        last: dict[Fingerprint, Progress] = {}
        while True:
            waiting = [certid for certid in goals if certid not in last or last[certid].verdict is Verdict.WAIT]
            for progress in self._poll(waiting, goals, start):
                self._update(last, progress)
            remaining = timeout - (self.monotonic() - start)
            if remaining <= 0 or all(progress.verdict is not Verdict.WAIT for progress in last.values()):
                return [last[certid] for certid in goals]
            self.sleep(min(pause, remaining))
            pause = min(pause * _GROWTH, MAX_PAUSE)

    def _poll(
        self, certids: Sequence[Fingerprint], goals: Mapping[Fingerprint, Goal], start: float
    ) -> Iterator[Progress]:
        devices = self.lookup(certids)
        for certid in certids:
            device = devices.get(certid)
            yield Progress(certid, self.monotonic() - start, device, assess(device, goals[certid]))

    def _update(self, last: dict[Fingerprint, Progress], progress: Progress) -> None:
        known = last.get(progress.certid)
        if known is None or _differs(known, progress):
            last[progress.certid] = progress
            self.on_change(progress)
        else:
            last[progress.certid] = replace(progress, seconds=known.seconds)


def _differs(one: Progress, other: Progress) -> bool:
    return (one.state, one.explanation, one.verdict) != (other.state, other.explanation, other.verdict)
