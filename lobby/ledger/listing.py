"""Lists of devices, page by page, each answered by one query of an index: never by a scan.

A cursor is the place where the last page ended; it carries the question, so that it cannot be used for another.
Index reads are eventually consistent: a device may show under its former state for some milliseconds.
"""

import base64
import binascii
import json
import operator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from pynamodb.pagination import ResultIterator

from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.ledger.index_plan import Filter, IndexPlan, conditions, is_within, plan_for
from lobby.ledger.models import LedgerRow, device_of
from lobby.names import shown

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "Filter", "Page", "devices"]

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100
_SIFTED: Final = 500
"""How many entries one query looks at where a filter sifts them: a page may come back short, with a cursor."""


@dataclass(frozen=True)
class Page:
    """Some devices, and the cursor of the rest (None: there is no rest)."""

    devices: tuple[Device, ...]
    cursor: str | None


def devices(wanted: Filter, count: int = DEFAULT_PAGE, cursor: str | None = None) -> Page:
    """One page. Raises `InvalidInput` INVALID_COUNT or INVALID_CURSOR."""
    if not 1 <= count <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_PAGE}")
    way = plan_for(wanted)
    key = _decode(cursor, wanted) if cursor else None
    answer: dict[str, Any] = next(_query(way, wanted, count, key).page_iter)
    items, last = answer["Items"], answer.get("LastEvaluatedKey")
    if len(items) > count:
        items = items[:count]
        last = {name: items[-1][name] for name in way.keys}
    found = tuple(device_of(LedgerRow.from_raw_data(item)) for item in items)
    return Page(found, _encode(wanted, last) if last else None)


def _query(way: IndexPlan, wanted: Filter, count: int, key: dict[str, Any] | None) -> ResultIterator[LedgerRow]:
    """Only its first page is ever asked for."""
    asked = conditions(wanted)
    if way.asked:
        del asked[way.asked]
    bound = conditions(wanted).get(way.part)
    asked.pop(way.part, None)
    sifts = reduce(operator.and_, asked.values()) if asked else None
    rows: ResultIterator[LedgerRow] = way.index.query(
        way.partition(wanted),
        bound,
        filter_condition=sifts,
        page_size=count if sifts is None else _SIFTED,
        last_evaluated_key=key,
        scan_index_forward=way.forward,
    )
    return rows


def _encode(question: Filter, key: dict[str, Any]) -> str:
    body = {"q": question.words(), "key": key}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def _decode(cursor: str, question: Filter) -> dict[str, Any]:
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if body["q"] == question.words() and _is_place(body["key"], question):
            return dict(body["key"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, InvalidInput):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")


def _is_place(key: dict[str, Any], question: Filter) -> bool:
    """Whether a page of this list can end there."""
    texts = {name: value["S"] for name, value in key.items() if set(value) == {"S"}}
    if len(texts) != len(key) or not all(isinstance(text, str) for text in texts.values()):
        return False
    return is_within(texts, question)
