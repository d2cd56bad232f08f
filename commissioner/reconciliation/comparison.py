"""Compares a device's row with its registration in the target: pure functions, and the table of permitted repairs. The
lobby owns the registrations that its history contains. All others in the account belong to its owner: they are ignored,
or reported and left unchanged. Nothing is ever deleted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lobby.contracts.inspector import Facts
from lobby.domain.commissioner_transitions import may_be_active_in
from lobby.domain.device import Device, Entry
from lobby.domain.states import State
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import profile_policy
from lobby.domain.targets.thing import changes, required
from lobby.domain.targets.thing_claim import Progress, ThingClaim, parse_claim
from lobby.names import Fingerprint, Target, ThingName


class Repair(StrEnum):
    """How a difference can be repaired."""

    RETRY = "retry"
    """The commissioner does again what it does for a claim."""
    DEACTIVATE = "deactivate"
    """The certificate is set INACTIVE in the target."""


class DifferenceCode(StrEnum):
    """How a target can differ from the ledger."""

    CERTIFICATE_MISSING = "CERTIFICATE_MISSING"
    CERTIFICATE_INACTIVE = "CERTIFICATE_INACTIVE"
    CERTIFICATE_ACTIVE = "CERTIFICATE_ACTIVE"
    """In a standby whose certificates must be INACTIVE."""
    CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"
    THING_MISSING = "THING_MISSING"
    THING_UNBOUND = "THING_UNBOUND"
    THING_OF_ANOTHER = "THING_OF_ANOTHER"
    THING_ELSEWHERE = "THING_ELSEWHERE"
    POLICY_MISSING = "POLICY_MISSING"
    POLICY_OF_ANOTHER_PROFILE = "POLICY_OF_ANOTHER_PROFILE"
    THING_TYPE = "THING_TYPE"
    THING_ATTRIBUTES = "THING_ATTRIBUTES"
    THING_CLAIM = "THING_CLAIM"
    THING_GROUPS = "THING_GROUPS"
    BILLING_GROUP = "BILLING_GROUP"
    BILLING_GROUP_OF_OWNER = "BILLING_GROUP_OF_OWNER"
    ORPHANED = "ORPHANED"
    ORPHANED_NOT_OURS = "ORPHANED_NOT_OURS"


REPAIRS: Final[dict[DifferenceCode, Repair | None]] = {
    DifferenceCode.CERTIFICATE_MISSING: Repair.RETRY,
    DifferenceCode.CERTIFICATE_INACTIVE: Repair.RETRY,
    DifferenceCode.CERTIFICATE_ACTIVE: Repair.RETRY,
    DifferenceCode.CERTIFICATE_REVOKED: None,
    DifferenceCode.THING_MISSING: Repair.RETRY,
    DifferenceCode.THING_UNBOUND: Repair.RETRY,
    DifferenceCode.THING_OF_ANOTHER: None,
    DifferenceCode.THING_ELSEWHERE: None,
    DifferenceCode.POLICY_MISSING: Repair.RETRY,
    DifferenceCode.POLICY_OF_ANOTHER_PROFILE: Repair.RETRY,
    DifferenceCode.THING_TYPE: Repair.RETRY,
    DifferenceCode.THING_ATTRIBUTES: Repair.RETRY,
    DifferenceCode.THING_CLAIM: Repair.RETRY,
    DifferenceCode.THING_GROUPS: Repair.RETRY,
    DifferenceCode.BILLING_GROUP: Repair.RETRY,
    DifferenceCode.BILLING_GROUP_OF_OWNER: None,
    DifferenceCode.ORPHANED: Repair.DEACTIVATE,
    DifferenceCode.ORPHANED_NOT_OURS: None,
}
"""All permitted repairs. None: the difference is only reported, because the target's owner decides, or because the
lobby cannot prove that it registered the certificate (docs/decisions/0012-sweeper-and-reconciler.md)."""
EXPECTED_PROGRESS: Final[dict[State, frozenset[Progress | None]]] = {
    State.COMMISSIONED: frozenset({Progress.AWAITED}),
    State.ARRIVED: frozenset({Progress.AWAITED, Progress.ARRIVED, None}),
}
"""The permitted progress in a thing's claim for each of these states. The target's rules report only awaited
connections, so a commissioned device must be awaited. An arrived device is marked after its arrival is recorded.
Earlier versions wrote no claim (None)."""
ACTIVE: Final = "ACTIVE"
_POLICY_PREFIX: Final = profile_policy("")
_REGISTERING_STATES: Final = (State.CLAIMED, State.COMMISSIONED, State.FAILED)
"""History entries that lead to these states name the target in which the commissioner registers the device."""
_Mismatch = tuple[DifferenceCode, str, str]
"""A code, the actual value, and the required value."""


@dataclass(frozen=True)
class Difference:
    """One difference. `message` has the form "got X, want Y"."""

    code: DifferenceCode
    certid: Fingerprint
    devicename: str | None
    message: str

    @property
    def repair(self) -> Repair | None:
        return REPAIRS[self.code]


def compare(device: Device, facts: Facts, profiles: Profiles, lobby: str, status: str = ACTIVE) -> list[Difference]:
    """Return how the target differs for a placed device. `facts` describe its certificate in use. If the target's owner
    has made changes that the lobby cannot repair, return only these, because repairs of other differences would have no
    effect. `profiles` are all profiles of the lobby, and `lobby` is its key. `status` is the required status of the
    certificate."""
    mismatches = list(_owner_changes(device, facts)) or [
        *_thing_mismatches(device, facts),
        *_claim_mismatch(device, facts, lobby),
        *_profile_mismatches(device, facts, profiles),
        *_certificate_mismatches(device, facts, status),
    ]
    return [
        Difference(code, device.certid, device.devicename, f"got {got} in {device.target}, want {want}")
        for code, got, want in mismatches
    ]


def compare_standby(device: Device, facts: Facts, profiles: Profiles, lobby: str) -> list[Difference]:
    """Return how the standby differs for a device that is registered there. The thing must have the claim of an
    evacuation, so that the standby's rule reports the device's connection."""
    standby = device.standby
    if standby is None or not is_in_step(device):
        return []
    there = replace(device, target=standby.target, generation=device.generation + 1, devstate=State.COMMISSIONED)
    return compare(there, facts, profiles, lobby, standby.status.name)


def is_in_step(device: Device) -> bool:
    """Return whether a device is registered in its standby as it is in its target, and no change is in progress."""
    return device.standby is not None and device.standby.is_prepared and not device.standby.wanted


def _owner_changes(device: Device, facts: Facts) -> Iterator[_Mismatch]:
    name = device.devicename
    if facts.status == "REVOKED":
        yield DifferenceCode.CERTIFICATE_REVOKED, "the certificate REVOKED", "it ACTIVE: only its owner can change that"
    if facts.holder not in (None, device.certid):
        holder = f"certificate {facts.holder}" if facts.holder else "no certificate"
        yield DifferenceCode.THING_OF_ANOTHER, f"thing {name} of {holder}", "it to belong to this certificate"
    others = sorted(set(facts.things) - {name})
    if others:
        bound = f"the certificate bound to {', '.join(others)}"
        yield DifferenceCode.THING_ELSEWHERE, bound, f"it bound to {name} only"


def _thing_mismatches(device: Device, facts: Facts) -> Iterator[_Mismatch]:
    name = device.devicename
    if facts.holder is None:
        yield DifferenceCode.THING_MISSING, f"no thing {name}", "one"
    elif facts.status is not None and name not in facts.things:
        yield DifferenceCode.THING_UNBOUND, "the certificate bound to no thing", f"it bound to {name}"


def _claim_mismatch(device: Device, facts: Facts, lobby: str) -> Iterator[_Mismatch]:
    if facts.thing is None:
        return
    awaited = ThingClaim(device.generation, device.profile, lobby, device.awaited)
    found = parse_claim(facts.claim)
    expected = EXPECTED_PROGRESS[device.devstate]
    is_ours = found is not None and found.with_progress(Progress.AWAITED) == awaited
    if (is_ours and found and found.progress in expected) or (facts.claim is None and None in expected):
        return
    got = f"thing {device.devicename} with {f'claim {facts.claim}' if facts.claim else 'no claim'}"
    yield DifferenceCode.THING_CLAIM, got, str(awaited)


def _profile_mismatches(device: Device, facts: Facts, profiles: Profiles) -> Iterator[_Mismatch]:
    """Yield the differences from the device's profile. A device whose profile the lobby no longer has is not compared,
    because its claim stays as it is."""
    profile = profiles.by_name.get(device.profile)
    if facts.thing is None or profile is None:
        return
    profile = required(profile, device.thing_settings)
    found, needed, thing = facts.thing, changes(facts.thing, profile, profiles), f"thing {device.devicename}"
    if needed.changes_type:
        yield DifferenceCode.THING_TYPE, f"{thing} of type {found.thing_type}", f"type {needed.thing_type}"
    if needed.attributes:
        names = sorted(needed.attributes)
        got = {name: found.attributes.get(name) for name in names}
        wanted = {name: needed.attributes[name] or None for name in names}
        yield DifferenceCode.THING_ATTRIBUTES, f"{thing} with {got}", f"{wanted}"
    if needed.changes_groups:
        groups = ", ".join(profile.thing_groups) or "no thing group of another profile"
        yield DifferenceCode.THING_GROUPS, f"{thing} in thing groups {', '.join(found.groups) or 'none'}", groups
    if needed.billing_group or needed.leaves:
        got_group, wanted_group = found.billing_group or "none", needed.billing_group or "none"
        yield DifferenceCode.BILLING_GROUP, f"{thing} in billing group {got_group}", wanted_group
    if needed.owners_billing_group:
        got_owner = f"{thing} in billing group {needed.owners_billing_group}, which is the owner's"
        yield DifferenceCode.BILLING_GROUP_OF_OWNER, got_owner, f"{profile.billing_group}: only its owner removes it"


def _certificate_mismatches(device: Device, facts: Facts, status: str) -> Iterator[_Mismatch]:
    """Yield the differences of the certificate. Policies without the lobby's prefix belong to the owner and are
    ignored."""
    if facts.status is None:
        yield DifferenceCode.CERTIFICATE_MISSING, "no such certificate", f"it {status}"
        return
    if facts.status != status:
        wrong = DifferenceCode.CERTIFICATE_INACTIVE if status == ACTIVE else DifferenceCode.CERTIFICATE_ACTIVE
        yield wrong, f"the certificate {facts.status}", f"it {status}"
    wanted = profile_policy(device.profile)
    if wanted not in facts.policies:
        yield DifferenceCode.POLICY_MISSING, "the certificate without its policy", wanted
    others = sorted(policy for policy in facts.policies if policy.startswith(_POLICY_PREFIX) and policy != wanted)
    if others:
        got = f"the certificate with policy {', '.join(others)}"
        yield DifferenceCode.POLICY_OF_ANOTHER_PROFILE, got, f"{wanted} only"


def is_stray(device: Device | None, target: Target) -> bool:
    """Return whether no claim and no pending clearing explains a thing of this device in `target`."""
    return device is None or not may_be_active_in(device, target)


def orphan(facts: Facts, thing: ThingName, history: Sequence[Entry], target: Target, lobby: str) -> Difference | None:
    """Return the difference for a stray thing. Return None if its certificate cannot connect under the thing's name, or
    if the device was transferred and another lobby than `lobby` has registered it in the same target. The certificate
    belongs to this lobby if the device's history has an entry that registers it in this target."""
    if facts.status != ACTIVE or thing not in facts.things:
        return None
    claim = parse_claim(facts.claim)
    if claim is not None and claim.is_held_by_another(lobby):
        return None
    got = f"got the certificate ACTIVE in {target}, which no claim in the ledger covers"
    if any(entry.target == str(target) and entry.after in _REGISTERING_STATES for entry in history):
        return Difference(DifferenceCode.ORPHANED, facts.certid, thing, f"{got}, want it INACTIVE")
    message = f"{got} and no history entry mentions: its creator must check it"
    return Difference(DifferenceCode.ORPHANED_NOT_OURS, facts.certid, thing, message)
