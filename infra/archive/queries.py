"""The named queries of the archive, in Athena's SQL.

An event can be in the archive twice, so the queries count distinct ids and devices. Firehose puts an event into the
partition of the day on which it received the oldest event of the same object, so a query reads one more day than it
shows. `?` is a parameter that Athena requests from the user.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Query:
    name: str
    description: str
    sql: str


QUERIES: Final = (
    Query(
        "onboardings",
        "Devices that arrived, by day and target, in the last 30 days",
        """SELECT substr(at, 1, 10) AS arrived, target, count(DISTINCT id) AS arrivals,
  count(DISTINCT device.fingerprint) AS devices
FROM transitions
WHERE type = 'device.arrive'
  AND day >= date_format(date_add('day', -31, current_date), '%Y-%m-%d')
  AND substr(at, 1, 10) >= date_format(date_add('day', -30, current_date), '%Y-%m-%d')
GROUP BY substr(at, 1, 10), target
ORDER BY arrived DESC, devices DESC, target""",
    ),
    Query(
        "failures",
        "Devices that failed or were refused, by reason, in the last 30 days",
        """SELECT type, reason, target, device.enrolment AS enrolment, count(DISTINCT device.fingerprint) AS devices,
  min(at) AS first_at, max(at) AS last_at
FROM transitions
WHERE type IN ('device.fail', 'device.refuse')
  AND day >= date_format(date_add('day', -31, current_date), '%Y-%m-%d')
  AND substr(at, 1, 10) >= date_format(date_add('day', -30, current_date), '%Y-%m-%d')
GROUP BY type, reason, target, device.enrolment
ORDER BY devices DESC, type, reason""",
    ),
    Query(
        "device-path",
        "All transitions of one device, by its fingerprint or thing name",
        """SELECT DISTINCT at, device.fingerprint AS fingerprint, seq, type, before, after, target, reason, actor
FROM transitions
WHERE ? IN (device.fingerprint, device.name)
ORDER BY at, fingerprint, seq""",
    ),
    Query(
        "registry-changes",
        "Changes of AWS IoT's registry by day and kind, in the last 31 days",
        """SELECT day, eventtype, operation, count(DISTINCT eventid) AS changes
FROM registry
WHERE day >= date_format(date_add('day', -31, current_date), '%Y-%m-%d')
GROUP BY day, eventtype, operation
ORDER BY day DESC, eventtype, operation""",
    ),
)
