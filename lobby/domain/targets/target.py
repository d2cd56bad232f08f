"""A registered target: an account and a Region that devices can be sent to, and the names of what exists there.

The names in a target are fixed, so the commissioner and the target's stack agree without a setting. Rejects claims for
targets that are archived or evacuated, and profiles that a target does not have.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lobby.deployment import NAMES
from lobby.domain.connections.clones import ClonePolicy
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.domain.standby.standby import StandbyMode
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.names import AccountId, Region, Target, parse_profile, shown

TARGET_ROLE: Final = NAMES.target_role
"""The IAM role in a target account that the commissioner assumes."""


AS_LOBBY: Final = "lobby"
"""Entered instead of a target's own policy for copied certificates: the lobby's setting applies."""


@dataclass(frozen=True)
class RegisteredTarget:
    """A registered target. `profiles` are the device profiles whose policies its stack has deployed. `presence`: claims
    for it require proof of presence; claims that were made before are not affected. `archivedat`: since this time, no
    device can be claimed for it. `removed`: users do not see it, but devices that have left it can still be cleared
    there. `rate`: how many devices per second the commissioner commissions there. `standby` is the target in which its
    devices are prepared, with certificates as `standby_mode` says; `evacuated_at`: since this time, the devices go to
    the standby. `evacuation_asked` is the evacuation that waits for a second user, and `last_work` the last work on all
    of its devices (`standby_work`). `returned_at`: the end of the last evacuation. `named_at`: when it was last made
    the standby of another target. `clones`: what happens to a device of this target whose certificate may be in use
    twice (None: the lobby's setting applies)."""

    target: Target
    name: str
    externalid: str
    profiles: tuple[str, ...]
    createdby: str
    createdat: str
    presence: bool = False
    archivedat: str | None = None
    removed: bool = False
    rate: float = DEFAULT_RATE
    standby: Target | None = None
    standby_mode: StandbyMode = StandbyMode.ACTIVE
    evacuated_at: str | None = None
    evacuation_asked: str | None = None
    last_work: str | None = None
    returned_at: str | None = None
    clones: ClonePolicy | None = None
    named_at: str | None = None

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.target.account}:role/{TARGET_ROLE}"


def profile_for(registered: RegisteredTarget, profile: str | None) -> str:
    """Return the profile of a claim for this target; for None, the target's default profile. Raise `NotFound`
    UNKNOWN_PROFILE for one that the target does not have, or `InvalidInput` INVALID_PROFILE."""
    if profile is None:
        return DEFAULT_PROFILE if DEFAULT_PROFILE in registered.profiles else registered.profiles[0]
    if parse_profile(profile) not in registered.profiles:
        profiles = ", ".join(registered.profiles)
        raise NotFound("UNKNOWN_PROFILE", f"got profile {profile}, want one of {registered.target}'s: {profiles}")
    return profile


def require_open(registered: RegisteredTarget) -> RegisteredTarget:
    """Return a target that takes claims. Raise `Conflict` TARGET_ARCHIVED or TARGET_EVACUATED."""
    if registered.evacuated_at is not None:
        message = (
            f"got {registered.target}, evacuated at {registered.evacuated_at}; want its standby {registered.standby}"
        )
        raise Conflict("TARGET_EVACUATED", message)
    if registered.archivedat is not None:
        message = f"got {registered.target}, archived at {registered.archivedat}; want a target that takes claims"
        raise Conflict("TARGET_ARCHIVED", message)
    return registered


def standby_of(registered: RegisteredTarget) -> Target:
    """Return the standby of a target. Raise `Conflict` NO_STANDBY."""
    if registered.standby is None:
        raise Conflict("NO_STANDBY", f"got {registered.target}, want a target that has a standby")
    return registered.standby


PLACEHOLDER: Final = Target(AccountId("000000000000"), Region("xx-placeholder-1"))
PLACEHOLDER_EXTERNAL_ID: Final = "external-id-of-the-target"
"""Placeholders in templates that are filled in for one target. No real target has these values."""


class TargetEvent(StrEnum):
    """The events of a target."""

    REGISTERED = "registered"
    CHANGED = "changed"
    ARCHIVED = "archived"
    RESTORED = "restored"
    REMOVED = "removed"
    STANDBY = "standby"
    """The standby was set, changed or removed."""
    ASKED = "asked"
    """An evacuation waits for a second user."""
    EVACUATED = "evacuated"
    RETURNED = "returned"
    DRILLED = "drilled"


@dataclass(frozen=True)
class TargetEntry:
    """One entry of a target's history. `detail` states what was changed."""

    at: str
    actor: str
    event: TargetEvent
    detail: str


def changes_of(before: RegisteredTarget, after: RegisteredTarget) -> str:
    """Return a description of the changes of a target's settings, for its history; empty if there is none."""
    pairs = [
        ("name", before.name, after.name),
        ("profiles", ", ".join(before.profiles), ", ".join(after.profiles)),
        ("presence", before.presence, after.presence),
        ("rate", before.rate, after.rate),
        ("clones", shown_policy(before.clones), shown_policy(after.clones)),
    ]
    return "; ".join(f"{what}: {old} → {new}" for what, old, new in pairs if old != new)


def shown_policy(clones: ClonePolicy | None) -> str:
    return AS_LOBBY if clones is None else clones.value


def parse_policy(text: str) -> ClonePolicy | None:
    """Return a target's policy for copied certificates; None for `lobby`. Raise `InvalidInput` INVALID_POLICY."""
    if text == AS_LOBBY:
        return None
    if text not in set(ClonePolicy):
        raise InvalidInput("INVALID_POLICY", f"got {shown(text)}, want {AS_LOBBY}, {' or '.join(ClonePolicy)}")
    return ClonePolicy(text)


def profile_policy(profile: str) -> str:
    """Return the name of the IoT policy that a device with this profile gets in its target."""
    return NAMES.policy(profile)
