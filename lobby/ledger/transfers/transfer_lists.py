"""The devices that have a transfer in one step, page by page: those of one offer together, in the order of offers' ids.

A page is one query of a sparse index, and the rows of its keys. It can have fewer devices than requested although the
list continues, because the index can lag behind the rows by some milliseconds.
"""

from dataclasses import dataclass
from typing import Any

from lobby.domain.device import Device
from lobby.domain.transfers.transfer import TransferStep, parse_offer_id
from lobby.ledger.lists import cursors
from lobby.ledger.lists.listing import Page, require_count
from lobby.ledger.lists.page_reads import rows_of
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, parse_fingerprint

_KEYS = ("offer", "certid")


@dataclass(frozen=True)
class KeyPage:
    """A page of rows' keys, and the cursor of the next page (None: this is the last)."""

    certids: tuple[Fingerprint, ...]
    cursor: str | None


def transfers(step: TransferStep, offer: str | None, count: int, cursor: str | None) -> Page:
    """Return a page of the devices in a step, and of one offer if it is given. Raise `InvalidInput` INVALID_OFFER,
    INVALID_COUNT or INVALID_CURSOR."""
    page = transfer_keys(step, offer, count, cursor)
    rows = rows_of(page.certids)
    found = tuple(row for key in page.certids if (row := rows.get(key)) is not None and _is_in(row, step))
    return Page(found, page.cursor)


def transfer_keys(step: TransferStep, offer: str | None, count: int, cursor: str | None) -> KeyPage:
    """Return the keys of a page, for a caller that reads the rows one by one, because one may be unreadable. Raise as
    `transfers`."""
    require_count(count)
    query = LedgerRow.by_transfer.query(
        step.value,
        LedgerRow.offer == parse_offer_id(offer) if offer is not None else None,
        page_size=count,
        last_evaluated_key=_start_key(step, offer, cursor) if cursor else None,
    )
    response: dict[str, Any] = next(query.page_iter)
    last = response.get("LastEvaluatedKey")
    certids = tuple(Fingerprint(item["certid"]["S"]) for item in response["Items"])
    return KeyPage(certids, _encode(step, offer, last) if last else None)


def _is_in(device: Device, step: TransferStep) -> bool:
    return device.transfer is not None and device.transfer.step is step


def _encode(step: TransferStep, offer: str | None, last: dict[str, Any]) -> str:
    return cursors.encode({"step": step.value, "of": offer, **{name: last[name]["S"] for name in _KEYS}})


def _start_key(step: TransferStep, offer: str | None, cursor: str) -> dict[str, Any]:
    def key_of(body: Any) -> dict[str, Any] | None:
        if set(body) != {"step", "of", *_KEYS} or (body["step"], body["of"]) != (step.value, offer):
            return None
        keys = {"certid": parse_fingerprint(body["certid"]), "offer": parse_offer_id(body["offer"])}
        if offer is not None and keys["offer"] != offer:
            return None
        return {name: {"S": text} for name, text in {**keys, "transferring": step.value}.items()}

    return cursors.decode(cursor, key_of)
