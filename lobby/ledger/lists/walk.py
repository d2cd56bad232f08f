"""Reads all devices for the daily job, page by page, with an eventually consistent scan of the table.

A scan costs an eighth of a read unit for each device, once a day (docs/costs.md). An index of the certificates' ages
would cost a write unit for each admission, and more when a profile changes.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from lobby.domain.device import Device
from lobby.domain.identity import last_day, load_certificate
from lobby.errors import IdentityRefused
from lobby.ledger.certificates import read_pems
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow

PAGE: Final = 500
_NEVER: Final = "9999-12-31"


@dataclass(frozen=True)
class WalkPage:
    """Devices, and the start key of the next page (None: this is the last)."""

    devices: list[Device]
    next_key: dict[str, Any] | None


def walk(start_key: dict[str, Any] | None) -> WalkPage:
    """Return the next devices in no order, each with the date on which its certificate expires."""
    rows = LedgerRow.scan(page_size=PAGE, limit=PAGE, last_evaluated_key=start_key)
    return WalkPage(_with_expiry([device_of(row) for row in rows]), rows.last_evaluated_key)


def _with_expiry(devices: list[Device]) -> list[Device]:
    """Return the devices. Rows of earlier versions have no expiry date, so it is read from the certificate."""
    undated = [device.current for device in devices if device.has_certificate and device.expires is None]
    dates = {certid: _last_day(pem) for certid, pem in read_pems(undated).items()}
    return [replace(each, expires=each.expires or dates.get(each.current)) for each in devices]


def _last_day(pem: str) -> str:
    """Return the certificate's last day, or `_NEVER` if the certificate cannot be read."""
    try:
        return last_day(load_certificate(pem))
    except IdentityRefused:
        return _NEVER
