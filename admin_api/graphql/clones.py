"""Copied certificates in the API: the suspicion of a device, and the policy of a target."""

from enum import Enum

import strawberry

from lobby.domain import device
from lobby.domain.connections import clones
from lobby.domain.targets.target import AS_LOBBY


@strawberry.enum(description="What the lobby does with a device whose certificate seems to be in use twice.")
class ClonePolicy(Enum):
    LOBBY = strawberry.enum_value(AS_LOBBY, description="The policy of the lobby applies.")
    FLAG = strawberry.enum_value(
        clones.ClonePolicy.FLAG.value, description="The device is marked as suspected and continues to work."
    )
    QUARANTINE = strawberry.enum_value(
        clones.ClonePolicy.QUARANTINE.value,
        description="Its certificate is deactivated everywhere until a user lifts the quarantine.",
    )


@strawberry.enum(name="CloneSignal", description="The kinds of evidence that a certificate is in use twice.")
class Signal(Enum):
    TAKEOVERS = strawberry.enum_value(
        clones.Signal.TAKEOVERS.value, description="Connections from two addresses alternately end each other."
    )
    AT_ONCE = strawberry.enum_value(
        clones.Signal.AT_ONCE.value,
        description="The device was connected to the lobby and to its target at the same time.",
    )


@strawberry.type(description="The evidence that a device's certificate is in use twice.")
class Suspicion:
    signal: Signal = strawberry.field(description="The kind of evidence.")
    at: str = strawberry.field(description="When the evidence was found.")
    place: str = strawberry.field(description="`lobby`, or the target as account/Region.")
    addresses: list[str] = strawberry.field(
        description="The two network addresses; empty for users who may not dismiss the suspicion."
    )
    message: str = strawberry.field(description="A description of the evidence, with advice.")
    dismissed_at: str | None = strawberry.field(
        description="When a user dismissed the suspicion or lifted the quarantine; null while the device is suspected."
    )


def suspicion_of(row: device.Device, *, with_addresses: bool) -> Suspicion | None:
    """Return the suspicion of a device as the caller may see it, or None."""
    found = row.suspicion
    if found is None:
        return None
    return Suspicion(
        signal=Signal(found.signal.value),
        at=found.at,
        place=found.place,
        addresses=list(found.addresses) if with_addresses else [],
        message=found.message if with_addresses else found.advice,
        dismissed_at=found.dismissed,
    )
