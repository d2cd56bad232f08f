"""The table of connections: which devices are connected to the lobby, and the problems of their connections.

It is separate from the ledger, so that a connection changes no index, conflicts with no transaction and does not start
the commissioner. `device_connections` reads and writes it.
"""

from typing import ClassVar

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.ledger.table_calls import Calls


class ByProblem(GlobalSecondaryIndex["ConnectionRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The connection problems of all devices, by the time of the last occurrence. Sparse: a row of kind `status` is not
    in it."""

    class Meta:
        index_name = "by-problem"
        projection = IncludeProjection(["clientid", "place", "session", "firstat", "count"])

    problem = UnicodeAttribute(hash_key=True)
    lastat = NumberAttribute(range_key=True)


class ConnectionRow(Model):
    """A device's connection to the lobby (kind `status`), a problem of its connections (kind: its code), or
    the latest of them (kind `sightings`).
    Times are in ms since 1970; `expires`, in s, is DynamoDB's time to live."""

    class Meta(Calls):
        table_name = NAMES.name("connections")

    by_problem: ClassVar[ByProblem] = ByProblem()

    certid = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(range_key=True)
    change = UnicodeAttribute(null=True)
    session = UnicodeAttribute()
    sessionversion = NumberAttribute(null=True)
    at = NumberAttribute(null=True)
    left = BooleanAttribute(null=True)
    address = UnicodeAttribute(null=True)
    seen = JSONAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    clientid = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    firstat = NumberAttribute(null=True)
    lastat = NumberAttribute(null=True)
    number = NumberAttribute(null=True, attr_name="count")
    expires = NumberAttribute(null=True)
