"""Creates and changes an enrolment. Checks the caller's input against the registered targets and profiles.

`enrolment_rules` has the rules of single values. This module also rejects targets and profiles that the
lobby does not have, so that an enrolment can claim its devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from admin_api.operations.signers import EnteredSigner
from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.enrolments.allocation import Allocation
from lobby.domain.enrolments.enrolment import Enrolment, EnrolmentState
from lobby.domain.enrolments.enrolment_rules import (
    AllocationInput,
    MatchInput,
    parse_allocation,
    parse_door,
    parse_limit,
    parse_match,
    parse_period,
    parse_repeat,
    parse_serials,
    parse_text,
    require_bound,
)
from lobby.domain.enrolments.thing_settings_rules import parse_settings
from lobby.domain.renewals.renewal import RenewalPolicy
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.clock import now, timestamp
from lobby.names import EnrolmentName, parse_enrolment_name


@dataclass(frozen=True)
class NewEnrolment:
    """An enrolment as the caller enters it."""

    name: str
    door: str
    match: MatchInput
    allocation: AllocationInput | None
    limit: int | None
    starts: str | None
    ends: str | None
    model: str | None
    paused: bool
    repeat: str | None
    renewal: RenewalPolicy | None = None
    attributes: Sequence[tuple[str, str]] = ()
    thing_groups: Sequence[str] = ()
    signer: EnteredSigner | None = None


def create(services: Services, caller: Caller, entered: NewEnrolment) -> Enrolment:
    """Create an enrolment and return it. Raise `InvalidInput`, `NotFound` UNKNOWN_TARGET or UNKNOWN_PROFILE or
    as `parse_settings`, or `Conflict` as `Enrolments.create`."""
    starts, ends = parse_period(entered.starts, entered.ends)
    allocation = parse_allocation(entered.allocation) if entered.allocation is not None else None
    if allocation is not None:
        _require_targets(services, allocation)
    door, limit = parse_door(entered.door), parse_limit(entered.limit)
    match = parse_match(entered.match, door)
    require_bound(door, match, limit)
    new = Enrolment(
        parse_enrolment_name(entered.name),
        door,
        match,
        caller.actor,
        timestamp(now()),
        EnrolmentState.PAUSED if entered.paused else EnrolmentState.ACTIVE,
        limit=limit,
        starts=starts,
        ends=ends,
        model=parse_text(entered.model, "the model", "INVALID_MODEL") if entered.model is not None else None,
        allocation=allocation,
        repeat=parse_repeat(entered.repeat, door),
        renewal=entered.renewal,
        things=parse_settings(entered.attributes, entered.thing_groups, services.profiles),
        signer=services.signing_keys.prove(entered.signer, now()),
    )
    return services.enrolments.create(new)


@dataclass(frozen=True)
class LimitChange:
    """New values. Values that are not in `given` do not change."""

    given: frozenset[str]
    limit: int | None
    starts: str | None
    ends: str | None
    repeat: str | None
    renewal: RenewalPolicy | None = None
    signer: EnteredSigner | None = None


def change(services: Services, caller: Caller, name: str, wanted: LimitChange) -> Enrolment:
    """Change the limit, the validity period, the renewal, the signer, and the treatment of a second key of a serial
    number. Raise `InvalidInput`, `NotFound` UNKNOWN_ENROLMENT, or `Conflict` as `Enrolments.set_limits`."""
    limit, given = parse_limit(wanted.limit), wanted.given
    proved = services.signing_keys.prove(wanted.signer, now())

    def changed(before: Enrolment) -> Enrolment:
        starts = wanted.starts if "starts" in given else before.starts
        ends = wanted.ends if "ends" in given else before.ends
        first, last = parse_period(starts, ends)
        most = limit if "limit" in given else before.limit
        require_bound(before.door, before.match, most)
        repeat = parse_repeat(wanted.repeat, before.door) if "repeat" in given else before.repeat
        renewal = wanted.renewal if "renewal" in given else before.renewal
        signer = proved if "signer" in given else before.signer
        return replace(before, limit=most, starts=first, ends=last, repeat=repeat, renewal=renewal, signer=signer)

    return services.enrolments.set_limits(parse_enrolment_name(name), changed, caller.actor)


def add_serials(services: Services, caller: Caller, name: str, serials: Sequence[str]) -> tuple[EnrolmentName, int]:
    """Add serial numbers to the list of an enrolment; return its name and how many are new. Raise `InvalidInput`,
    `NotFound` UNKNOWN_ENROLMENT, or `Conflict` NO_LIST, ENROLMENT_REVOKED, or as `SerialLists.add`."""
    wanted = parse_serials(serials)
    enrolment = services.enrolments.get(parse_enrolment_name(name))
    if not enrolment.match.listed:
        raise Conflict("NO_LIST", f"got serial numbers for {enrolment.name}, want an enrolment that matches by a list")
    if enrolment.state is EnrolmentState.REVOKED:
        raise Conflict("ENROLMENT_REVOKED", f"got serial numbers for {enrolment.name}, which is revoked permanently")
    return enrolment.name, services.serial_lists.add(enrolment.name, wanted, caller.actor)


def _require_targets(services: Services, allocation: Allocation) -> None:
    """Raise for a target that is not registered, is archived, or lacks the profile."""
    registered = {each.target: each for each in services.targets.all()}
    for share in allocation.shares:
        found = registered.get(share.target)
        if found is None:
            raise NotFound("UNKNOWN_TARGET", f"got {share.target}, want a registered target")
        if found.archivedat is not None:
            raise InvalidInput("INVALID_ALLOCATION", f"got {share.target}, which is archived; want one that is not")
        if allocation.profile is not None and allocation.profile not in found.profiles:
            profiles = ", ".join(found.profiles)
            message = f"got profile {allocation.profile}, want one of {share.target}'s: {profiles}"
            raise NotFound("UNKNOWN_PROFILE", message)
    if allocation.profile is not None:
        services.profiles.get(allocation.profile)
