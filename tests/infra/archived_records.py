"""Records as Firehose writes them: the events that the lobby publishes, and AWS's examples of registry events."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from lobby.domain.device import Device, Entry
from lobby.domain.events.device_events import DeviceEvent
from lobby.domain.states import Event, State
from lobby.names import EnrolmentName, Fingerprint, ThingName

LOBBY: Final = "100000000001/us-east-1"
ONE, OTHER, THIRD = (Fingerprint(digit * 64) for digit in "abc")
NAMES: Final = {ONE: ThingName("pump-1"), OTHER: ThingName("pump-2"), THIRD: None}
_COMMON: Final = {"eventId": "e1", "timestamp": 1_795_953_600_000, "operation": "CREATED", "accountId": "100000000001"}
_THING: Final = {"thingId": "b604f69c", "thingName": "pump-1"}
REGISTRY_EVENTS: Final[tuple[dict[str, Any], ...]] = (
    _COMMON
    | _THING
    | {"eventType": "THING_EVENT", "versionNumber": 1, "thingTypeName": None, "attributes": {"enrolment": "pumps"}},
    _COMMON
    | {
        "eventType": "THING_TYPE_EVENT",
        "eventId": "e2",
        "thingTypeId": "c530ae83",
        "thingTypeName": "pump",
        "isDeprecated": False,
        "deprecationDate": None,
        "searchableAttributes": ["model"],
        "description": "A pump",
    },
    {key: _COMMON[key] for key in ("timestamp", "operation")}
    | _THING
    | {"eventType": "THING_TYPE_ASSOCIATION_EVENT", "eventId": "e3", "thingTypeName": "pump"},
    _COMMON
    | {
        "eventType": "THING_GROUP_EVENT",
        "eventId": "e4",
        "thingGroupId": "8f82a106",
        "thingGroupName": "pumps",
        "versionNumber": 1,
        "parentGroupName": None,
        "parentGroupId": None,
        "description": "All pumps",
        "attributes": {},
    },
    _COMMON
    | {
        "eventType": "THING_GROUP_MEMBERSHIP_EVENT",
        "eventId": "e5",
        "operation": "ADDED",
        "groupArn": "arn:aws:iot:us-east-1:100000000001:thinggroup/pumps",
        "groupId": "06838589",
        "thingArn": "arn:aws:iot:us-east-1:100000000001:thing/pump-1",
        "thingId": "b604f69c",
        "membershipId": "8505ebf8",
    },
    _COMMON
    | {
        "eventType": "THING_GROUP_HIERARCHY_EVENT",
        "eventId": "e6",
        "operation": "ADDED",
        "thingGroupId": "8f82a106",
        "thingGroupName": "pumps",
        "childGroupId": "06838589",
        "childGroupName": "large-pumps",
    },
)
"""One of each kind, with the fields of the AWS IoT developer guide, "Registry events". A thing group's
`rootToParentThingGroups` is not archived: it repeats the groups' own events."""


def transition(
    certid: Fingerprint, seq: int, event: Event, at: str, after: State, target: str | None = None, reason: str = ""
) -> dict[str, Any]:
    """Return the event that the publisher puts on the bus for a history entry."""
    entry = Entry(certid, seq, at, "service:test", event, None, after, 1, reason or None, target, "", "f" * 64)
    name = NAMES[certid]
    device = Device(certid, after, at, devicename=name, enrolment=EnrolmentName("pumps") if name else None)
    return DeviceEvent(entry, device, LOBBY).encode()


def write(folder: Path, table: str, day: str, records: Iterable[dict[str, Any]]) -> None:
    """Write an object of Firehose: a compressed line for each record, below the prefix of the day."""
    place = folder / table / f"day={day}"
    place.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in records)
    (place / f"{len(list(place.iterdir()))}.gz").write_bytes(gzip.compress(lines.encode()))
