"""Lists of devices, page by page. Each page is one query of an index, never a scan.

A cursor contains the start key of the next page, and the filter, so that it is rejected with another filter. Index
reads are eventually consistent: a device can appear with its former state for some milliseconds.
"""

import base64
import binascii
import json
import operator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from pynamodb.pagination import ResultIterator

from lobby import strict_json
from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.ledger.index_plan import Filter, IndexPlan, conditions, is_within, plan_for
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow
from lobby.names import shown

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "Filter", "Page", "devices"]

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100
_EVALUATED: Final = 500
"""Rows that a query with a filter condition evaluates: a page can have fewer devices, and still a cursor."""


@dataclass(frozen=True)
class Page:
    """A page of devices, and the cursor of the next page (None: this is the last)."""

    devices: tuple[Device, ...]
    cursor: str | None


def devices(wanted: Filter, count: int = DEFAULT_PAGE, cursor: str | None = None) -> Page:
    """Return a page of devices. Raise `InvalidInput` INVALID_COUNT or INVALID_CURSOR."""
    if not 1 <= count <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_PAGE}")
    plan = plan_for(wanted)
    key = _decode(cursor, wanted) if cursor else None
    response: dict[str, Any] = next(_query(plan, wanted, count, key).page_iter)
    items, last = response["Items"], response.get("LastEvaluatedKey")
    if len(items) > count:
        items = items[:count]
        last = {name: items[-1][name] for name in plan.keys}
    page = tuple(device_of(LedgerRow.from_raw_data(item)) for item in items)
    return Page(page, _encode(wanted, last) if last else None)


def _query(plan: IndexPlan, wanted: Filter, count: int, key: dict[str, Any] | None) -> ResultIterator[LedgerRow]:
    """Only the first page of the result is read."""
    rest = conditions(wanted)
    range_condition = rest.pop(plan.range_field, None)
    rest.pop(plan.hash_field or "", None)
    filter_condition = reduce(operator.and_, rest.values()) if rest else None
    rows: ResultIterator[LedgerRow] = plan.index.query(
        plan.partition(wanted),
        range_condition,
        filter_condition=filter_condition,
        page_size=count if filter_condition is None else _EVALUATED,
        last_evaluated_key=key,
        scan_index_forward=plan.forward,
    )
    return rows


def _encode(wanted: Filter, key: dict[str, Any]) -> str:
    body = {"q": wanted.as_list(), "key": key}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def _decode(cursor: str, wanted: Filter) -> dict[str, Any]:
    try:
        body = strict_json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if body["q"] == wanted.as_list() and _is_start_key(body["key"], wanted):
            return dict(body["key"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, InvalidInput):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")


def _is_start_key(key: dict[str, Any], wanted: Filter) -> bool:
    """Return whether a page of this list can start at `key`."""
    texts = {name: value["S"] for name, value in key.items() if set(value) == {"S"}}
    if len(texts) != len(key) or not all(isinstance(text, str) for text in texts.values()):
        return False
    return is_within(texts, wanted)
