"""Rows about users, in the enrolments' table: their claims in an hour, and whether they are blocked.

All claims of a user in an hour are counted in one item, so a claim needs one write. The item counts the hour, and each
minute in a separate attribute. DynamoDB deletes the item after `deleteat`, in seconds since 1970.
"""

from typing import Any, Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.ledger.table_calls import Calls

BLOCKS: Final = "users#blocked"
"""The partition of blocked users."""


class UserHourRow(Model):
    """The claims and wrong codes of a user, `kind`, in an hour, `name`."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    number = NumberAttribute(null=True)
    codes = NumberAttribute(null=True)
    deleteat = NumberAttribute()
    vars().update({f"m{minute:02}": NumberAttribute(null=True) for minute in range(60)})

    @classmethod
    def minute(cls, minute: int) -> Any:
        """Return the attribute that counts a minute of the hour."""
        return getattr(cls, f"m{minute:02}")


class BlockRow(Model):
    """Whether a user is blocked, and who changed this last."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    blocked = BooleanAttribute()
    by = UnicodeAttribute()
    at = UnicodeAttribute()
