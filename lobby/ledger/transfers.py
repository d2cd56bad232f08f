"""The devices that have a transfer in one step, page by page: those of one offer together, in the order of offers' ids.

A page is one query of a sparse index, and the rows of its keys. It can have fewer devices than requested although the
list continues, because the index can lag behind the rows by some milliseconds.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from lobby import strict_json
from lobby.domain.device import Device
from lobby.domain.transfer import TransferStep, parse_offer_id
from lobby.errors import InvalidInput
from lobby.ledger.items import device_of
from lobby.ledger.listing import MAX_PAGE
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, parse_fingerprint, shown

_KEYS = ("offer", "certid")


@dataclass(frozen=True)
class TransferPage:
    """A page of devices, and the cursor of the next page (None: this is the last)."""

    devices: tuple[Device, ...]
    cursor: str | None


def transfers(step: TransferStep, offer: str | None, count: int, cursor: str | None) -> TransferPage:
    """Return a page of the devices in a step, and of one offer if it is given. Raise `InvalidInput` INVALID_OFFER,
    INVALID_COUNT or INVALID_CURSOR."""
    if not 1 <= count <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_PAGE}")
    query = LedgerRow.by_transfer.query(
        step.value,
        LedgerRow.offer == parse_offer_id(offer) if offer is not None else None,
        page_size=count,
        last_evaluated_key=_start_key(step, offer, cursor) if cursor else None,
    )
    response: dict[str, Any] = next(query.page_iter)
    keys = [Fingerprint(item["certid"]["S"]) for item in response["Items"]]
    rows = {row.certid: device_of(row) for row in LedgerRow.batch_get(keys)} if keys else {}
    found = tuple(row for key in keys if (row := rows.get(key)) is not None and _is_in(row, step))
    last = response.get("LastEvaluatedKey")
    return TransferPage(found, _encode(step, offer, last) if last else None)


def _is_in(device: Device, step: TransferStep) -> bool:
    return device.transfer is not None and device.transfer.step is step


def _encode(step: TransferStep, offer: str | None, last: dict[str, Any]) -> str:
    body = {"step": step.value, "of": offer, **{name: last[name]["S"] for name in _KEYS}}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def _start_key(step: TransferStep, offer: str | None, cursor: str) -> dict[str, Any]:
    try:
        body = strict_json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if set(body) == {"step", "of", *_KEYS} and (body["step"], body["of"]) == (step.value, offer):
            keys = {"certid": parse_fingerprint(body["certid"]), "offer": parse_offer_id(body["offer"])}
            if offer is None or keys["offer"] == offer:
                return {name: {"S": text} for name, text in {**keys, "transferring": step.value}.items()}
    except (ValueError, TypeError, RecursionError, binascii.Error, InvalidInput):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")
