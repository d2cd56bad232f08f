"""A registered target: an account and a Region that devices can be sent to, and the names of what exists there."""

from dataclasses import dataclass
from typing import Final

from lobby.names import Target

TARGET_ROLE: Final = "lobby_commissioner_role"
"""The IAM role in a target account that the commissioner assumes."""


@dataclass(frozen=True)
class RegisteredTarget:
    """A target as it is registered. `profiles` are the device profiles whose policies its stack deployed. `presence`:
    a claim for it counts only once somebody has read the code off the device. Claims that were there before stay as
    they were."""

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
    """The name of the IoT policy that a device of this profile gets in its target."""
    return f"device-lobby-{profile}"
