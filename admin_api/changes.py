"""An operator's change of one device or many: the request, checked against the caller's role and the targets.

The ledger decides for each device what its state allows (`lobby.domain.changes`). This module decides what the caller
may do: the operation itself, the target of a move, and the target that a device has now.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.changes import Change, Chosen, Configure, Move, Release, Retry, Revoke
from lobby.domain.device import Device
from lobby.domain.states import Event
from lobby.domain.target import require_open
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, Target, parse_profile, shown
from lobby.wire import parse_config

MAX_WHY: Final = 200


class ChangeOperation(StrEnum):
    """What can be done with registered devices, one or many."""

    MOVE = "move"
    CONFIGURE = "configure"
    RELEASE = "release"
    REVOKE = "revoke"
    RETRY = "retry"

    @property
    def mutation(self) -> str:
        """The operation of the API that changes one device, which the caller must be allowed to use."""
        return f"{self.value}Device"


_ARGUMENTS: Final = {
    ChangeOperation.MOVE: frozenset({"target", "profile", "config"}),
    ChangeOperation.CONFIGURE: frozenset({"profile", "config"}),
    ChangeOperation.REVOKE: frozenset({"why"}),
}
"""The arguments that each operation takes."""


@dataclass(frozen=True)
class ChangeRequest:
    """What the caller asks for. None is an argument that was not given."""

    operation: ChangeOperation
    target: Target | None = None
    profile: str | None = None
    config: object = None
    why: str | None = None


@dataclass(frozen=True)
class Authorised:
    """A change that is refused with FORBIDDEN for a device in a target that the caller may not use."""

    change: Change
    caller: Caller

    @property
    def event(self) -> Event:
        return self.change.event

    @property
    def why(self) -> str | None:
        return self.change.why

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device | None:
        if device is not None and device.target is not None:
            self.caller.require_target(device.target)
        return self.change.after(device, certid, actor, at)


def change_for(services: Services, caller: Caller, request: ChangeRequest) -> Change:
    """Return the change that was asked for.

    Raise `Forbidden`, `NotFound` UNKNOWN_TARGET or UNKNOWN_PROFILE, `Conflict` TARGET_ARCHIVED, or `InvalidInput`
    INVALID_CHANGE, INVALID_PROFILE, INVALID_CONFIG or INVALID_REASON."""
    caller.require(request.operation.mutation)
    _check_arguments(request)
    return Authorised(_change(services, caller, request), caller)


def configure(services: Services, caller: Caller, certid: Fingerprint, profile: str | None, config: object) -> Device:
    """Change the configuration or profile of one device, and return it. Raises as `change_for`, `NotFound`
    UNKNOWN_DEVICE, or `Conflict`."""
    change = change_for(services, caller, ChangeRequest(ChangeOperation.CONFIGURE, None, profile, config))
    device = services.ledger.change(Chosen(certid), change, caller.actor)
    if device is None:
        raise AssertionError("configuring never removes the row")
    return device


def _change(services: Services, caller: Caller, request: ChangeRequest) -> Change:
    profile = None if request.profile is None else parse_profile(request.profile)
    config = None if request.config is None else parse_config(request.config)
    match request.operation:
        case ChangeOperation.MOVE:
            if request.target is None:
                raise InvalidInput("INVALID_CHANGE", "got a move without target, want one")
            caller.require_target(request.target)
            return Move(require_open(services.targets.get(request.target)), profile, config)
        case ChangeOperation.CONFIGURE:
            if profile is None and config is None:
                raise InvalidInput("INVALID_CHANGE", "got neither config nor profile, want at least one of them")
            targets = services.targets.all() if profile is not None else ()
            return Configure({each.target: each for each in targets}, profile, config)
        case ChangeOperation.RELEASE:
            return Release()
        case ChangeOperation.REVOKE:
            return Revoke(reason_of(request.why or ""))
        case ChangeOperation.RETRY:
            return Retry()


def reason_of(why: str) -> str:
    """Return the reason of a revocation. Raise `InvalidInput` INVALID_REASON."""
    text = why.strip()
    if not 0 < len(text) <= MAX_WHY or not text.isprintable():
        raise InvalidInput("INVALID_REASON", f"got {shown(why)}, want 1 to {MAX_WHY} printable characters")
    return text


def _check_arguments(request: ChangeRequest) -> None:
    allowed = _ARGUMENTS.get(request.operation, frozenset())
    given = {name for name in ("target", "profile", "config", "why") if getattr(request, name) is not None}
    if given - allowed:
        want = ", ".join(sorted(allowed)) or "no argument"
        got = ", ".join(sorted(given - allowed))
        raise InvalidInput("INVALID_CHANGE", f"got {got} for {request.operation}, want {want}")
