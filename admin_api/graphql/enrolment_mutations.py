"""The mutations of enrolments: create, change, list serial numbers, pause, resume and revoke.

Each can be repeated. After a change of the state, the registrar updates the claim certificates. If this fails, its
timer repeats it.
"""

from typing import Annotated

import strawberry

from admin_api.graphql.arguments import described
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.enrolment_changes import limit_change
from admin_api.graphql.enrolment_renewal import RenewalPolicyInput, policy_entered
from admin_api.graphql.enrolment_signer import SignerInput, signer_entered
from admin_api.graphql.enrolment_things import ThingAttributeInput
from admin_api.graphql.enrolments import (
    AddedSerialNumbers,
    AllocationInput,
    Enrolment,
    EnrolmentMatchInput,
    allocation_entered,
    enrolment_now,
    match_entered,
)
from admin_api.graphql.value_lists import one_of
from admin_api.operations import enrolments as rules
from lobby.contracts.claim_certificates import AlignClaimCertificates
from lobby.domain.enrolments.enrolment import Door, EnrolmentEvent, Repeat
from lobby.domain.enrolments.enrolment import Enrolment as Row
from lobby.names import parse_enrolment_name

Name = Annotated[str, described("The enrolment's name.")]
Limit = Annotated[int | None, described("The maximum number of devices; null for no limit.")]
Starts = Annotated[str | None, described("When it begins: a date, or a time with its offset (ISO 8601).")]
Repeats = Annotated[
    str | None,
    described(
        "The treatment of a second key for a serial number at door claim: it is refused, replaces the first, or is"
        f" refused until approveSerialNumber. By default refuse. {one_of(Repeat)}"
    ),
]
Ends = Annotated[str | None, described("When it stops: a date (its beginning, UTC), or a time with its offset.")]

RenewalOf = Annotated[
    RenewalPolicyInput | None,
    described("When its devices renew their certificates; null if their profiles decide."),
]


Attributes = Annotated[
    list[ThingAttributeInput] | None,
    described("Attributes of its devices' things, of those that profiles let enrolments set."),
]
Groups = Annotated[
    list[str] | None, described("Thing groups of its devices' things, of those that profiles let enrolments set.")
]


SignedBy = Annotated[
    SignerInput | None,
    described(
        "The CA that signs certificates of its devices at door token and in renewals; by default AWS IoT's."
        " INVALID_SIGNER if the key is not the CA's, or cannot sign."
    ),
]


@strawberry.type(description="The operations that change enrolments.")
class EnrolmentMutation:
    @operation(
        "Creates an enrolment: devices that match it are admitted up to its limit, and claimed if it has an allocation."
        " Creating the same one again changes nothing. ENROLMENT_AMBIGUOUS if another one matches some of its devices"
        " and neither is more specific."
    )
    def create_enrolment(  # noqa: PLR0913, PLR0917  # one parameter per argument
        self,
        info: Info,
        name: Annotated[str, described("1 to 32 of a-z 0-9 -, the first not a dash.")],
        match: Annotated[
            EnrolmentMatchInput | None,
            described("Which devices it matches. Required for door registration; at the other doors, any by default."),
        ] = ABSENT,
        limit: Limit = ABSENT,
        starts: Starts = ABSENT,
        ends: Ends = ABSENT,
        model: Annotated[str | None, described("The product model of its devices.")] = ABSENT,
        allocation: Annotated[
            AllocationInput | None,
            described("The target of its devices' claims, or the defaults of users' claims; by default neither."),
        ] = ABSENT,
        paused: Annotated[bool, described("Whether the enrolment admits no device until it is resumed.")] = False,
        door: Annotated[str, described(f"How its devices join. {one_of(Door)}")] = Door.REGISTRATION.value,
        repeat: Repeats = ABSENT,
        renewal: RenewalOf = ABSENT,
        attributes: Attributes = ABSENT,
        thing_groups: Groups = ABSENT,
        signer: SignedBy = ABSENT,
    ) -> Enrolment | None:
        entered = rules.NewEnrolment(
            name,
            door,
            match_entered(given(match)),
            allocation_entered(given(allocation)),
            given(limit),
            given(starts),
            given(ends),
            given(model),
            paused,
            given(repeat),
            policy_entered(given(renewal)),
            [(each.name, each.value) for each in given(attributes) or ()],
            given(thing_groups) or (),
            signer_entered(given(signer)),
        )
        return enrolment_now(info.context, rules.create(info.context.services, info.context.caller, entered))

    @operation(
        "Changes limit, validity period, `repeat`, renewal and signer of an enrolment. Omitted values do not"
        " change; null removes a value."
    )
    def change_enrolment(
        self,
        info: Info,
        name: Name,
        limit: Limit = ABSENT,
        starts: Starts = ABSENT,
        ends: Ends = ABSENT,
        repeat: Repeats = ABSENT,
        renewal: RenewalOf = ABSENT,
        signer: SignedBy = ABSENT,
    ) -> Enrolment | None:
        context, wanted = info.context, limit_change(limit, starts, ends, repeat, renewal, signer)
        return _aligned(context, rules.change(context.services, context.caller, name, wanted))

    @operation("Adds up to 1,000 serial numbers to the list of an enrolment. Adding a number again changes nothing.")
    def add_serial_numbers(
        self,
        info: Info,
        enrolment: Name,
        serial_numbers: Annotated[list[str], described("Thing names of devices: the CNs of their certificates.")],
    ) -> AddedSerialNumbers | None:
        context = info.context
        name, added = rules.add_serials(context.services, context.caller, enrolment, serial_numbers)
        return AddedSerialNumbers(enrolment=name, added=added)

    @operation("Pauses an enrolment: its devices are refused until it is resumed. Admitted devices stay.")
    def pause_enrolment(self, info: Info, name: Name) -> Enrolment | None:
        return _changed(info, name, EnrolmentEvent.PAUSED)

    @operation("Resumes a paused enrolment. To readmit devices that it has refused, retry them.")
    def resume_enrolment(self, info: Info, name: Name) -> Enrolment | None:
        return _changed(info, name, EnrolmentEvent.RESUMED)

    @operation("Revokes an enrolment permanently: it refuses its devices from now on. Admitted devices stay.")
    def revoke_enrolment(self, info: Info, name: Name) -> Enrolment | None:
        return _changed(info, name, EnrolmentEvent.REVOKED)


def _changed(info: Info, name: str, event: EnrolmentEvent) -> Enrolment:
    context = info.context
    changed = context.services.enrolments.set_state(parse_enrolment_name(name), event, context.caller.actor)
    return _aligned(context, changed)


def _aligned(context: Context, changed: Row) -> Enrolment:
    """Set the claim certificates to the state that the enrolment requires. If this fails, the registrar's timer repeats
    it."""
    if changed.door is Door.CLAIM:
        context.services.ask_registrar(AlignClaimCertificates(changed.name))
    return enrolment_now(context, changed)
