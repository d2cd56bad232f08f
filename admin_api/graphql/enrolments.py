"""Types for enrolments: groups of devices with limits and an allocation.

Lists, counts and claim certificates are read only if a query selects their fields. `admin_api.operations.enrolments`
validates values.
"""

from collections.abc import Mapping, Sequence

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.claim_certificates import ClaimCertificate, claim_certificate_from
from admin_api.graphql.context import Context, computed
from admin_api.graphql.enrolment_renewal import RenewalPolicy, policy_from
from admin_api.graphql.enrolment_signer import Signer, signer_from
from admin_api.graphql.enrolment_things import ThingAttribute, attributes_from
from admin_api.graphql.targets import TargetInput, target_named
from admin_api.graphql.value_lists import one_of
from lobby.deployment import NAMES
from lobby.domain.enrolments import allocation as domain
from lobby.domain.enrolments import enrolment as ledger
from lobby.domain.enrolments.allocation import Share
from lobby.domain.enrolments.claim_certificate import ClaimCertificate as ClaimCertificateRow
from lobby.domain.enrolments.enrolment_rules import AllocationInput as EnteredAllocation
from lobby.domain.enrolments.enrolment_rules import MatchInput as EnteredMatch
from lobby.names import EnrolmentName, parse_enrolment_name


@strawberry.type(description="A field of a certificate's subject.")
class SubjectField:
    field: str = strawberry.field(description="Its short name: C, ST, L, O, OU or serialNumber.")
    value: str = strawberry.field(description="Its value, compared exactly.")


@strawberry.input(description="A field of a certificate's subject.")
class SubjectFieldInput:
    field: str = strawberry.field(description="Its short name: C, ST, L, O, OU or serialNumber.")
    value: str = strawberry.field(description="Its value, compared exactly.")


@strawberry.type(description="Which devices an enrolment matches: those that meet all conditions.")
class EnrolmentMatch:
    ca: str | None = strawberry.field(description="AWS IoT's id of the CA that signed the certificate; null for any.")
    subject: list[SubjectField] = strawberry.field(description="Fields that the certificate's subject has.")
    name_pattern: str | None = strawberry.field(
        description="The pattern of the thing name: * for any characters, ? for one; null for any."
    )
    listed: bool = strawberry.field(description="Whether the serial number must be in the enrolment's list.")


@strawberry.input(description="Which devices an enrolment matches: those that meet all conditions. At least one.")
class EnrolmentMatchInput:
    ca: str | None = strawberry.field(
        default=None, description="AWS IoT's id of the CA that signed the certificate: 64 hex digits."
    )
    subject: list[SubjectFieldInput] | None = strawberry.field(
        default=None, description="Fields that the certificate's subject has."
    )
    name_pattern: str | None = strawberry.field(
        default=None, description="The pattern of the thing name: * for any characters, ? for one."
    )
    listed: bool = strawberry.field(
        default=False, description="Whether the serial number must be in the enrolment's list (addSerialNumbers)."
    )


@strawberry.type(description="A target of an allocation.")
class AllocatedTarget:
    account: str = strawberry.field(description="The target's account.")
    region: str = strawberry.field(description="The target's Region.")
    weight: int = strawberry.field(description="Its share of the devices, relative to the other weights.")


@strawberry.input(description="A target of an allocation.")
class AllocatedTargetInput:
    target: TargetInput = strawberry.field(description="A registered target.")
    weight: int = strawberry.field(default=1, description="Its share of the devices, 1 to 1000.")


@strawberry.type(
    description="The target for which the devices of an enrolment are claimed when they join. Without targets and"
    " function, they wait for a user's claim, and the other values apply to what that claim does not name."
)
class Allocation:
    targets: list[AllocatedTarget] = strawberry.field(description="The targets; empty if a function or a user chooses.")
    function: str | None = strawberry.field(description="The Lambda function that chooses, if one does.")
    profile: str | None = strawberry.field(description="The profile of the claims; null for the target's default.")
    config: JSON = strawberry.field(description="The configuration of the claims: text or an object.")
    presence: bool = strawberry.field(
        description="Whether claims require proof of presence, also if the target does not."
    )


