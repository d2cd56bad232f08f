"""The table of the activity log: each entry once for each kind of query, in the order of time. Copies cost the same as
index entries. Copies by target or enrolment are written only for entries that name one. Entries expire.
"""

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.domain.events.activity import KEPT, Activity
from lobby.ledger.table_calls import Calls
from lobby.names import EnrolmentName, Fingerprint, ThingName


class ActivityRow(Model):
    """An entry in a partition (`lobby.domain.events.activity.partitions_of`)."""

    class Meta(Calls):
        table_name = NAMES.name("activity")

    partition = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    certid = UnicodeAttribute(null=True)
    user = UnicodeAttribute(null=True)
    seq = NumberAttribute()
    name = UnicodeAttribute(null=True)
    before = UnicodeAttribute(null=True)
    after = UnicodeAttribute(null=True)
    target = UnicodeAttribute(null=True)
    enrolment = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    left = UnicodeAttribute(null=True)
    expires = NumberAttribute()


def row_of(activity: Activity, partition: str) -> ActivityRow:
    """Return the item of an entry in a partition. The key is the same whenever the entry is written."""
    values = {name: getattr(activity, name) for name in Activity.__dataclass_fields__}
    subject = activity.certid or f"{activity.event}#{activity.user}"
    place = f"{activity.at}#{subject}#{activity.seq:010}"
    expires = int((datetime.fromisoformat(activity.at) + KEPT).timestamp())
    return ActivityRow(partition, place, expires=expires, **values)


def activity_of(row: ActivityRow) -> Activity:
    return Activity(
        row.at,
        row.actor,
        row.event,
        Fingerprint(row.certid) if row.certid else None,
        int(row.seq),
        ThingName(row.name) if row.name else None,
        row.before,
        row.after,
        row.target,
        EnrolmentName(row.enrolment) if row.enrolment else None,
        row.reason,
        row.user,
        row.left,
    )
