"""How the ledger is kept in DynamoDB: six tables and the way between their items and our values.

`infra/` takes its key schema from here, so what is deployed and what is used cannot differ. The indexes
project only what lists show and nothing that changes while a device waits: presence never rewrites them.
Table names are fixed, as a lobby has an account and Region to itself (its IoT rule is named `lobby`).
"""

from typing import Any, ClassVar

from pynamodb.attributes import BooleanAttribute, JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from lobby.domain.device import Device, Entry, PresenceProof
from lobby.domain.history_audit import Unreadable
from lobby.domain.states import Event, State
from lobby.names import parse_target_key

COMMISSIONER = "commissioner"
NAME_HEAD = 2
"""Length of the partition key of `by-name`: the shortest name prefix that can be searched."""
PRINT_HEAD = 4
"""Likewise of `by-print`, for fingerprints."""
KIND = "device"
"""What every row says of itself, for the index that lists them all."""
LISTED = [
    "devicename",
    "devstate",
    "enteredat",
    "generation",
    "reason",
    "target",
    "profile",
    "claimedby",
    "claimedat",
    "firstseen",
    "lobbyregion",
    "previous",
    "turn",
    "version",
]


class _Calls:
    """What every table's calls keep to: a device or a person is waiting, so a call gives up early and is retried.
    The API's requests end after 30 s, whatever we do."""

    connect_timeout_seconds = 2
    read_timeout_seconds = 5
    max_retry_attempts = 3


def _listed(*keys: str) -> IncludeProjection:
    return IncludeProjection([name for name in LISTED if name not in keys])


