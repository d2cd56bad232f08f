"""Checks whether a row, read consistently, still matches a filter, because the indexes that answer filters lag behind.

A change of all devices that match a filter must not change a device that has just stopped matching.
"""

from collections.abc import Callable
from typing import Any, Final

from lobby.domain.device import Device
from lobby.ledger.items import indexed_name
from lobby.ledger.lists.device_filter import Filter, due_before

CHECKS: Final[dict[str, Callable[[Device, Any], bool]]] = {
    "state": lambda device, state: device.devstate is state,
    "target": lambda device, target: device.target == target,
    "name_prefix": lambda device, prefix: (indexed_name(device) or "").startswith(prefix),
    "fingerprint_prefix": lambda device, prefix: device.certid.startswith(prefix),
    "reason": lambda device, reason: device.reason == reason,
    "entered_before": lambda device, before: device.enteredat < before,
    "renewal": lambda device, status: device.renew_by is not None and device.renew_by < due_before(status),
}
"""The check of each field of `Filter`."""


def matches(wanted: Filter, device: Device) -> bool:
    given = ((check, getattr(wanted, name)) for name, check in CHECKS.items())
    return all(check(device, value) for check, value in given if value is not None)
