"""The defaults of a claim: the values of the device's enrolment for what the claim leaves open.

A device of an enrolment that chooses no target waits for a user's claim. The defaults are written to its row at
admission, so a claim needs no further read, and a device without defaults costs nothing. Values in the claim have
precedence, even an empty configuration. A default profile that the claimed target does not offer is refused, as if the
claim had named it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lobby.errors import NotFound
from lobby.wire import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from lobby.domain.device import Device
    from lobby.domain.transitions import ClaimRequest


@dataclass(frozen=True)
class ClaimDefaults:
    """`profile`: None is the target's default. `presence`: claims require proof of presence even if the target does
    not."""

    profile: str | None = None
    config: Config = DEFAULT_CONFIG
    presence: bool = False

    def encode(self) -> dict[str, Any]:
        """Return the defaults as JSON."""
        return {"profile": self.profile, "config": self.config, "presence": self.presence}

    @classmethod
    def decode(cls, body: Mapping[str, Any]) -> "ClaimDefaults":
        return cls(body["profile"], body["config"], body["presence"])


@dataclass(frozen=True)
class OmittedFields:
    """The values that a user's claim does not name. `profiles`: the profiles of the target if the claim names none
    (empty: the claim names one). `config`: the claim names no configuration."""

    profiles: tuple[str, ...] = ()
    config: bool = False

    def encode(self) -> dict[str, Any]:
        """Return the value as JSON."""
        return {"profiles": list(self.profiles), "config": self.config}

    @classmethod
    def decode(cls, body: Mapping[str, Any]) -> "OmittedFields":
        return cls(tuple(body["profiles"]), body["config"])

    def same_as(self, other: "OmittedFields | None") -> bool:
        """Return whether both claims omit the same values, regardless of the profiles that the targets offered."""
        return other is not None and (bool(self.profiles), self.config) == (bool(other.profiles), other.config)


def claim_with_defaults(request: "ClaimRequest", device: "Device | None") -> "ClaimRequest":
    """Return the request, completed with the device's defaults. The claim of a rule, or one that continues the claim of
    a replaced certificate, is complete already. Raise `NotFound` UNKNOWN_PROFILE for a default profile that the target
    does not offer."""
    omitted, defaults = request.omitted, device.claim_defaults if device else None
    if omitted is None or defaults is None:
        return request
    profile = request.profile
    if omitted.profiles and defaults.profile is not None:
        profile = defaults.profile
        if profile not in omitted.profiles:
            want = f"want one of {request.target}'s: {', '.join(omitted.profiles)}"
            raise NotFound("UNKNOWN_PROFILE", f"got profile {profile}, the default of the device's enrolment, {want}")
    return replace(
        request,
        profile=profile,
        config=defaults.config if omitted.config else request.config,
        presence=request.presence or defaults.presence,
    )