class ByState(GlobalSecondaryIndex["LedgerRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """Who is in a state, by the moment it was entered."""

    class Meta:
        index_name = "by-state"
        projection = _listed("devstate", "enteredat")

    devstate = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class ByTarget(GlobalSecondaryIndex["LedgerRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """Who is claimed for a target, by the moment the present state was entered."""

    class Meta:
        index_name = "by-target"
        projection = _listed("target", "enteredat")

    target = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class ByName(GlobalSecondaryIndex["LedgerRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """Devices by thing name; partitioned by the name's first characters so that a prefix is one query."""

    class Meta:
        index_name = "by-name"
        projection = _listed("devicename")

    namehead = UnicodeAttribute(hash_key=True)
    devicename = UnicodeAttribute(range_key=True)


class ByPrint(GlobalSecondaryIndex["LedgerRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """Devices by fingerprint, likewise; the table's own key has no order to search in."""

    class Meta:
        index_name = "by-print"
        projection = _listed()

    printhead = UnicodeAttribute(hash_key=True)
    certid = UnicodeAttribute(range_key=True)


class ByTime(GlobalSecondaryIndex["LedgerRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """All devices, by the moment their present state was entered. One partition, as a state's is: it takes a thousand
    writes a second."""

    class Meta:
        index_name = "by-time"
        projection = _listed("enteredat")

    kind = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class ByTurn(GlobalSecondaryIndex["LedgerRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """Whose turn it is, by the moment the present state was entered. Sparse: a row is in it until it is served."""

    class Meta:
        index_name = "by-turn"
        projection = IncludeProjection(["devstate"])

    turn = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class LedgerRow(Model):
    """One device. `turn` is there only while the commissioner has work: its event filter reads nothing else. No index
    carries `code`."""

    class Meta(_Calls):
        table_name = "device-lobby-ledger"

    by_state: ClassVar[ByState] = ByState()
    by_target: ClassVar[ByTarget] = ByTarget()
    by_name: ClassVar[ByName] = ByName()
    by_print: ClassVar[ByPrint] = ByPrint()
    by_time: ClassVar[ByTime] = ByTime()
    by_turn: ClassVar[ByTurn] = ByTurn()

    certid = UnicodeAttribute(hash_key=True)
    printhead = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    devstate = UnicodeAttribute()
    enteredat = UnicodeAttribute()
    version = NumberAttribute()
    head = UnicodeAttribute()
    generation = NumberAttribute()
    devicename = UnicodeAttribute(null=True)
    namehead = UnicodeAttribute(null=True)
    devicecert = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    message = UnicodeAttribute(null=True)
    target = UnicodeAttribute(null=True)
    targetaccount = UnicodeAttribute(null=True)
    targetregion = UnicodeAttribute(null=True)
    profile = UnicodeAttribute(null=True)
    config = JSONAttribute(null=True)
    iotep = UnicodeAttribute(null=True)
    targets_to_clear: ListAttribute[Any] = ListAttribute(null=True, attr_name="previous")
    needs_commissioner = UnicodeAttribute(null=True, attr_name="turn")
    claimedby = UnicodeAttribute(null=True)
    claimedat = UnicodeAttribute(null=True)
    firstseen = UnicodeAttribute(null=True)
    lastseen = UnicodeAttribute(null=True)
    lobbyregion = UnicodeAttribute(null=True)
    clientversion = UnicodeAttribute(null=True)
    counted = UnicodeAttribute(null=True)
    presence_proof = UnicodeAttribute(null=True, attr_name="proof")
    code = UnicodeAttribute(null=True)
    failed_codes = NumberAttribute(null=True, attr_name="failed_codes")
    shows_code = BooleanAttribute(null=True, attr_name="shows")


class HistoryRow(Model):
    """One entry of a device's history. Only ever put, on condition that it is not there."""

    class Meta(_Calls):
        table_name = "device-lobby-history"

    certid = UnicodeAttribute(hash_key=True)
    seq = NumberAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    before = UnicodeAttribute(null=True)
    after = UnicodeAttribute(null=True)
    generation = NumberAttribute()
    reason = UnicodeAttribute(null=True)
    target = UnicodeAttribute(null=True)
    prior = UnicodeAttribute()
    hash = UnicodeAttribute()


class NameRow(Model):
    """Which certificate holds a thing name: two with one CN can never share a thing."""

    class Meta(_Calls):
        table_name = "device-lobby-names"

    devicename = UnicodeAttribute(hash_key=True)
    certid = UnicodeAttribute()


class TargetRow(Model):
    """An account and Region that devices may be sent to (one partition: there are few, and all are listed), or,
    of kind `account`, what the targets of one account share: the ExternalId."""

    class Meta(_Calls):
        table_name = "device-lobby-targets"

    kind = UnicodeAttribute(hash_key=True, default="target")
    target = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    externalid = UnicodeAttribute()
    profiles: ListAttribute[Any] = ListAttribute()
    presence = BooleanAttribute(null=True)
    createdby = UnicodeAttribute()
    createdat = UnicodeAttribute()


class CountRow(Model):
    """A part of how many devices are in a bucket (one partition: there are few, and all are read together). It may
    be below zero: a device may be counted in by one part and out by another. The sum of the parts is the count."""

    class Meta(_Calls):
        table_name = "device-lobby-counts"

    kind = UnicodeAttribute(hash_key=True, default="devices")
    bucket = UnicodeAttribute(range_key=True)
    number = NumberAttribute(attr_name="count")


class RoundRow(Model):
    """How far a round has come that takes a timer's Lambda several runs: what it needs to go on."""

    class Meta(_Calls):
        table_name = "device-lobby-rounds"

    name = UnicodeAttribute(hash_key=True)
    place = JSONAttribute()


MODELS: tuple[type[Model], ...] = (LedgerRow, HistoryRow, NameRow, TargetRow, CountRow, RoundRow)


def attributes_of(device: Device) -> dict[str, Any]:
    """The item of a device, without what is absent."""
    target = device.target
    found: dict[str, Any] = {
        name: getattr(device, name)
        for name in Device.__dataclass_fields__
        if name not in ("target", "targets_to_clear", "needs_commissioner", "devstate")
    }
    found |= {
        "printhead": device.certid[:PRINT_HEAD],
        "kind": KIND,
        "devstate": device.devstate.value,
        "namehead": device.devicename[:NAME_HEAD] if device.devicename else None,
        "target": str(target) if target else None,
        "targetaccount": target.account if target else None,
        "targetregion": target.region if target else None,
        "targets_to_clear": [str(left) for left in device.targets_to_clear] or None,
        "needs_commissioner": COMMISSIONER if device.needs_commissioner else None,
        "presence_proof": device.presence_proof.value if device.presence_proof else None,
        "failed_codes": device.failed_codes or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def device_of(row: LedgerRow) -> Device:
    """A device from its item, whole or as an index projects it."""
    values: dict[str, Any] = {
        name: value for name in Device.__dataclass_fields__ if (value := getattr(row, name, None)) is not None
    }
    values |= {"devstate": State(row.devstate), "needs_commissioner": row.needs_commissioner is not None}
    for number in ("version", "generation", "failed_codes"):
        values[number] = int(values.get(number, 0))
    if row.presence_proof is not None:
        values["presence_proof"] = PresenceProof(row.presence_proof)
    if row.target is not None:
        values["target"] = parse_target_key(row.target)
    values["targets_to_clear"] = tuple(parse_target_key(left) for left in row.targets_to_clear or ())
    return Device(**values)


def device_of_image(image: dict[str, Any]) -> Device:
    """A device from the image in a stream record (DynamoDB's own JSON)."""
    row = LedgerRow()
    row.deserialize(image)
    return device_of(row)


def entry_of(row: HistoryRow) -> Entry:
    values: dict[str, Any] = {name: getattr(row, name) for name in Entry.__dataclass_fields__}
    values |= {"seq": int(row.seq), "generation": int(row.generation), "event": Event(row.event)}
    values |= {side: State(values[side]) if values[side] else None for side in ("before", "after")}
    return Entry(**values)


def entry_of_item(item: dict[str, Any]) -> Entry | Unreadable:
    """An entry from its item in DynamoDB's own JSON, also where other hands have been at it."""
    number, strange = str(item["seq"]["N"]), sorted(set(item) - set(HistoryRow.get_attributes()))
    try:
        entry = entry_of(HistoryRow.from_raw_data(item))
    except (ValueError, TypeError) as fault:
        return Unreadable(int(float(number)), str(fault)[:200])
    if strange or number != str(entry.seq):
        why = f"got number {number} and beside an entry's attributes {strange or 'none'}, want a whole one, and none"
        return Unreadable(entry.seq, why[:200])
    return entry


def row_of(entry: Entry) -> HistoryRow:
    values: dict[str, Any] = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    values = {name: str(value) if isinstance(value, State | Event) else value for name, value in values.items()}
    return HistoryRow(**values)