@strawberry.input(
    description="The allocation of the devices of an enrolment: either targets or a function, or neither: then devices"
    " wait for a user's claim, and the other values apply to what that claim does not name."
)
class AllocationInput:
    targets: list[AllocatedTargetInput] | None = strawberry.field(
        default=None, description="Up to 50 targets. A device always gets the same one when it joins again."
    )
    function: str | None = strawberry.field(
        default=None,
        description="The name of a Lambda function in the lobby's account; it starts with device-lobby-allocation-.",
    )
    profile: str | None = strawberry.field(default=None, description="The profile; by default the target's default.")
    config: JSON | None = strawberry.field(default=None, description="The configuration: text or an object.")
    presence: bool = strawberry.field(
        default=False, description="Whether claims require proof of presence, also if the target does not."
    )


@strawberry.type(description="How many devices an enrolment has refused for one reason.")
class EnrolmentRefusals:
    reason: str = strawberry.field(description="The reason code, such as ENROLMENT_FULL.")
    count: int = strawberry.field(description="The number of refusals. A device that repeats one is counted once.")


@strawberry.type(description="One entry of an enrolment's history.")
class EnrolmentEntry:
    at: str = strawberry.field(description="When, ISO 8601 UTC.")
    actor: str = strawberry.field(description="Who.")
    event: str = strawberry.field(
        description="created, changed, paused, resumed, revoked or listed, certified, uncertified or approved."
    )
    detail: str = strawberry.field(description="A description of the change.")


@strawberry.type(description="A group of devices that join in the same way, with limits. Times are ISO 8601, UTC.")
class Enrolment:
    row: strawberry.Private[ledger.Enrolment]
    lengths: strawberry.Private[Mapping[EnrolmentName, int]]
    refused: strawberry.Private[Mapping[EnrolmentName, Mapping[str, int]]]
    claims: strawberry.Private[Sequence[ClaimCertificateRow]]

    id: strawberry.ID = strawberry.field(description="Identifies the enrolment in caches: its name.")
    name: str = strawberry.field(description="Its name. The actor of its claims is rule:<name>.")
    door: str = strawberry.field(description=f"How its devices join. {one_of(ledger.Door)}")
    state: str = strawberry.field(description="active, paused or revoked.")
    match: EnrolmentMatch = strawberry.field(description="Which devices it matches.")
    limit: int | None = strawberry.field(description="The maximum number of devices; null for no limit.")
    starts: str | None = strawberry.field(description="When it begins to admit devices; null: immediately.")
    ends: str | None = strawberry.field(description="When it stops to admit devices; null for never.")
    model: str | None = strawberry.field(description="The product model of its devices.")
    allocation: Allocation | None = strawberry.field(
        description="The allocation of its devices; null if they wait for a user's claim, which gets no defaults."
    )
    renewal: RenewalPolicy | None = strawberry.field(
        description="When its devices renew their certificates; null if their profiles decide."
    )
    signer: Signer | None = strawberry.field(
        description="The CA that signs the certificates of its devices at door token and in renewals; null for AWS"
        " IoT's."
    )
    admitted: int = strawberry.field(description="How many devices it has admitted, each counted once.")
    repeat: str | None = strawberry.field(
        description="The treatment of a second key of a serial number: refuse, replace or ask; null for doors other"
        " than claim."
    )
    provisioning_template: str | None = strawberry.field(
        description="AWS IoT's provisioning template for its devices; null for other doors than claim."
    )
    endpoint: str | None = strawberry.field(
        description="The host that its devices connect to; null if the deployment does not know it."
    )
    created_by: str = strawberry.field(description="Who created it.")
    created_at: str = strawberry.field(description="When it was created.")

    @computed("The attributes that its devices' things get, where their profiles permit it.")
    def attributes(self) -> list[ThingAttribute]:
        return attributes_from(self.row.things)

    @computed("The thing groups that its devices' things join, where their profiles permit it.")
    def thing_groups(self) -> list[str]:
        return list(self.row.things.groups) if self.row.things else []

    @computed("The number of serial numbers in its list; null if it has no list.")
    def list_length(self) -> int | None:
        return self.lengths.get(self.row.name, 0) if self.row.match.listed else None

    @computed("Its claim certificates, the oldest first.")
    def claim_certificates(self) -> list[ClaimCertificate]:
        return [claim_certificate_from(each, self.row) for each in self.claims if each.enrolment == self.row.name]

    @computed("How many devices it has refused, by reason.")
    def refusals(self) -> list[EnrolmentRefusals]:
        counts = self.refused.get(self.row.name, {})
        return [EnrolmentRefusals(reason=reason, count=count) for reason, count in sorted(counts.items())]


