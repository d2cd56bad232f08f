"""A device as the ledger knows it, and one entry of its history: frozen values, free of any database.

The hash chain is here because it is a property of the entries alone: each carries the hash of the one before
it, so that a changed, missing or reordered entry shows. Nothing is decided here; see `decisions`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from lobby.domain.states import Event, State
from lobby.names import Fingerprint, PresenceCode, Region, Target, ThingName
from lobby.wire import DEFAULT_CONFIG, Config, PresenceChallenge, Route

DEFAULT_PROFILE = "default"
GENESIS = "0" * 64
"""What stands in the place of the previous hash in a device's first entry."""


class PresenceProof(StrEnum):
    """Whether somebody stood at the device, of a claim that asks for that; a claim that does not has none."""

    WANTED = "wanted"
    GIVEN = "given"


@dataclass(frozen=True)
class Device:
    """One row of the ledger. Times are ISO 8601 UTC with milliseconds.

    `version` counts the history's entries and guards every write. `generation` counts the claims and guards the
    commissioner's writes. `head` is the hash of the last entry. `targets_to_clear` are targets that the device has left
    and that are not cleared yet. `needs_commissioner` is set while the commissioner has work to do; its event filter
    reads nothing else. `counted` is the key of the bucket that counts this row, so that a transition decrements it
    (None: the row is older than the counts). `code` is what the device shows while it is `proving`; only the device
    gets it. `failed_codes` counts the wrong codes of this claim. `shows_code` states whether the device can show a
    code, as reported in its last hello (None: no hello yet, or the row is older)."""

    certid: Fingerprint
    devstate: State
    enteredat: str
    version: int = 0
    head: str = GENESIS
    generation: int = 0
    devicename: ThingName | None = None
    devicecert: str | None = None
    reason: str | None = None
    message: str | None = None
    target: Target | None = None
    profile: str = DEFAULT_PROFILE
    config: Config = DEFAULT_CONFIG
    iotep: str | None = None
    targets_to_clear: tuple[Target, ...] = ()
    needs_commissioner: bool = False
    claimedby: str | None = None
    claimedat: str | None = None
    firstseen: str | None = None
    lastseen: str | None = None
    lobbyregion: Region | None = None
    clientversion: str | None = None
    counted: str | None = None
    presence_proof: PresenceProof | None = None
    code: PresenceCode | None = field(default=None, repr=False)
    failed_codes: int = 0
    shows_code: bool | None = None

    def route(self) -> Route | None:
        """What to tell the device, or None while it has to wait."""
        if self.devstate not in (State.COMMISSIONED, State.ARRIVED) or self.iotep is None:
            return None
        host, _, port = self.iotep.partition(":")
        return Route(host, self.config, int(port) if port else None, self.generation)

    def presence_challenge(self) -> PresenceChallenge | None:
        """What a device is told to show, or None where it has nothing to show, or no way to."""
        if self.devstate is not State.PROVING or self.code is None or not self.shows_code:
            return None
        return PresenceChallenge(self.code, self.generation)


@dataclass(frozen=True)
class Entry:
    """One line of a device's history: who, when, from, to, why."""

    certid: Fingerprint
    seq: int
    at: str
    actor: str
    event: Event
    before: State | None
    after: State | None
    generation: int
    reason: str | None
    target: str | None
    prior: str
    hash: str = ""

    def sealed(self) -> "Entry":
        """The entry with its hash: SHA-256 over everything else in it, as canonical JSON."""
        body = {key: value for key, value in asdict(self).items() if key != "hash"}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return replace(self, hash=hashlib.sha256(text.encode()).hexdigest())
