"""An enrolment: a group of devices that use one door, with limits and an optional target.

An enrolment defines which devices it matches, how many it admits and when, and their target (`allocation`). A
device that no enrolment matches is admitted and waits for a claim. `enrolment_selection` decides which one applies to a
device, and `enrolment_rules` reads what a user enters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lobby.domain.claims.claim_defaults import ClaimDefaults
from lobby.domain.enrolments.allocation import Allocation
from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.name_patterns import NamePattern
from lobby.domain.renewals.renewal import RenewalPolicy
from lobby.domain.signer import Signer
from lobby.names import EnrolmentName, Fingerprint, ThingName

MAX_ENROLMENTS: Final = 500
"""Limited, because all definitions are read together and compared with each device."""
SUBJECT_FIELDS: Final = ("C", "ST", "L", "O", "OU", "serialNumber")
"""The fields of a certificate's subject that enrolments can compare, by their short names (RFC 4514, section 3; X.520).
The CN is the thing name, which has a separate condition."""
PAUSED: Final = "ENROLMENT_PAUSED"
REVOKED: Final = "ENROLMENT_REVOKED"
NOT_STARTED: Final = "ENROLMENT_NOT_STARTED"
EXPIRED: Final = "ENROLMENT_EXPIRED"
FULL: Final = "ENROLMENT_FULL"
ALLOCATION_FAILED: Final = "ALLOCATION_FAILED"
"""The reason of a device that waits because no target could be chosen for it."""


class Door(StrEnum):
    """A way in which devices join."""

    REGISTRATION = "registration"
    """By a certificate of a registered CA."""
    TOKEN = "token"  # noqa: S105  # the name of a door
    """By an enrolment token, in exchange for which the lobby issues a certificate (`lobby.doors.vending`)."""
    CLAIM = "claim"
    """By a claim certificate of the enrolment, in exchange for which AWS IoT issues the device's own
    (`lobby.doors.provisioning`)."""


class Repeat(StrEnum):
    """The treatment of a second key for a serial number at the door `claim`. `ask`: it is refused
    until a user approves the serial number once."""

    REFUSE = "refuse"
    REPLACE = "replace"
    ASK = "ask"


class EnrolmentState(StrEnum):
    """`revoked` is final."""

    ACTIVE = "active"
    PAUSED = "paused"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Match:
    """Which devices an enrolment matches: those that meet all conditions. `ca` is AWS IoT's id of the CA that signed
    the certificate. `subject` has fields of the certificate's subject, by short name. `listed`: the device's serial
    number, which is its thing name, is in the enrolment's list."""

    ca: Fingerprint | None = None
    subject: Mapping[str, str] = field(default_factory=dict)
    name_pattern: NamePattern | None = None
    listed: bool = False


@dataclass(frozen=True)
class Applicant:
    """A device with a verified identity, at a door. `subject` has each field of the certificate's subject that occurs
    once."""

    certid: Fingerprint
    name: ThingName
    ca: str
    subject: Mapping[str, str]


@dataclass(frozen=True)
class Enrolment:
    """An enrolment as the ledger has it. Times are ISO 8601 UTC with milliseconds.

    `revision` increases with each change of the definition or state. `admitted` counts the devices that were admitted,
    each once; `limit` is the highest number (None: any). It admits from `starts` and before `ends`. `repeat` is set for
    the door `claim` only. `renewal`: when its devices renew their certificates (None: as their profiles state).
    `things`: the settings of its devices' things in targets. `signer`: the CA that issues certificates at the door
    `token` and in renewals (None: AWS IoT's CA)."""

    name: EnrolmentName
    door: Door
    match: Match
    createdby: str
    createdat: str
    state: EnrolmentState = EnrolmentState.ACTIVE
    revision: int = 1
    limit: int | None = None
    starts: str | None = None
    ends: str | None = None
    model: str | None = None
    allocation: Allocation | None = None
    admitted: int = 0
    repeat: Repeat | None = None
    renewal: RenewalPolicy | None = None
    things: ThingSettings | None = None
    signer: Signer | None = None

    @property
    def actor(self) -> str:
        """Who claims a device by this enrolment's rule."""
        return f"rule:{self.name}"

    @property
    def claim_defaults(self) -> ClaimDefaults | None:
        """The enrolment's defaults for users' claims; None if its rule claims the devices, or if it has no defaults."""
        stated = self.allocation
        if stated is None or stated.chooses:
            return None
        return ClaimDefaults(stated.profile, stated.config, stated.presence)

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.admitted >= self.limit


@dataclass(frozen=True)
class Refusal:
    """Why an enrolment admits no device now."""

    code: str
    message: str


def refusal_of(enrolment: Enrolment, at: str, *, counted: bool = False) -> Refusal | None:
    """Return why `enrolment` does not admit a device at the time `at`, or None. `counted`: it has admitted this device
    before, so its limit does not apply."""
    name = enrolment.name
    if enrolment.state is EnrolmentState.REVOKED:
        return Refusal(REVOKED, f"got a device of enrolment {name}, which is revoked permanently")
    if enrolment.state is EnrolmentState.PAUSED:
        return Refusal(PAUSED, f"got a device of enrolment {name}, which is paused; resume it, then retry the device")
    if enrolment.starts is not None and at < enrolment.starts:
        return Refusal(
            NOT_STARTED, f"got a device of enrolment {name}, which starts at {enrolment.starts}; retry the device then"
        )
    if enrolment.ends is not None and at >= enrolment.ends:
        return Refusal(
            EXPIRED,
            f"got a device of enrolment {name}, which ended at {enrolment.ends}; extend it, then retry",
        )
    if enrolment.is_full and not counted:
        message = f"got one more device of enrolment {name}, want at most {enrolment.limit}"
        return Refusal(FULL, f"{message}; raise the limit, then retry the device")
    return None


class EnrolmentEvent(StrEnum):
    """The events of an enrolment."""

    CREATED = "created"
    CHANGED = "changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    REVOKED = "revoked"
    LISTED = "listed"
    TOKEN_CREATED = "token created"  # noqa: S105  # the name of an event
    TOKEN_REVOKED = "token revoked"  # noqa: S105  # the name of an event
    CERTIFIED = "certified"
    """A claim certificate was added."""
    UNCERTIFIED = "uncertified"
    """A claim certificate was revoked."""
    APPROVED = "approved"
    """A user has approved a serial number for another key, once."""


@dataclass(frozen=True)
class EnrolmentEntry:
    """One entry of an enrolment's history. `detail` states what was changed."""

    at: str
    actor: str
    event: EnrolmentEvent
    detail: str = ""


def changes_of(before: Enrolment, after: Enrolment) -> str:
    """Return a description of the changes of limit or validity, for the history; empty if there is none."""
    pairs = [
        ("limit", before.limit, after.limit),
        ("starts", before.starts, after.starts),
        ("ends", before.ends, after.ends),
        ("repeat", before.repeat, after.repeat),
        ("renewal", _shown(before.renewal), _shown(after.renewal)),
        ("signer", _signer_shown(before.signer), _signer_shown(after.signer)),
    ]
    return "; ".join(f"{what}: {old or 'none'} → {new or 'none'}" for what, old, new in pairs if old != new)


def _shown(policy: RenewalPolicy | None) -> str | None:
    return f"after {policy.maximum_age} days, within {policy.grace} more" if policy else None


def _signer_shown(signer: Signer | None) -> str | None:
    return f"{signer.key}, for {signer.days} days" if signer else None
