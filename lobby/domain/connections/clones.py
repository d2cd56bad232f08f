"""Whether two devices use one certificate, decided from the connections that AWS IoT reports.

Two kinds of evidence count. *Takeovers*: in one place, connections from two addresses take the client id from each
other in turn. AWS IoT's version numbers give the order, because events can be delayed, reordered and repeated, and
their times can be wrong by two minutes. *Lobby and target at the same time*: a connection to the target begins and ends
well within a connection to the lobby from another address, and the client ended the connection to the lobby itself. A
device on a bad network takes over its own connections, but not from two addresses in turn. A device that reboots, falls
back or changes its network does not hold two connections for minutes. A device can have an IPv4 and an IPv6 address at
the same time, so an IPv4 address is not compared with an IPv6 address. Connections without an address are no evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

LOBBY: Final = "lobby"
"""The place of a connection to the lobby, followed by the Region if the lobby has several. The place of a connection to
a target is the target's key."""
CLONE_SUSPECTED: Final = "CLONE_SUSPECTED"
"""The reason of a device whose certificate may be in use twice."""
_MS: Final = timedelta(milliseconds=1)
SKEW_MS: Final = timedelta(minutes=2) // _MS
"""How wrong the time of a lifecycle event may be (AWS IoT developer guide, "Lifecycle events")."""
WINDOW_MS: Final = timedelta(minutes=10) // _MS
RETURNS: Final = 5
"""How often an address must return after another one within `WINDOW_MS`. A single device would have to change its
network six times in ten minutes, each time before AWS IoT notices the end of the connection."""
KEPT_MS: Final = timedelta(days=1) // _MS
MAX_SIGHTINGS: Final = 24


class ClonePolicy(StrEnum):
    """What the lobby does automatically with a device that is suspected."""

    FLAG = "flag"
    QUARANTINE = "quarantine"


class Signal(StrEnum):
    """The kinds of evidence."""

    TAKEOVERS = "takeovers"
    AT_ONCE = "lobby-and-target"


@dataclass(frozen=True)
class Sighting:
    """A connection of a device. `place` is `lobby` or a target's key; `at` is in ms since 1970. Versions grow with the
    connections of a client in one place."""

    place: str
    version: int
    session: str
    at: int
    address: str


@dataclass(frozen=True)
class LobbySession:
    """A connection to the lobby that the client ended itself, so the connection was alive until `until`."""

    address: str
    since: int
    until: int


@dataclass(frozen=True)
class Suspicion:
    """Why a device is suspected: the evidence, and when it was found (ISO 8601, UTC). `dismissed` is when a user
    dismissed it; earlier evidence is not used again."""

    signal: Signal
    at: str
    place: str
    addresses: tuple[str, ...] = ()
    dismissed: str | None = None

    def encode(self) -> dict[str, Any]:
        """Return the suspicion as an object for JSON."""
        body = {"signal": self.signal.value, "at": self.at, "place": self.place, "addresses": list(self.addresses)}
        return body if self.dismissed is None else body | {"dismissed": self.dismissed}

    @staticmethod
    def decode(body: dict[str, Any]) -> "Suspicion":
        return Suspicion(
            Signal(body["signal"]), body["at"], body["place"], tuple(body["addresses"]), body.get("dismissed")
        )

    @property
    def message(self) -> str:
        """Return what was seen, with advice."""
        addresses = " and ".join(self.addresses)
        seen = (
            f"connections from {addresses} take its identity from each other in {self.place}"
            if self.signal is Signal.TAKEOVERS
            else f"it was connected to the lobby and to {self.place} at the same time, from {addresses}"
        )
        return f"{seen}: {self.advice}"

    @property
    def advice(self) -> str:
        return (
            "its certificate and key may have been copied; quarantine it, find the copy, then revoke it or lift the "
            "quarantine; dismiss the suspicion if this is one device"
        )


@dataclass(frozen=True)
class Evidence:
    """What was found, in `place` and from which addresses."""

    signal: Signal
    place: str
    addresses: tuple[str, ...] = field(default=())

    def found(self, at: str) -> Suspicion:
        return Suspicion(self.signal, at, self.place, self.addresses)

    @property
    def summary(self) -> str:
        """Return the reason in the history. It has no addresses, because the history is kept forever and shown to every
        user."""
        return f"{CLONE_SUSPECTED}: {self.signal} in {self.place}"


def dismissed(suspicion: Suspicion, at: str) -> Suspicion:
    return replace(suspicion, dismissed=suspicion.dismissed or at)


def usable_from(suspicion: Suspicion | None) -> int:
    """Return the time from which sightings count: after the dismissal, if there was one, with a margin because times
    are inexact."""
    if suspicion is None or suspicion.dismissed is None:
        return 0
    return int(datetime.fromisoformat(suspicion.dismissed).timestamp() * 1000) + SKEW_MS


def added(sightings: Sequence[Sighting], new: Sighting) -> tuple[Sighting, ...]:
    """Return the sightings with a new one added. Only the latest `MAX_SIGHTINGS` within a day before or after the new
    one are kept, so that a sighting with a wrong time hides no others. A known sighting changes nothing."""
    if any((each.place, each.session) == (new.place, new.session) for each in sightings):
        return tuple(sightings)
    kept = sorted((*sightings, new), key=lambda each: each.at)
    return tuple(each for each in kept if abs(each.at - new.at) < KEPT_MS)[-MAX_SIGHTINGS:]


def takeovers(sightings: Sequence[Sighting], place: str, since: int) -> Evidence | None:
    """Return the evidence that connections from two addresses take over from each other in `place`."""
    there = [each for each in sightings if each.place == place and each.at >= since]
    recent = [each for each in there if each.at > max(seen.at for seen in there) - WINDOW_MS]
    ordered = [each.address for each in sorted(recent, key=lambda each: each.version)]
    for ipv6 in (False, True):
        returned = _returned([address for address in ordered if _is_ipv6(address) is ipv6])
        if len(returned) >= RETURNS:
            return Evidence(Signal.TAKEOVERS, place, tuple(dict.fromkeys(returned))[:2])
    return None


def _returned(ordered: Sequence[str]) -> list[str]:
    """Return the addresses that return after another one, once for each return."""
    changes = [address for index, address in enumerate(ordered) if index == 0 or ordered[index - 1] != address]
    return [address for index, address in enumerate(changes) if address in changes[:index]]


def _is_ipv6(address: str) -> bool:
    return ":" in address


def at_once(sightings: Sequence[Sighting], session: LobbySession, since: int) -> Evidence | None:
    """Return the evidence of a connection to a target that certainly lies within a connection to the lobby, even if
    both times are wrong by the maximum."""
    for each in sightings:
        is_within = session.since + 2 * SKEW_MS < each.at < session.until - 2 * SKEW_MS
        is_other = each.address != session.address and _is_ipv6(each.address) is _is_ipv6(session.address)
        if not each.place.startswith(LOBBY) and each.at >= since and is_within and is_other:
            return Evidence(Signal.AT_ONCE, each.place, (session.address, each.address))
    return None
