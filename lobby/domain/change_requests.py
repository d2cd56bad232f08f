"""A user's request for a change of devices, without the devices: the operation with its arguments.

A request is validated once, and can be stored and carried out later, as a campaign does. `change_of` turns it into a
`Change` with the targets as they are at that time. Arguments that the operation does not take are rejected.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from lobby.domain.changes import (
    Change,
    Claim,
    Configure,
    Dismiss,
    Lift,
    Move,
    Quarantine,
    Release,
    Renew,
    Retry,
    Revoke,
)
from lobby.domain.shadows.shadow_choices import ShadowChoice, parse_choice
from lobby.domain.standby.standby_changes import Evacuate, Prepare, Return
from lobby.domain.states import Event
from lobby.domain.targets.target import RegisteredTarget, require_open
from lobby.errors import InvalidInput
from lobby.names import Target, parse_profile, parse_target_key, shown
from lobby.wire import parse_config

MAX_WHY: Final = 200


class ChangeOperation(StrEnum):
    """The operations on devices, one or many."""

    CLAIM = "claim"
    MOVE = "move"
    CONFIGURE = "configure"
    RELEASE = "release"
    REVOKE = "revoke"
    RETRY = "retry"
    RENEW = "renew"
    DISMISS = "dismiss"
    QUARANTINE = "quarantine"
    LIFT = "lift"
    PREPARE = "prepare"
    """Register a device in the standby of its target, or clear it there."""
    EVACUATE = "evacuate"
    RETURN = "return"
    DRILL = "drill"
    """Send a share of the devices of a target to its standby, which is not evacuated."""

    @property
    def event(self) -> Event:
        """The event in the history of each device. For a renewal it is `due`, because the event `renew` records a new
        certificate."""
        other = {ChangeOperation.DRILL: Event.EVACUATE, ChangeOperation.RENEW: Event.DUE}
        return other.get(self) or Event(self.value)

    @property
    def mutation(self) -> str:
        """The operation of the API that changes one device, which the user must be allowed to use."""
        return _OF_TARGETS.get(self) or _OF_CLONES.get(self) or f"{self.value}Device"

    @property
    def is_of_targets(self) -> bool:
        """Return whether it applies to all devices of a target, and never to a list of devices."""
        return self in _OF_TARGETS

    @property
    def needs_target(self) -> bool:
        return self in (ChangeOperation.CLAIM, ChangeOperation.MOVE) or self.is_of_targets


_OF_TARGETS: Final = {
    ChangeOperation.PREPARE: "setStandby",
    ChangeOperation.EVACUATE: "evacuateTarget",
    ChangeOperation.RETURN: "returnTarget",
    ChangeOperation.DRILL: "drillTarget",
}
"""Operations on all devices of a target, each with the mutation that starts it."""
_OF_CLONES: Final = {
    ChangeOperation.DISMISS: "dismissSuspicion",
    ChangeOperation.QUARANTINE: "quarantineDevice",
    ChangeOperation.LIFT: "liftQuarantine",
}
_WITH_REASON: Final[Mapping[ChangeOperation, Callable[[str], Change]]] = {
    ChangeOperation.REVOKE: Revoke,
    ChangeOperation.DISMISS: Dismiss,
    ChangeOperation.QUARANTINE: Quarantine,
    ChangeOperation.LIFT: Lift,
}
"""The operations that require a reason."""
_ARGUMENTS: Final = {
    ChangeOperation.PREPARE: frozenset({"target"}),
    ChangeOperation.EVACUATE: frozenset({"target", "why"}),
    ChangeOperation.RETURN: frozenset({"target", "why", "shadows"}),
    ChangeOperation.DRILL: frozenset({"target", "why"}),
    ChangeOperation.CLAIM: frozenset({"target", "profile", "config"}),
    ChangeOperation.MOVE: frozenset({"target", "profile", "config", "shadows"}),
    ChangeOperation.CONFIGURE: frozenset({"profile", "config"}),
    **{operation: frozenset({"why"}) for operation in _WITH_REASON},
}
"""The arguments that each operation takes."""


_WITHOUT_ARGUMENTS: Final[Mapping[ChangeOperation, Change]] = {
    ChangeOperation.RELEASE: Release(),
    ChangeOperation.RETRY: Retry(),
    ChangeOperation.RENEW: Renew(),
}


class TargetRegister(Protocol):
    """The registered targets, as they are now."""

    def get(self, target: Target) -> RegisteredTarget:
        """Return a registered target. Raise `NotFound` UNKNOWN_TARGET."""
        ...

    def all(self) -> Sequence[RegisteredTarget]: ...


@dataclass(frozen=True)
class ChangeRequest:
    """The user's request. An argument is None if it was not given."""

    operation: ChangeOperation
    target: Target | None = None
    profile: str | None = None
    config: Any = None
    why: str | None = None
    shadows: str | None = None

    def validated(self) -> "ChangeRequest":
        """Return the request as it is stored. Raise `InvalidInput` INVALID_CHANGE, INVALID_PROFILE, INVALID_CONFIG,
        INVALID_REASON or INVALID_SHADOWS."""
        given = {name for name, value in vars(self).items() if value is not None} - {"operation"}
        allowed = _ARGUMENTS.get(self.operation, frozenset())
        if given - allowed:
            want = ", ".join(sorted(allowed)) or "no argument"
            got = ", ".join(sorted(given - allowed))
            raise InvalidInput("INVALID_CHANGE", f"got {got} for {self.operation}, want {want}")
        if self.operation.needs_target and self.target is None:
            raise InvalidInput("INVALID_CHANGE", f"got a {self.operation} without target, want one")
        profile = None if self.profile is None else parse_profile(self.profile)
        config = None if self.config is None else parse_config(self.config)
        if self.operation is ChangeOperation.CONFIGURE and profile is None and config is None:
            raise InvalidInput("INVALID_CHANGE", "got neither config nor profile, want at least one of them")
        wants_reason = self.operation in _WITH_REASON or (self.operation.is_of_targets and self.why)
        why = reason_of(self.why or "") if wants_reason else None
        shadows = None if self.shadows is None else parse_choice(self.shadows)
        return ChangeRequest(self.operation, self.target, profile, config, why, shadows)

    def as_json(self) -> dict[str, Any]:
        """Return the request as an object for JSON."""
        values = asdict(self) | {"operation": self.operation.value, "target": str(self.target) if self.target else None}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ChangeRequest":
        """Return the request of `as_json`."""
        target = parse_target_key(stored["target"]) if "target" in stored else None
        operation = ChangeOperation(stored["operation"])
        texts = (stored.get("why"), stored.get("shadows"))
        return cls(operation, target, stored.get("profile"), stored.get("config"), *texts)