@strawberry.type(description="The result of adding serial numbers.")
class AddedSerialNumbers:
    enrolment: str = strawberry.field(description="The enrolment's name.")
    added: int = strawberry.field(description="The number of serial numbers that were not in the list before.")


def enrolments_of(context: Context) -> list[Enrolment]:
    """Return all enrolments in the order of their names, with four queries."""
    return _with_progress(context, context.services.enrolments.all())


def history_of(context: Context, name: str) -> list[EnrolmentEntry]:
    """Return the history of an enrolment. Raise `InvalidInput` INVALID_ENROLMENT, or `NotFound` UNKNOWN_ENROLMENT."""
    enrolments = context.services.enrolments
    entries = enrolments.history(enrolments.get(parse_enrolment_name(name)).name)
    return [
        EnrolmentEntry(at=each.at, actor=each.actor, event=each.event.value, detail=each.detail) for each in entries
    ]


def enrolment_now(context: Context, row: ledger.Enrolment) -> Enrolment:
    """Return the GraphQL type for an enrolment that was just read or written."""
    return _with_progress(context, [row])[0]


def _with_progress(context: Context, rows: Sequence[ledger.Enrolment]) -> list[Enrolment]:
    services = context.services
    lengths, refused = services.serial_lists.lengths(), services.enrolments.refusals()
    claims = services.claim_certificates.all()
    return [_enrolment_from(row, lengths, refused, claims, services.device_endpoint) for row in rows]


def _enrolment_from(
    row: ledger.Enrolment,
    lengths: Mapping[EnrolmentName, int],
    refused: Mapping[EnrolmentName, Mapping[str, int]],
    claims: Sequence[ClaimCertificateRow],
    endpoint: str | None,
) -> Enrolment:
    match = row.match
    return Enrolment(
        row=row,
        lengths=lengths,
        refused=refused,
        claims=claims,
        id=strawberry.ID(row.name),
        name=row.name,
        door=row.door.value,
        state=row.state.value,
        match=EnrolmentMatch(
            ca=match.ca,
            subject=[SubjectField(field=field, value=value) for field, value in match.subject.items()],
            name_pattern=match.name_pattern,
            listed=match.listed,
        ),
        limit=row.limit,
        starts=row.starts,
        ends=row.ends,
        model=row.model,
        allocation=_allocation_from(row.allocation) if row.allocation else None,
        renewal=policy_from(row.renewal),
        signer=signer_from(row.signer),
        admitted=row.admitted,
        repeat=row.repeat.value if row.repeat else None,
        provisioning_template=NAMES.prefix if row.door is ledger.Door.CLAIM else None,
        endpoint=endpoint,
        created_by=row.createdby,
        created_at=row.createdat,
    )


def _allocation_from(allocation: domain.Allocation) -> Allocation:
    return Allocation(
        targets=[
            AllocatedTarget(account=share.target.account, region=share.target.region, weight=share.weight)
            for share in allocation.shares
        ],
        function=allocation.function,
        profile=allocation.profile,
        config=JSON(allocation.config),
        presence=allocation.presence,
    )


def match_entered(entered: EnrolmentMatchInput | None) -> EnteredMatch:
    if entered is None:
        return EnteredMatch()
    fields = [(each.field, each.value) for each in entered.subject or ()]
    return EnteredMatch(entered.ca, fields, entered.name_pattern, entered.listed)


def allocation_entered(entered: AllocationInput | None) -> EnteredAllocation | None:
    """Return the allocation of an argument, or None. Raise `InvalidInput` INVALID_ACCOUNT or INVALID_REGION."""
    if entered is None:
        return None
    shares = [Share(target_named(each.target), each.weight) for each in entered.targets or ()]
    return EnteredAllocation(shares, entered.function, entered.profile, entered.config, entered.presence)
