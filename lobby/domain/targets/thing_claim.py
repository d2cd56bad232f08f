"""The attribute `claim` of a thing in a target: the device's lobby, its claim, and whether it has arrived.

The target's topic rules read it to decide which connections are reported to the lobby, so that ids of other fleets, and
reconnections of arrived devices, do not leave the target's account. Operators and the target's owner can search it. The
text has the form `<generation>:<profile>:<progress>:<lobby>:<fingerprint>`; the parts that a rule compares are last.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lobby.names import Fingerprint

CERTID: Final = "certid"
"""The thing attribute that holds the certificate's fingerprint."""
CLAIM: Final = "claim"
IDENTITY_ATTRIBUTES: Final = (CERTID, CLAIM)
"""Attributes that the lobby writes itself. No profile may name them, and they count towards AWS IoT's limit."""
_CLAIM: Final = re.compile(
    r"(?P<generation>[0-9]{1,18}):(?P<profile>[a-z0-9-]{1,32}):(?P<progress>[a-z]+)"
    r":(?P<lobby>[0-9]{12}/[a-z0-9-]+(/[a-z0-9-]+)?):(?P<certid>[0-9a-f]{64})"
)


class Progress(StrEnum):
    """The progress of the device in this target."""

    AWAITED = "awaited"
    """The lobby waits for the device's first connection with this claim."""
    ARRIVED = "arrived"
    LEFT = "left"
    """The device was assigned elsewhere, released or revoked."""


@dataclass(frozen=True)
class ThingClaim:
    """`lobby` is the lobby's key, such as `111122223333/eu-west-1`."""

    generation: int
    profile: str
    lobby: str
    certid: Fingerprint
    progress: Progress = Progress.AWAITED

    def __str__(self) -> str:
        return f"{self.generation}:{self.profile}:{self.progress.value}:{self.lobby}:{self.certid}"

    @property
    def lobby_id(self) -> str | None:
        """The lobby's id; None for the lobby without one."""
        return self.lobby.split("/")[2] if self.lobby.count("/") > 1 else None

    def is_held_by_another(self, lobby: str) -> bool:
        """Return whether another lobby than `lobby` has registered the device, and the device has not left."""
        return self.lobby != lobby and self.progress is not Progress.LEFT

    def with_progress(self, progress: Progress) -> "ThingClaim":
        return replace(self, progress=progress)


def parse_claim(text: object) -> ThingClaim | None:
    """Return the claim, or None for any other text: a target's owner can write anything."""
    match = _CLAIM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["progress"] not in set(Progress):
        return None
    return ThingClaim(
        int(match["generation"]),
        match["profile"],
        match["lobby"],
        Fingerprint(match["certid"]),
        Progress(match["progress"]),
    )


def names_device(certid: object, claim: ThingClaim | None, certificates: Collection[Fingerprint]) -> bool:
    """Return whether a thing with these attributes belongs to a device: one of them names one of its `certificates`.
    Two lobbies may know a renewed device that was transferred by different first certificates. In a target of both,
    the claim then names the certificate in use, which both know."""
    return certid in certificates or (claim is not None and claim.certid in certificates)
