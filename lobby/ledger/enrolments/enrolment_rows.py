"""The table of enrolments: definitions, lists of serial numbers, tokens, counts of refusals, histories of changes.

A list is not part of the definition. Each serial number is a separate item, so a list can have any length. The key is
the serial number, so it can be in only one list.
"""

from dataclasses import asdict
from typing import Any, Final

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.enrolment import (
    Door,
    Enrolment,
    EnrolmentEntry,
    EnrolmentEvent,
    EnrolmentState,
    Match,
    Repeat,
)
from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.name_patterns import NamePattern
from lobby.domain.renewals.renewal import parse_policy
from lobby.domain.signer import Signer
from lobby.ledger.table_calls import Calls
from lobby.names import EnrolmentName, Fingerprint, parse_target_key

KIND: Final = "enrolment"
REGISTER: Final = "register"
"""The item whose number increases with each new definition."""
REFUSALS: Final = "refusals"
LIST: Final = "list"


class EnrolmentRow(Model):
    """A definition (kind `enrolment`) and the number of devices that it has admitted."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True, default=KIND)
    name = UnicodeAttribute(range_key=True)
    door = UnicodeAttribute()
    state = UnicodeAttribute()
    revision = NumberAttribute()
    admitted = NumberAttribute()
    match = JSONAttribute()
    allocation = JSONAttribute(null=True)
    limit = NumberAttribute(null=True, attr_name="most")
    starts = UnicodeAttribute(null=True)
    ends = UnicodeAttribute(null=True)
    model = UnicodeAttribute(null=True)
    repeat = UnicodeAttribute(null=True)
    renewal = JSONAttribute(null=True)
    things = JSONAttribute(null=True)
    signer = JSONAttribute(null=True)
    createdby = UnicodeAttribute()
    createdat = UnicodeAttribute()


class EnrolmentNumberRow(Model):
    """A number, in the same table: of definitions so far (kind `register`), of the serial numbers in a list (kind
    `list`), or of refusals (kind `refusals`, name `<enrolment>#<reason>`)."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    number = NumberAttribute()


class SerialRow(Model):
    """A serial number in an enrolment's list, in the same table: of kind `serial#` and the serial number."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True, default=LIST)
    enrolment = UnicodeAttribute()


class EnrolmentEntryRow(Model):
    """One entry of an enrolment's history, in the same table: of kind `history#` and the name, in the order of time."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    detail = UnicodeAttribute(null=True)


class TokenRow(Model):
    """An enrolment token, in the same table: of kind `token#` and the enrolment, named by the rest of its identifier.
    DynamoDB deletes it after `deleteat`, in seconds since 1970."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    digest = UnicodeAttribute()
    createdby = UnicodeAttribute()
    createdat = UnicodeAttribute()
    expires = UnicodeAttribute(attr_name="until")
    limit = NumberAttribute(attr_name="most")
    uses = NumberAttribute()
    issued = NumberAttribute()
    thing = UnicodeAttribute(null=True)
    lastuse = UnicodeAttribute(null=True)
    revokedat = UnicodeAttribute(null=True)
    revokedby = UnicodeAttribute(null=True)
    deleteat = NumberAttribute()


class FailureRow(Model):
    """The number of requests with a wrong token in a minute, in the same table: of kind `failures#` and their source,
    named by the minute. DynamoDB deletes it after `deleteat`, in seconds since 1970."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    number = NumberAttribute()
    deleteat = NumberAttribute()


def serial_key(serial: str) -> str:
    return f"serial#{serial}"


def history_key(name: EnrolmentName) -> str:
    return f"history#{name}"


def refusals_key(name: EnrolmentName, code: str) -> str:
    return f"{name}#{code}"


def enrolment_of(row: EnrolmentRow) -> Enrolment:
    return Enrolment(
        EnrolmentName(row.name),
        Door(row.door),
        _match_of(row.match),
        row.createdby,
        row.createdat,
        EnrolmentState(row.state),
        int(row.revision),
        None if row.limit is None else int(row.limit),
        row.starts,
        row.ends,
        row.model,
        _allocation_of(row.allocation) if row.allocation else None,
        int(row.admitted),
        Repeat(row.repeat) if row.repeat else None,
        parse_policy(row.renewal) if row.renewal else None,
        ThingSettings.decode(row.things) if row.things else None,
        Signer.decode(row.signer) if row.signer else None,
    )


def row_of(enrolment: Enrolment) -> EnrolmentRow:
    return EnrolmentRow(
        KIND,
        enrolment.name,
        door=enrolment.door.value,
        state=enrolment.state.value,
        revision=enrolment.revision,
        admitted=enrolment.admitted,
        match=_match_fields(enrolment.match),
        allocation=_allocation_fields(enrolment.allocation) if enrolment.allocation else None,
        limit=enrolment.limit,
        starts=enrolment.starts,
        ends=enrolment.ends,
        model=enrolment.model,
        repeat=enrolment.repeat.value if enrolment.repeat else None,
        renewal=asdict(enrolment.renewal) if enrolment.renewal else None,
        things=enrolment.things.encode() if enrolment.things else None,
        signer=enrolment.signer.encode() if enrolment.signer else None,
        createdby=enrolment.createdby,
        createdat=enrolment.createdat,
    )


def entry_of(row: EnrolmentEntryRow) -> EnrolmentEntry:
    return EnrolmentEntry(row.at, row.actor, EnrolmentEvent(row.event), row.detail or "")


def _match_fields(match: Match) -> dict[str, Any]:
    return {
        "ca": match.ca,
        "subject": dict(match.subject),
        "name_pattern": match.name_pattern,
        "listed": match.listed,
    }


def _match_of(fields: dict[str, Any]) -> Match:
    ca, pattern = fields["ca"], fields["name_pattern"]
    return Match(
        Fingerprint(ca) if ca else None, fields["subject"], NamePattern(pattern) if pattern else None, fields["listed"]
    )


def _allocation_fields(allocation: Allocation) -> dict[str, Any]:
    return {
        "shares": [[str(share.target), share.weight] for share in allocation.shares],
        "function": allocation.function,
        "profile": allocation.profile,
        "config": allocation.config,
        "presence": allocation.presence,
    }


def _allocation_of(fields: dict[str, Any]) -> Allocation:
    shares = tuple(Share(parse_target_key(target), weight) for target, weight in fields["shares"])
    return Allocation(shares, fields["function"], fields["profile"], fields["config"], fields["presence"])
