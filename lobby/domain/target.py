"""A registered target: an account and a Region that devices can be sent to, and the names of what exists there."""

from dataclasses import dataclass
from typing import Final

from lobby.names import Target

TARGET_ROLE: Final = "lobby_commissioner_role"
"""The IAM role in a target account that the commissioner assumes."""


@dataclass(frozen=True)
class RegisteredTarget:
    """A registered target. `profiles` are the device profiles whose policies its stack has deployed. `presence`: claims
    for it require proof of presence; claims that were made before are not affected."""

    target: Target
    name: str
    externalid: str
    profiles: tuple[str, ...]
    createdby: str
    createdat: str
    presence: bool = False

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.target.account}:role/{TARGET_ROLE}"


def profile_policy(profile: str) -> str:
    """Return the name of the IoT policy that a device with this profile gets in its target."""
    return f"device-lobby-{profile}"
