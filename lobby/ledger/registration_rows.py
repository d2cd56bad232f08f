"""The table of leases: which message of a certificate's just-in-time registration is processed (`leases`).

It is separate from the ledger, because its rows change at every registration and expire, and no other Lambda writes
them.
"""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.ledger.table_calls import Calls


class RegistrationRow(Model):
    """The lease of a certificate's registration (`leases`): the id of the message in progress, the beginning and end of
    the lease, in ms since 1970, and whether the run has ended with a decision. `began` then becomes the time of the
    decision, because earlier messages need no other run. DynamoDB deletes a row after `expires`, in seconds since
    1970."""

    class Meta(Calls):
        table_name = NAMES.name("registrations")

    certid = UnicodeAttribute(hash_key=True)
    message = UnicodeAttribute()
    began = NumberAttribute()
    until = NumberAttribute()
    done = BooleanAttribute()
    expires = NumberAttribute()
