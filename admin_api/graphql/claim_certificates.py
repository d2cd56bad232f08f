"""Claim certificates of enrolments at the door `claim`: the type, and the mutations.

The registrar changes the certificates in AWS IoT; the API has no permission for this. The API neither accepts nor
returns a private key.
"""

from typing import Annotated

import strawberry

from admin_api.graphql.arguments import described
from admin_api.graphql.context import ABSENT, Info, given, operation
from admin_api.graphql.value_lists import one_of
from lobby.contracts.claim_certificates import AddClaimCertificate, AddedClaimCertificate, RevokeClaimCertificate
from lobby.domain.enrolments import claim_certificate as ledger
from lobby.domain.enrolments.claim_certificate import state_of
from lobby.domain.enrolments.enrolment import Door, Enrolment, Repeat
from lobby.domain.enrolments.enrolment_rules import require_door
from lobby.errors import Conflict
from lobby.ledger.clock import now, timestamp
from lobby.ledger.enrolments.serial_approvals import approve
from lobby.names import parse_enrolment_name, parse_fingerprint, parse_thing_name


@strawberry.type(description="A certificate that the devices of an enrolment use until they have their own.")
class ClaimCertificate:
    id: strawberry.ID = strawberry.field(description="Identifies it in caches: its fingerprint.")
    certificate_id: str = strawberry.field(description="Its fingerprint, which is AWS IoT's certificate id.")
    enrolment: str = strawberry.field(description="The enrolment's name.")
    state: str = strawberry.field(
        description="Inactive: its enrolment is paused, has ended or is revoked. " + one_of(ledger.ClaimState)
    )
    expires: str = strawberry.field(description="When it expires, ISO 8601 UTC.")
    source: str = strawberry.field(
        description=f"Whether AWS IoT issued it, or it was supplied. {one_of(ledger.Source)}"
    )
    creates_keys: bool = strawberry.field(description="Whether devices may have their keys created by AWS IoT.")
    created_by: str = strawberry.field(description="Who added it.")
    created_at: str = strawberry.field(description="When it was added, ISO 8601 UTC.")
    certificate_pem: str | None = strawberry.field(
        default=None, description="The certificate, in the answer of addClaimCertificate; null otherwise."
    )


@strawberry.type(description="A serial number that another key may use once.")
class ApprovedSerialNumber:
    enrolment: str = strawberry.field(description="The enrolment's name.")
    serial_number: str = strawberry.field(description="The serial number.")
    until: str = strawberry.field(description="The end of the approval, ISO 8601 UTC.")


@strawberry.type(description="The operations that change claim certificates.")
class ClaimCertificateMutation:
    @operation(
        "Adds a claim certificate to an enrolment of door claim: AWS IoT signs a certificate signing request, or the"
        " caller supplies a certificate. The private key stays with the caller. Adding the same one again changes"
        " nothing."
    )
    def add_claim_certificate(
        self,
        info: Info,
        enrolment: Annotated[str, described("The enrolment's name.")],
        csr: Annotated[str | None, described("A certificate signing request in PEM.")] = ABSENT,
        certificate_pem: Annotated[str | None, described("A certificate in PEM, self-signed or not.")] = ABSENT,
        creates_keys: Annotated[
            bool, described("Whether devices may have their keys created by AWS IoT (CreateKeysAndCertificate).")
        ] = False,
    ) -> ClaimCertificate | None:
        context, name = info.context, parse_enrolment_name(enrolment)
        request = AddClaimCertificate(name, context.caller.actor, given(csr), given(certificate_pem), creates_keys)
        services = context.services
        added: AddedClaimCertificate = services.ask_registrar(request)
        row = services.claim_certificates.get(added.certid)
        return claim_certificate_from(row, services.enrolments.get(name), added.pem)

    @operation("Revokes a claim certificate permanently. Devices that were admitted with it stay.")
    def revoke_claim_certificate(
        self, info: Info, certificate_id: Annotated[str, described("Its fingerprint: 64 hex digits.")]
    ) -> ClaimCertificate | None:
        context, certid = info.context, parse_fingerprint(certificate_id)
        context.services.ask_registrar(RevokeClaimCertificate(certid, context.caller.actor))
        row = context.services.claim_certificates.get(certid)
        return claim_certificate_from(row, context.services.enrolments.get(row.enrolment))

    @operation(
        "Approves that another key uses a serial number of an enrolment of door claim: its next device with this serial"
        " number replaces the one that has it, within seven days, once. Repeating it extends the time."
    )
    def approve_serial_number(
        self,
        info: Info,
        enrolment: Annotated[str, described("The enrolment's name.")],
        serial_number: Annotated[str, described("The serial number: the thing name.")],
    ) -> ApprovedSerialNumber | None:
        context, serial = info.context, parse_thing_name(serial_number)
        found = context.services.enrolments.get(parse_enrolment_name(enrolment))
        _require_repeats(found)
        until = approve(serial, found.name, context.caller.actor, now())
        return ApprovedSerialNumber(enrolment=found.name, serial_number=serial, until=until)


def claim_certificate_from(
    row: ledger.ClaimCertificate, enrolment: Enrolment, pem: str | None = None
) -> ClaimCertificate:
    return ClaimCertificate(
        id=strawberry.ID(row.certid),
        certificate_id=row.certid,
        enrolment=row.enrolment,
        state=state_of(row, enrolment, timestamp(now())).value,
        expires=row.expires,
        source=row.source.value,
        creates_keys=row.creates_keys,
        created_by=row.createdby,
        created_at=row.createdat,
        certificate_pem=pem,
    )


def _require_repeats(enrolment: Enrolment) -> None:
    """Raise `Conflict` WRONG_DOOR or REPEAT_REFUSED for an enrolment that permits no second key."""
    require_door(enrolment, Door.CLAIM)
    if enrolment.repeat is Repeat.REFUSE:
        raise Conflict("REPEAT_REFUSED", f"got enrolment {enrolment.name}, which refuses a second key; change repeat")
