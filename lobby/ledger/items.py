"""Conversions between the rows of the tables and the values of the domain.

Values of earlier versions stay readable. An invalid history entry is returned as `Unreadable`, because a verification
must report it instead of failing.
"""

from typing import Any

from lobby.domain.claims.claim_defaults import ClaimDefaults
from lobby.domain.connections.clones import CLONE_SUSPECTED, Suspicion
from lobby.domain.device import Device, Entry, PresenceProof, Priority
from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.history.history_audit import Unreadable
from lobby.domain.lanes.lane import turn_of
from lobby.domain.shadows.shadow_choices import parse_shadows
from lobby.domain.standby.standby import parse_standby
from lobby.domain.states import Event, State
from lobby.domain.transfers.transfer import Transfer
from lobby.ledger.indexes import NAME_HEAD, PRINT_HEAD, RENEWING
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint, ThingName, parse_target_key


def attributes_of(device: Device) -> dict[str, Any]:
    """Return the attributes of a device's row, without empty ones, and without a certificate that is in its own table.
    If a suspected device has no other reason, the suspicion becomes its reason, so that lists show it."""
    target, name = device.target, indexed_name(device)
    attributes: dict[str, Any] = {
        name: getattr(device, name)
        for name in Device.__dataclass_fields__
        if name not in ("target", "targets_to_clear", "needs_commissioner", "turn", "devstate", "pending_pem")
    }
    attributes |= {
        "printhead": device.certid[:PRINT_HEAD],
        "devstate": device.devstate.value,
        "devicecert": None if device.certified else device.devicecert,
        "certified": device.certified or None,
        "devicename": name,
        "namehead": name[:NAME_HEAD] if name else None,
        "target": str(target) if target else None,
        "targetaccount": target.account if target else None,
        "targetregion": target.region if target else None,
        "targets_to_clear": [str(left) for left in device.targets_to_clear] or None,
        "needs_commissioner": (device.turn or turn_of(device)) if device.needs_commissioner else None,
        "priority": device.priority.value if device.priority is not Priority.SINGLE else None,
        "presence_proof": device.presence_proof.value if device.presence_proof else None,
        "failed_codes": device.failed_codes or None,
        "fallbacks": device.fallbacks or None,
        "renewal": RENEWING if device.renew_by else None,
        "retiring": list(device.retiring) or None,
        "standby": str(device.standby) if device.standby else None,
        "thing_settings": device.thing_settings.encode() if device.thing_settings else None,
        "claim_defaults": device.claim_defaults.encode() if device.claim_defaults else None,
        "suspicion": device.suspicion.encode() if device.suspicion else None,
        "reason": device.reason or (CLONE_SUSPECTED if device.is_suspected else None),
        "reactivate": device.reactivate or None,
        "shadows": str(device.shadows) if device.shadows else None,
        "transfer": device.transfer.encode() if device.transfer else None,
        "transferring": device.transfer.step.value if device.transfer else None,
        "offer": device.transfer.offer if device.transfer else None,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def indexed_name(device: Device) -> ThingName | None:
    """Return the name by which a device is found. Before its first connection, this is the name that its claim
    expects."""
    return device.devicename or (device.expected_name if device.devstate is State.EXPECTED else None)


def device_of(row: LedgerRow) -> Device:
    """Return the device of a row, which has all attributes or only those of an index."""
    values: dict[str, Any] = {
        name: value for name in Device.__dataclass_fields__ if (value := getattr(row, name, None)) is not None
    }
    values |= {"devstate": State(row.devstate), "needs_commissioner": row.needs_commissioner is not None}
    values |= {"turn": row.needs_commissioner, "priority": Priority(int(row.priority or Priority.SINGLE))}
    for number in ("version", "generation", "failed_codes", "fallbacks"):
        values[number] = int(values.get(number, 0))
    if row.presence_proof is not None:
        values["presence_proof"] = PresenceProof(row.presence_proof)
    if row.target is not None:
        values["target"] = parse_target_key(row.target)
    if values["devstate"] is State.EXPECTED:  # an index has only this attribute for the name
        values["expected_name"] = values.get("expected_name") or values.pop("devicename", None)
        values["devicename"] = None
    values["standby"] = parse_standby(row.standby) if row.standby else None
    values["thing_settings"] = ThingSettings.decode(row.thing_settings) if row.thing_settings else None
    values["claim_defaults"] = ClaimDefaults.decode(row.claim_defaults) if row.claim_defaults else None
    values["suspicion"] = Suspicion.decode(row.suspicion) if row.suspicion else None
    values["reactivate"] = bool(row.reactivate)
    values["shadows"] = parse_shadows(row.shadows) if row.shadows else None
    values["transfer"] = Transfer.decode(row.transfer) if row.transfer else None
    values["retiring"] = tuple(map(Fingerprint, row.retiring or ()))
    values["targets_to_clear"] = tuple(parse_target_key(left) for left in row.targets_to_clear or ())
    return Device(**values)


def device_of_image(image: dict[str, Any]) -> Device:
    """Return the device of an image in a stream record (DynamoDB JSON)."""
    row = LedgerRow()
    row.deserialize(image)
    return device_of(row)


def entry_of(row: HistoryRow) -> Entry:
    values: dict[str, Any] = {name: getattr(row, name) for name in Entry.__dataclass_fields__}
    values |= {"seq": int(row.seq), "generation": int(row.generation), "event": Event(row.event)}
    values |= {side: State(values[side]) if values[side] else None for side in ("before", "after")}
    return Entry(**values)


def entry_of_item(item: dict[str, Any]) -> Entry | Unreadable:
    """Return the entry of an item in DynamoDB JSON, or `Unreadable` if the item was modified."""
    number, unknown = str(item["seq"]["N"]), sorted(set(item) - set(HistoryRow.get_attributes()))
    try:
        entry = entry_of(HistoryRow.from_raw_data(item))
    except (ValueError, TypeError) as error:
        return Unreadable(int(float(number)), str(error)[:200])
    if unknown or number != str(entry.seq):
        why = f"got number {number} and unknown attributes {unknown or 'none'}, want a whole number and none"
        return Unreadable(entry.seq, why[:200])
    return entry


def row_of(entry: Entry) -> HistoryRow:
    values: dict[str, Any] = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    values = {name: str(value) if isinstance(value, State | Event) else value for name, value in values.items()}
    return HistoryRow(**values)