def change_of(request: ChangeRequest, targets: TargetRegister) -> Change:  # one for each operation
    """Return the change for a validated request. Raise `NotFound` UNKNOWN_TARGET, or `Conflict`
    TARGET_ARCHIVED or TARGET_EVACUATED."""
    if request.operation.is_of_targets:
        return _standby_change(request, targets)
    match request.operation:
        case ChangeOperation.CLAIM:
            return Claim(_open(request, targets), request.profile, request.config)
        case ChangeOperation.MOVE:
            return Move(_open(request, targets), request.profile, request.config, _choice(request))
        case ChangeOperation.CONFIGURE:
            registered = targets.all() if request.profile is not None else ()
            return Configure({each.target: each for each in registered}, request.profile, request.config)
        case operation if operation in _WITH_REASON:
            return _WITH_REASON[operation](request.why or "")
        case _:
            return _WITHOUT_ARGUMENTS[request.operation]


def _standby_change(request: ChangeRequest, targets: TargetRegister) -> Change:
    """Return the change of a device by a preparation, an evacuation or a return of its target."""
    if request.target is None:
        raise AssertionError("validated: these operations have a target")
    registered = targets.get(request.target)
    match request.operation:
        case ChangeOperation.PREPARE:
            return Prepare(registered)
        case ChangeOperation.EVACUATE:
            return Evacuate(registered, request.why)
        case ChangeOperation.DRILL:
            return Evacuate(registered, request.why, drill=True)
        case _:
            return Return(registered, request.why, _choice(request))


def _choice(request: ChangeRequest) -> ShadowChoice | None:
    return None if request.shadows is None else parse_choice(request.shadows)


def reason_of(why: str) -> str:
    """Return the reason of a change. Raise `InvalidInput` INVALID_REASON."""
    text = why.strip()
    if not 0 < len(text) <= MAX_WHY or not text.isprintable():
        raise InvalidInput("INVALID_REASON", f"got {shown(why)}, want 1 to {MAX_WHY} printable characters")
    return text


def _open(request: ChangeRequest, targets: TargetRegister) -> RegisteredTarget:
    if request.target is None:
        raise AssertionError("validated: these operations have a target")
    return require_open(targets.get(request.target))
