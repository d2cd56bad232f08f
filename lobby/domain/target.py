"""A registered target: an account and a Region that devices can be sent to, and the names of what exists there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lobby.domain.lane_pace import DEFAULT_RATE
from lobby.names import AccountId, Region, Target

TARGET_ROLE: Final = "lobby_commissioner_role"
"""The IAM role in a target account that the commissioner assumes."""


@dataclass(frozen=True)
class RegisteredTarget:
    """A registered target. `profiles` are the device profiles whose policies its stack has deployed. `presence`: claims
    for it require proof of presence; claims that were made before are not affected. `archivedat`: no device can be
    claimed for it since then. `removed`: no user sees it; devices that left it before can still be cleared. `rate`: how
    many devices per second the commissioner commissions there."""

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

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.target.account}:role/{TARGET_ROLE}"


PLACEHOLDER: Final = Target(AccountId("000000000000"), Region("xx-placeholder-1"))
PLACEHOLDER_EXTERNAL_ID: Final = "external-id-of-the-target"
"""In the templates that are filled in for one target: no target has these."""


class TargetEvent(StrEnum):
    """What was done with a target."""

    REGISTERED = "registered"
    CHANGED = "changed"
    ARCHIVED = "archived"
    RESTORED = "restored"
    REMOVED = "removed"


@dataclass(frozen=True)
class TargetEntry:
    """One entry of a target's history. `detail` states what was changed."""

    at: str
    actor: str
    event: TargetEvent
    detail: str


def changes_of(before: RegisteredTarget, after: RegisteredTarget) -> str:
    """Return what a change of a target's settings changes, for its history; empty for none."""
    pairs = [
        ("name", before.name, after.name),
        ("profiles", ", ".join(before.profiles), ", ".join(after.profiles)),
        ("presence", before.presence, after.presence),
        ("rate", before.rate, after.rate),
    ]
    return "; ".join(f"{what}: {old} → {new}" for what, old, new in pairs if old != new)


def profile_policy(profile: str) -> str:
    """Return the name of the IoT policy that a device with this profile gets in its target."""
    return f"device-lobby-{profile}"
