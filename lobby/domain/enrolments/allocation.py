"""The allocation of an enrolment: the target, profile and configuration with which its devices are claimed.

One target, several with weights, or a Lambda function of the operator that chooses (`lobby.aws.allocation_hook`).
Weighted targets are chosen by rendezvous hashing of the thing name: a device always gets the same target, each target
gets its share, and a change of the weights affects as few devices as possible (Schindelhauer and Schomaker, "Weighted
distributed hash tables", 2005).
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

from lobby.deployment import NAMES
from lobby.names import Target, ThingName
from lobby.wire import DEFAULT_CONFIG, Config

MAX_TARGETS: Final = 50
MAX_WEIGHT: Final = 1000
HOOK_PREFIX: Final = NAMES.name("allocation-")
"""The prefix of the names of functions that the door may invoke."""


@dataclass(frozen=True)
class Share:
    """A target and its weight."""

    target: Target
    weight: int = 1


@dataclass(frozen=True)
class Allocation:
    """Either `shares` or `function`, the name of a Lambda function in the lobby's account and Region. If neither is
    set, devices wait for a user's claim, and the other values are the defaults of that claim. `profile`: None is the
    target's default. `presence`: claims require proof of presence even if the target does not."""

    shares: tuple[Share, ...] = ()
    function: str | None = None
    profile: str | None = None
    config: Config = DEFAULT_CONFIG
    presence: bool = False

    @property
    def chooses(self) -> bool:
        """Return whether the allocation chooses a target, so that the enrolment's rule claims the devices."""
        return bool(self.shares) or self.function is not None


def share_for(shares: tuple[Share, ...], name: ThingName) -> Target:
    """Return the target of the device `name`. `shares` are not empty."""
    return max(shares, key=lambda share: (_score(share, name), share.target)).target


def _score(share: Share, name: ThingName) -> float:
    """Return the weight, divided by -ln of a number in (0, 1) that the name and the target determine."""
    digest = hashlib.sha256(f"{share.target}|{name}".encode()).digest()
    number = ((int.from_bytes(digest[:8], "big") >> 12) + 0.5) / 2**52
    return share.weight / -math.log(number)
