"""The content of a comparison's lists, as short records, and the certificates to examine because of them. The ledger's
list gives a record for each placed device; the target's lists give records for active certificates, holders of the
lobby's policies, and things. AWS documents no order for its lists, so records are compared by certificate, one
partition of all certificates at a time. A difference between records is only a suspicion, because the lists were read
at different times. `examination` looks up each suspect.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from commissioner.reconciliation.comparison import EXPECTED_PROGRESS
from lobby.contracts.inspector import Thing
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.targets.profile import Profile, Profiles
from lobby.domain.targets.thing_claim import parse_claim
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_fingerprint, parse_thing_name

PARTITIONS: Final = 256
"""The number of partitions, which are selected by the first two hex digits of a fingerprint. Fingerprints are hashes,
so with a million devices a partition has about 4,000."""
_PLACED, _ACTIVE, _HOLDER, _THING = "d", "a", "p", "t"
_UNKNOWN: Final = "?"
"""Replaces the digest if the lobby no longer has the device's profile, or if the thing has another device's claim. Such
a device is always examined."""
_RENEWED: Final = ":renewed"
"""Follows the claim of a thing that names a later certificate of its device. The ledger's list does not contain that
certificate, so the target's lists of certificates and policies say nothing about the device."""
_MOST_NAMES: Final = 3
"""The maximum number of things kept for one certificate. More than one is already suspect, and an owner can create any
number."""


def partition_of(record: str) -> int:
    return int(record[1:3], 16)


def placed_record(device: Device, profiles: Profiles) -> str:
    """Return the expected registration of a placed device in the target."""
    profile = profiles.by_name.get(device.profile)
    digest = _UNKNOWN if profile is None else _digest(*_wanted(profile, profiles))
    claim = f"{device.generation}:{device.profile}", device.devstate.value
    return _record(_PLACED, device.certid, device.profile, str(device.devicename), digest, *claim)


def active_record(certid: Fingerprint) -> str:
    return _record(_ACTIVE, certid)


def holder_record(certid: Fingerprint, profile: str) -> str:
    return _record(_HOLDER, certid, profile)


def thing_record(thing: Thing, profiles: Profiles, lobby: str) -> str | None:
    """Return the record of a thing, or None if its `certid` does not have the form that the lobby writes. A thing type
    that no profile names belongs to the target's owner and does not count as a difference. `lobby` is the lobby's
    key."""
    try:
        name, certid = parse_thing_name(thing.name), parse_fingerprint(thing.certid)
    except InvalidInput:
        return None
    if certid != thing.certid:
        return None
    thing_type = thing.thing_type if thing.thing_type in profiles.thing_types() else None
    attributes = _without_those_of_enrolments(thing.attributes, profiles)
    return _record(_THING, certid, name, _digest(thing_type, attributes), _claim(thing.claim, certid, lobby))


def _claim(text: str | None, certid: Fingerprint, lobby: str) -> str:
    """Return the parts of a thing's claim that depend on the ledger's row; empty if it has none."""
    claim = parse_claim(text)
    if text is not None and (claim is None or claim.lobby != lobby):
        return _UNKNOWN
    if claim is None:
        return ""
    return f"{claim.generation}:{claim.profile}:{claim.progress}{'' if claim.certid == certid else _RENEWED}"


def _record(kind: str, certid: Fingerprint, *rest: str) -> str:
    return "\t".join((kind + certid, *rest))


def _wanted(profile: Profile, profiles: Profiles) -> tuple[str | None, Mapping[str, str]]:
    attributes = _without_those_of_enrolments(dict(profile.attributes), profiles)
    return profile.thing_type.name if profile.thing_type else None, attributes


def _without_those_of_enrolments(attributes: Mapping[str, str], profiles: Profiles) -> dict[str, str]:
    """Return the attributes without those that enrolments set, which the ledger's lists lack. The examination of single
    devices compares these."""
    names = profiles.enrolment_attributes()
    return {name: value for name, value in attributes.items() if name not in names}


def _digest(thing_type: str | None, attributes: Mapping[str, str]) -> str:
    text = json.dumps([thing_type, dict(attributes)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Placed(NamedTuple):
    """The expected registration of a placed device. `claim` has the generation and profile of its claim."""

    profile: str
    name: str
    digest: str
    claim: str
    state: str

    def expects(self, things: set[tuple[str, str, str]] | None, renewed: str = "") -> bool:
        """Return whether exactly one thing was found, and it is the device's thing. With `renewed`, its claim must name
        a later certificate."""
        expected = EXPECTED_PROGRESS[State(self.state)]
        claims = [f"{self.claim}:{progress}{renewed}" for progress in expected if progress is not None]
        claims += [""] if None in expected and not renewed else []
        return things in [{(self.name, self.digest, claim)} for claim in claims]


@dataclass
class Partition:
    """The records of some certificates. Records of things are read last, and dropped if their certificate is neither
    placed nor active. This limits the number of records that the target's owner can cause."""

    placed: dict[Fingerprint, _Placed] = field(default_factory=dict)
    active: set[Fingerprint] = field(default_factory=set)
    holders: defaultdict[Fingerprint, set[str]] = field(default_factory=lambda: defaultdict(set))
    things: defaultdict[Fingerprint, set[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(set))
    """Name, digest and claim of each thing."""

    def add(self, records: Iterable[str]) -> None:
        for record in records:
            first, *rest = record.split("\t")
            self._add(first[0], Fingerprint(first[1:]), rest)

    def _add(self, kind: str, certid: Fingerprint, rest: list[str]) -> None:
        if kind == _PLACED:
            self.placed[certid] = _Placed(*rest)
        elif kind == _ACTIVE:
            self.active.add(certid)
        elif kind == _HOLDER:
            self.holders[certid].add(rest[0])
        elif (certid in self.placed or certid in self.active) and len(self.things[certid]) < _MOST_NAMES:
            name, digest, claim = rest
            self.things[certid].add((name, digest, claim))

    def suspects(self) -> list[Fingerprint]:
        """Return the placed devices that the target's lists do not show as expected, in order. A device with the
        expected thing that has renewed its certificate is not among them: it is examined when it is due, like the
        devices that match."""
        return sorted(certid for certid in self.placed if not self._matches(certid))

    def _matches(self, certid: Fingerprint) -> bool:
        placed, things = self.placed[certid], self.things.get(certid)
        found = self.holders.get(certid), certid in self.active
        return (found == ({placed.profile}, True) and placed.expects(things)) or placed.expects(things, _RENEWED)

    def absent(self) -> int:
        """Return how many of the placed devices the target's lists do not contain at all."""
        return sum(
            certid not in self.active and certid not in self.holders and certid not in self.things
            for certid in self.placed
        )

    def due(self, day: int, days: int) -> list[Fingerprint]:
        """Return the devices that are examined on this day also if they match, because no list shows attachments,
        groups and renewed certificates. Each device is due once within `days` days."""
        return sorted(certid for certid in self.placed if int(certid[2:10], 16) % days == day % days)

    def unclaimed(self) -> list[tuple[Fingerprint, ThingName]]:
        """Return the active certificates of devices that are not placed here, each with a thing that names it."""
        return sorted(
            (certid, ThingName(name))
            for certid, things in self.things.items()
            if certid not in self.placed
            for name, *_ in things
        )
