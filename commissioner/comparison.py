"""What the ledger says of a device against what its target has: pure, and the one table of what may be done about it.

The lobby made what its own history says it registered there. All else in an account is its owner's: it is not looked
at, or it is told and left alone. Nothing is ever deleted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lobby.contracts import Facts
from lobby.domain.device import Device, Entry
from lobby.domain.states import State
from lobby.domain.target import profile_policy
from lobby.domain.transitions import is_answered_for
from lobby.names import Fingerprint, Target, ThingName


class Repair(StrEnum):
    """What may be done about a difference."""

    RETRY = "retry"
    """Handed to the commissioner, who does again what it does for a claim."""
    DEACTIVATE = "deactivate"
    """The certificate is set INACTIVE in the target."""


class Code(StrEnum):
    """How a target can differ from the ledger."""

    CERTIFICATE_MISSING = "CERTIFICATE_MISSING"
    CERTIFICATE_INACTIVE = "CERTIFICATE_INACTIVE"
    CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"
    THING_MISSING = "THING_MISSING"
    THING_UNBOUND = "THING_UNBOUND"
    THING_OF_ANOTHER = "THING_OF_ANOTHER"
    THING_ELSEWHERE = "THING_ELSEWHERE"
    POLICY_MISSING = "POLICY_MISSING"
    POLICY_OF_ANOTHER_PROFILE = "POLICY_OF_ANOTHER_PROFILE"
    ORPHANED = "ORPHANED"
    ORPHANED_NOT_OURS = "ORPHANED_NOT_OURS"


REPAIRS: Final[dict[Code, Repair | None]] = {
    Code.CERTIFICATE_MISSING: Repair.RETRY,
    Code.CERTIFICATE_INACTIVE: Repair.RETRY,
    Code.CERTIFICATE_REVOKED: None,
    Code.THING_MISSING: Repair.RETRY,
    Code.THING_UNBOUND: Repair.RETRY,
    Code.THING_OF_ANOTHER: None,
    Code.THING_ELSEWHERE: None,
    Code.POLICY_MISSING: Repair.RETRY,
    Code.POLICY_OF_ANOTHER_PROFILE: Repair.RETRY,
    Code.ORPHANED: Repair.DEACTIVATE,
    Code.ORPHANED_NOT_OURS: None,
}
"""All that may be touched, and how. None: told only, as it is the owner's doing, or cannot be proven to be the lobby's
(docs/decisions/0012-sweeper-and-reconciler.md)."""
SETTLED: Final = (State.COMMISSIONED, State.ARRIVED)
"""States in which a device has its place. In the others its target is not ready yet, or says why it is not."""
_OURS: Final = profile_policy("")
_Told = tuple[Code, str, str]
"""A code, what was found, and what is wanted."""


@dataclass(frozen=True)
class Difference:
    """One finding. `message` says what was found and what is wanted."""

    code: Code
    certid: Fingerprint
    devicename: str | None
    message: str

    @property
    def mend(self) -> Repair | None:
        return REPAIRS[self.code]


def compare(device: Device, facts: Facts) -> list[Difference]:
    """What is not as it should be with a device that has its place. What the owner has decided comes alone: nothing
    that the lobby does would help there."""
    told = list(_owners_doing(device, facts)) or [*_of_thing(device, facts), *_of_certificate(device, facts)]
    place = device.target
    return [
        Difference(code, device.certid, device.devicename, f"got {got} in {place}, want {want}")
        for code, got, want in told
    ]


def _owners_doing(device: Device, facts: Facts) -> Iterator[_Told]:
    name = device.devicename
    if facts.status == "REVOKED":
        yield Code.CERTIFICATE_REVOKED, "the certificate REVOKED", "it ACTIVE; only its owner can lift that"
    if facts.holder not in (None, device.certid):
        yield Code.THING_OF_ANOTHER, f"thing {name} of {facts.holder or 'no certificate'}", "it to be this one's"
    others = sorted(set(facts.things) - {name})
    if others:
        yield Code.THING_ELSEWHERE, f"the certificate bound to {', '.join(others)}", f"it bound to {name} only"


def _of_thing(device: Device, facts: Facts) -> Iterator[_Told]:
    name = device.devicename
    if facts.holder is None:
        yield Code.THING_MISSING, f"no thing {name}", "it"
    elif facts.status is not None and name not in facts.things:
        yield Code.THING_UNBOUND, "the certificate bound to no thing", f"it bound to {name}"


def _of_certificate(device: Device, facts: Facts) -> Iterator[_Told]:
    """Policies that are not the lobby's are the owner's own affair."""
    if facts.status is None:
        yield Code.CERTIFICATE_MISSING, "no such certificate", "it ACTIVE"
        return
    if facts.status != "ACTIVE":
        yield Code.CERTIFICATE_INACTIVE, f"the certificate {facts.status}", "it ACTIVE"
    wanted = profile_policy(device.profile)
    if wanted not in facts.policies:
        yield Code.POLICY_MISSING, "the certificate without its policy", wanted
    others = sorted(policy for policy in facts.policies if policy.startswith(_OURS) and policy != wanted)
    if others:
        yield Code.POLICY_OF_ANOTHER_PROFILE, f"the certificate with policy {', '.join(others)}", f"{wanted} only"


def is_stray(device: Device | None, target: Target) -> bool:
    """Whether a thing of this device has no business in `target`."""
    return device is None or not is_answered_for(device, target)


def orphan(facts: Facts, thing: ThingName, history: Sequence[Entry], target: Target) -> Difference | None:
    """What is to be said of a stray: nothing, unless its certificate can connect as the thing that names it. It is the
    lobby's own where the lobby's history says that it was to be registered there."""
    if facts.status != "ACTIVE" or thing not in facts.things:
        return None
    got = f"got the certificate ACTIVE in {target}, which no claim in the ledger answers for"
    if any(entry.target == str(target) and entry.after in _REGISTERED for entry in history):
        return Difference(Code.ORPHANED, facts.certid, thing, f"{got}, want it INACTIVE")
    told = f"{got}, nor does the history know it there: whoever made it must look"
    return Difference(Code.ORPHANED_NOT_OURS, facts.certid, thing, told)


_REGISTERED: Final = (State.CLAIMED, State.COMMISSIONED, State.FAILED)
"""Entries into these states name the target in which the commissioner was to register the device."""
