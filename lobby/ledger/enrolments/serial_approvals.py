"""The serial numbers that a user has approved for another key, once, at the door `claim`.

An approval is an item of the table of enrolments. The transaction that admits the new key uses it up, so only one key
can get the serial number.
"""

from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.domain.enrolments.enrolment import EnrolmentEntry, EnrolmentEvent
from lobby.ledger.clock import timestamp
from lobby.ledger.commits import Put, committed
from lobby.ledger.enrolments.enrolment_register import entry_row
from lobby.ledger.table_calls import Calls
from lobby.ledger.transaction import Update
from lobby.names import EnrolmentName, Fingerprint, ThingName

APPROVED: Final = timedelta(days=7)
"""How long an approval can be used."""
_NAME: Final = "approval"


class ApprovalRow(Model):
    """An approval, of kind `approval#` and the serial number."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True, default=_NAME)
    enrolment = UnicodeAttribute()
    until = UnicodeAttribute()
    usedby = UnicodeAttribute(null=True)


def is_approved(serial: ThingName, enrolment: EnrolmentName, at: str) -> bool:
    """Return whether another key may use the serial number now."""
    try:
        row = ApprovalRow.get(_key(serial), _NAME, consistent_read=True)
    except DoesNotExist:
        return False
    return row.enrolment == enrolment and row.usedby is None and at < row.until


def use_of(serial: ThingName, enrolment: EnrolmentName, certid: Fingerprint) -> Update:
    """Return the update that uses up an approval, on condition that it is unused."""
    unused = ApprovalRow.usedby.does_not_exist() & (ApprovalRow.enrolment == enrolment)
    return Update(ApprovalRow(_key(serial), _NAME), [ApprovalRow.usedby.set(certid)], unused)


def approve(serial: ThingName, enrolment: EnrolmentName, actor: str, at: datetime) -> str:
    """Approve a serial number, and return the end of the approval. Repeating it extends the time."""
    until = timestamp(at + APPROVED)
    row = ApprovalRow(_key(serial), _NAME, enrolment=enrolment, until=until)
    entry = EnrolmentEntry(timestamp(at), actor, EnrolmentEvent.APPROVED, f"{serial} until {until}")
    committed(Put(row), Put(entry_row(enrolment, entry)))
    return until


def _key(serial: ThingName) -> str:
    return f"approval#{serial}"
