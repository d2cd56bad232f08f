"""What a user asks to be done with devices, before it is known which: the operation with its arguments.

A request is validated once, and can be stored and carried out later, as a campaign does. `change_of` turns it into a
`Change` with the targets as they are at that time. Arguments that the operation does not take are rejected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from lobby.domain.changes import Change, Claim, Configure, Move, Release, Retry, Revoke
from lobby.domain.target import RegisteredTarget, require_open
from lobby.errors import InvalidInput
from lobby.names import Target, parse_profile, parse_target_key, shown
from lobby.wire import parse_config

MAX_WHY: Final = 200


class ChangeOperation(StrEnum):
    """What can be done with devices, one or many."""

    CLAIM = "claim"
    MOVE = "move"
    CONFIGURE = "configure"
    RELEASE = "release"
    REVOKE = "revoke"
    RETRY = "retry"

    @property
    def mutation(self) -> str:
        """The operation of the API that changes one device, which the user must be allowed to use."""
        return f"{self.value}Device"

    @property
    def needs_target(self) -> bool:
        return self in (ChangeOperation.CLAIM, ChangeOperation.MOVE)


_ARGUMENTS: Final = {
    ChangeOperation.CLAIM: frozenset({"target", "profile", "config"}),
    ChangeOperation.MOVE: frozenset({"target", "profile", "config"}),
    ChangeOperation.CONFIGURE: frozenset({"profile", "config"}),
    ChangeOperation.REVOKE: frozenset({"why"}),
}
"""The arguments that each operation takes."""


class TargetRegister(Protocol):
    """The registered targets, as they are now."""

    def get(self, target: Target) -> RegisteredTarget:
        """Raise `NotFound` UNKNOWN_TARGET."""
        ...

    def all(self) -> Sequence[RegisteredTarget]: ...


@dataclass(frozen=True)
class ChangeRequest:
    """What the user asks for. None is an argument that was not given."""

    operation: ChangeOperation
    target: Target | None = None
    profile: str | None = None
    config: Any = None
    why: str | None = None

    def validated(self) -> "ChangeRequest":
        """Return the request as it is stored. Raise `InvalidInput` INVALID_CHANGE, INVALID_PROFILE, INVALID_CONFIG or
        INVALID_REASON."""
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
        why = reason_of(self.why or "") if self.operation is ChangeOperation.REVOKE else None
        return ChangeRequest(self.operation, self.target, profile, config, why)

    def as_json(self) -> dict[str, Any]:
        """Return the request as an object for JSON."""
        values = asdict(self) | {"operation": self.operation.value, "target": str(self.target) if self.target else None}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ChangeRequest":
        """Return the request of `as_json`."""
        target = parse_target_key(stored["target"]) if "target" in stored else None
        operation = ChangeOperation(stored["operation"])
        return cls(operation, target, stored.get("profile"), stored.get("config"), stored.get("why"))


def change_of(request: ChangeRequest, targets: TargetRegister) -> Change:
    """Return the change that a validated request asks for. Raise `NotFound` UNKNOWN_TARGET or `Conflict`
    TARGET_ARCHIVED."""
    match request.operation:
        case ChangeOperation.CLAIM:
            return Claim(_open(request, targets), request.profile, request.config)
        case ChangeOperation.MOVE:
            return Move(_open(request, targets), request.profile, request.config)
        case ChangeOperation.CONFIGURE:
            registered = targets.all() if request.profile is not None else ()
            return Configure({each.target: each for each in registered}, request.profile, request.config)
        case ChangeOperation.RELEASE:
            return Release()
        case ChangeOperation.REVOKE:
            return Revoke(request.why or "")
        case ChangeOperation.RETRY:
            return Retry()


def reason_of(why: str) -> str:
    """Return the reason of a revocation. Raise `InvalidInput` INVALID_REASON."""
    text = why.strip()
    if not 0 < len(text) <= MAX_WHY or not text.isprintable():
        raise InvalidInput("INVALID_REASON", f"got {shown(why)}, want 1 to {MAX_WHY} printable characters")
    return text


def _open(request: ChangeRequest, targets: TargetRegister) -> RegisteredTarget:
    if request.target is None:
        raise AssertionError("validated: these operations have a target")
    return require_open(targets.get(request.target))
