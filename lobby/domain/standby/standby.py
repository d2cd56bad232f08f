"""The standby of a device: a second target in which its certificate, thing and policy are registered in advance.

A row names one other place in addition to its target. Before an evacuation, the other place is the standby. After it,
the standby is the device's target, and the other place is the former target, to which the device returns (`home`). Rows
without a standby lack this attribute.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import Target, parse_target_key, shown


class StandbyMode(StrEnum):
    """Whether certificates are ACTIVE in the standby before an evacuation."""

    ACTIVE = "active"
    """A device can use the standby immediately. A stolen identity can use it at any time."""
    INACTIVE = "inactive"
    """No device can use the standby before an evacuation, which activates each certificate at the standby's rate."""


class StandbyStatus(StrEnum):
    """The state of a device's certificate in its other place."""

    NONE = "none"
    """Not registered yet."""
    ACTIVE = "active"
    INACTIVE = "inactive"
    REFUSED = "refused"
    """The standby has refused the device; `code` is the reason."""


READY: Final = frozenset({StandbyStatus.ACTIVE, StandbyStatus.INACTIVE})


@dataclass(frozen=True)
class Standby:
    """The other place of a device; `iotep` is its endpoint. `wanted`: the lane of `target` has work, either to prepare
    the device or, in its home, to send it to the lobby. `leaving`: the device has just left this place and may still be
    connected there. In its home, this means that it has neither arrived nor been commissioned again since the
    evacuation. `home`: the device was evacuated from this place. `visited`: the device went to this place without an
    evacuation and was last reported there. `device_unaware`: the device may be in its target without knowing this
    standby. `announced`: the device was asked in its target to fetch its route from the lobby."""

    target: Target
    status: StandbyStatus = StandbyStatus.NONE
    iotep: str | None = None
    wanted: bool = False
    leaving: bool = False
    home: bool = False
    code: str | None = None
    visited: bool = False
    device_unaware: bool = False
    announced: bool = False

    @property
    def is_prepared(self) -> bool:
        """Return whether the device is registered there for an evacuation."""
        return not self.home and self.status in READY

    @property
    def is_usable(self) -> bool:
        """Return whether the device can connect there now, with its present certificates and policy. While work is
        wanted, the registration there belongs to an earlier claim or certificate."""
        return self.is_named and not self.wanted

    @property
    def is_named(self) -> bool:
        """Return whether the device's route names this standby. The route names it even while work is wanted there. The
        device uses it only after minutes of failures, and would otherwise lose it with each new certificate or
        configuration."""
        return self.status is StandbyStatus.ACTIVE and self.iotep is not None and not self.home

    def __str__(self) -> str:
        """Return the text that the ledger stores: target, status, flags, endpoint and code."""
        known = (self.wanted, self.leaving, self.home, self.visited, self.device_unaware, self.announced)
        given = zip("wlhvua", known, strict=True)
        flags = "".join(letter for letter, is_set in given if is_set)
        return "|".join((str(self.target), self.status.value, flags, self.iotep or "", self.code or ""))


def parse_standby(text: str) -> Standby:
    """Return the standby that the ledger has stored. Raise `InvalidInput` INVALID_STANDBY."""
    parts = text.split("|")
    if len(parts) != len(("target", "status", "flags", "iotep", "code")) or parts[1] not in set(StandbyStatus):
        raise InvalidInput("INVALID_STANDBY", f"got {shown(text)}, want target|status|flags|endpoint|code")
    target, status, flags, iotep, code = parts
    return Standby(
        parse_target_key(target),
        StandbyStatus(status),
        iotep or None,
        wanted="w" in flags,
        leaving="l" in flags,
        home="h" in flags,
        code=code or None,
        visited="v" in flags,
        device_unaware="u" in flags,
        announced="a" in flags,
    )
