"""The changes of a registered device by an operator, as values: one operation for one device or for many.

Each change maps a row to the new row with `transitions`, so a preview and the execution cannot differ. If the device
already is as requested, the change returns the same row, and the caller writes nothing. The caller can require the
generation that a preview showed, and for a retry also the state; then a device that was changed since the preview is
refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from lobby.domain import transitions
from lobby.domain.claims.claim_defaults import OmittedFields
from lobby.domain.connections import quarantine
from lobby.domain.device import Device
from lobby.domain.renewals import renewal_transitions
from lobby.domain.shadows import shadow_transitions
from lobby.domain.shadows.shadow_choices import ShadowChoice, named
from lobby.domain.states import Event, State
from lobby.domain.targets.target import RegisteredTarget, profile_for, require_open
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, NotFound
from lobby.names import Fingerprint, Target
from lobby.wire import DEFAULT_CONFIG, Config


class Change(Protocol):
    """An operation. `event` is its entry in the history, `why` the entry's reason."""

    @property
    def event(self) -> Event: ...

    @property
    def why(self) -> str | None: ...

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device | None:
        """Return the row after the change; None if the change removes the row. Raise `Conflict` or `NotFound`."""


def claim_request(registered: RegisteredTarget, profile: str | None, config: Config | None) -> ClaimRequest:
    """Return the request of a claim for a target. None for `profile` or `config` takes the default of the device's
    enrolment, or else that of the target. Raise `Conflict` TARGET_ARCHIVED, `NotFound` UNKNOWN_PROFILE, or
    `InvalidInput`."""
    require_open(registered)
    wanted = DEFAULT_CONFIG if config is None else config
    omitted = OmittedFields(tuple(registered.profiles) if profile is None else (), config is None)
    return ClaimRequest(
        registered.target, profile_for(registered, profile), wanted, registered.presence, omitted=omitted
    )


@dataclass(frozen=True)
class Claim:
    """Claim a device that waits or was never seen. None takes the defaults, as in `claim_request`."""

    registered: RegisteredTarget
    profile: str | None = None
    config: Config | None = None
    event: ClassVar[Event] = Event.CLAIM
    why: ClassVar[str | None] = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:
        request = claim_request(self.registered, self.profile, self.config)
        return transitions.claim(device, certid, request, actor, at)


@dataclass(frozen=True)
class Move:
    """Claim the device for another target. None keeps the device's profile or configuration. `shadows` says what
    happens to the device's shadows (None: they stay where they are)."""

    registered: RegisteredTarget
    profile: str | None = None
    config: Config | None = None
    shadows: ShadowChoice | None = None
    event: ClassVar[Event] = Event.MOVE

    @property
    def why(self) -> str | None:
        return named(None, self.shadows)

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:
        row = known(device, certid)
        registered = require_open(self.registered)
        request = ClaimRequest(
            registered.target,
            profile_for(registered, self.profile or row.profile),
            row.config if self.config is None else self.config,
            registered.presence,
        )
        moved = transitions.move(row, request, actor, at)
        return moved if self.shadows is None else shadow_transitions.choose(row, moved, self.shadows, at)


@dataclass(frozen=True)
class Configure:
    """Change the profile or configuration of a claim. None keeps the device's. `targets` are the registered targets,
    which limit the profiles."""

    targets: Mapping[Target, RegisteredTarget]
    profile: str | None = None
    config: Config | None = None
    event: ClassVar[Event] = Event.CONFIGURE
    why: ClassVar[str | None] = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        row = known(device, certid)
        registered = self.targets.get(row.target) if row.target else None
        if self.profile is not None and registered is not None:
            profile_for(registered, self.profile)
        return transitions.configure(row, self.profile, self.config, at)


@dataclass(frozen=True)
class Release:
    """Withdraw the claim."""

    event: ClassVar[Event] = Event.RELEASE
    why: ClassVar[str | None] = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device | None:  # noqa: ARG002
        return transitions.release(known(device, certid), at)


@dataclass(frozen=True)
class Revoke:
    """Revoke the certificate permanently, even before its first connection. `why` is the reason, for the history."""

    why: str
    event: ClassVar[Event] = Event.REVOKE

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        return transitions.revoke(device, certid, self.why, at)


@dataclass(frozen=True)
class Retry:
    """Have the commissioner try again."""

    event: ClassVar[Event] = Event.RETRY
    why: ClassVar[str | None] = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        return transitions.retry(known(device, certid), at)


@dataclass(frozen=True)
class Renew:
    """Ask the device to renew its certificate, now and each day."""

    event: ClassVar[Event] = Event.DUE
    why: ClassVar[str | None] = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        return renewal_transitions.request(known(device, certid), at)


@dataclass(frozen=True)
class Dismiss:
    """Record that only one device uses the certificate, although it seems to be in use twice. `why` is the user's
    note."""

    why: str
    event: ClassVar[Event] = Event.DISMISS

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        return quarantine.dismiss(known(device, certid), at)


@dataclass(frozen=True)
class Quarantine:
    """Deactivate the certificate everywhere until the quarantine is lifted. `why` is the reason."""

    why: str
    event: ClassVar[Event] = Event.QUARANTINE

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        return quarantine.quarantine(known(device, certid), self.why, at)


@dataclass(frozen=True)
class Lift:
    """End the quarantine. `why` is the user's note: how it was found that the certificate is not in use twice."""

    why: str
    event: ClassVar[Event] = Event.LIFT

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device:  # noqa: ARG002
        return quarantine.lift(known(device, certid), at)


class TargetGuard(Protocol):
    """A user or rule that may act on some targets."""

    def require_target(self, target: Target) -> None:
        """Raise an error with the code FORBIDDEN for a target on which they may not act."""
        ...


@dataclass(frozen=True)
class Authorised:
    """A change that raises FORBIDDEN for a device in a target on which its author may not act."""

    change: Change
    author: TargetGuard

    @property
    def event(self) -> Event:
        return self.change.event

    @property
    def why(self) -> str | None:
        return self.change.why

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device | None:
        if device is not None and device.target is not None:
            self.author.require_target(device.target)
        return self.change.after(device, certid, actor, at)


@dataclass(frozen=True)
class Chosen:
    """A device to change. `generation` is the device's generation in the preview: 0 without a row, None to accept any.
    `state` is its state in the preview. A retry requires it, because the generation does not change when a device
    arrives."""

    certid: Fingerprint
    generation: int | None = None
    state: State | None = None


def generation_of(device: Device | None) -> int:
    return device.generation if device else 0


def decide(change: Change, chosen: Chosen, device: Device | None, actor: str, at: str) -> Device | None:
    """Return the row after `change`. Raise `Conflict` CHANGED_MEANWHILE if the change would change a device whose
    generation, or for a retry whose state, is not the chosen one."""
    after = change.after(device, chosen.certid, actor, at)
    present = generation_of(device)
    if after != device and chosen.generation is not None and chosen.generation != present:
        raise Conflict(
            "CHANGED_MEANWHILE",
            f"got {chosen.certid} in generation {present}, want generation {chosen.generation}: "
            "it was changed since it was looked up",
        )
    if change.event is Event.RETRY and device and chosen.state not in (None, device.devstate):
        raise Conflict(
            "CHANGED_MEANWHILE",
            f"got {chosen.certid} in state {device.devstate}, want state {chosen.state}: it has entered another state"
            " since it was looked up",
        )
    return after


def known(device: Device | None, certid: Fingerprint) -> Device:
    if device is None:
        raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device in the ledger")
    return device
