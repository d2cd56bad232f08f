"""The items of claims by serial number, in the table of enrolments: all of one kind, in the order of serial numbers.

The name is reserved in the table of names, so that the admission of a device notices the claim without a further read.
"""

from typing import Any, Final

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.domain.claims.claim_defaults import OmittedFields
from lobby.domain.claims.serial_claim import SerialClaim
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.table_calls import Calls
from lobby.names import ThingName, parse_target_key

KIND: Final = "serial-claim"


class SerialClaimRow(Model):
    """The claim of one serial number."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True, default=KIND)
    name = UnicodeAttribute(range_key=True)
    claim = JSONAttribute()
    actor = UnicodeAttribute()
    at = UnicodeAttribute()


def row_of(claim: SerialClaim) -> SerialClaimRow:
    request = claim.request
    fields: dict[str, Any] = {
        "target": str(request.target),
        "profile": request.profile,
        "config": request.config,
        "presence": request.presence,
        "unnamed": request.omitted.encode() if request.omitted else None,
    }
    return SerialClaimRow(KIND, claim.serial, claim=fields, actor=claim.actor, at=claim.at)


def claim_of(row: SerialClaimRow) -> SerialClaim:
    fields = row.claim
    target = parse_target_key(fields["target"])
    omitted = OmittedFields.decode(fields["unnamed"]) if fields.get("unnamed") else None
    request = ClaimRequest(target, fields["profile"], fields["config"], fields["presence"], omitted=omitted)
    return SerialClaim(ThingName(row.name), request, row.actor, row.at)
