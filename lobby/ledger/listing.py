"""Lists of devices, page by page, each answered by queries of an index: never by a scan.

A page costs one query, save where a list of all devices passes from one state to the next. A cursor is the
place where the last page ended; it carries the question, so that it cannot be used for another.
Index reads are eventually consistent: a device may show under its former state for some milliseconds.
"""

import base64
import binascii
import json
import operator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from pynamodb.pagination import ResultIterator

from lobby.errors import InvalidInput
from lobby.ledger.device import Device
from lobby.ledger.models import LedgerRow, device_of
from lobby.ledger.questions import Filter, Way, conditions, is_within, way_of
from lobby.ledger.states import State
from lobby.names import shown

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "Filter", "Page", "devices"]

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100
_SIFTED: Final = 500
"""How many entries one query looks at where a filter sifts them: a page may come back short, with a cursor."""
_ORDER: Final = (
    State.INLOBBY, State.KNOCKING, State.FAILED, State.CLAIMED, State.COMMISSIONED,
    State.EXPECTED, State.ARRIVED, State.REFUSED, State.REVOKED,
)  # fmt: skip
"""The order in which a list of all devices goes through the states: who needs somebody comes first."""


@dataclass(frozen=True)
class Page:
    """Some devices, and the cursor of the rest (None: there is no rest)."""

    devices: tuple[Device, ...]
    cursor: str | None


def devices(wanted: Filter, count: int = DEFAULT_PAGE, cursor: str | None = None) -> Page:
    """One page. Raises `InvalidInput` INVALID_COUNT or INVALID_CURSOR."""
    if not 1 <= count <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_PAGE}")
    place = _decode(cursor, wanted) if cursor else None
    if way_of(wanted) is not None:
        return _page(wanted, count, place, wanted)
    return _all_states(wanted, count, place)


def _all_states(wanted: Filter, count: int, place: dict[str, Any] | None) -> Page:
    found: list[Device] = []
    start = _ORDER.index(State(place["in"])) if place else 0
    for state in _ORDER[start:]:
        of_state = replace(wanted, state=state)
        page = _page(of_state, count - len(found), place if place and place["in"] == state else None, wanted)
        found += page.devices
        if page.cursor is not None:
            return Page(tuple(found), page.cursor)
        if len(found) == count and state is not _ORDER[-1]:
            return Page(tuple(found), _encode(wanted, _ORDER[_ORDER.index(state) + 1], None))
    return Page(tuple(found), None)


def _page(wanted: Filter, count: int, place: dict[str, Any] | None, question: Filter) -> Page:
    way = way_of(wanted)
    if way is None:
        raise AssertionError("what no index narrows is asked of each state")
    answer: dict[str, Any] = next(_query(way, wanted, count, place["key"] if place else None).page_iter)
    items, key = answer["Items"], answer.get("LastEvaluatedKey")
    if len(items) > count:
        items = items[:count]
        key = {name: items[-1][name] for name in way.keys}
    found = tuple(device_of(LedgerRow.from_raw_data(item)) for item in items)
    return Page(found, _encode(question, wanted.state, key) if key else None)


def _query(way: Way, wanted: Filter, count: int, key: dict[str, Any] | None) -> ResultIterator[LedgerRow]:
    """Only its first page is ever asked for."""
    asked = conditions(wanted)
    del asked[way.asked]
    bound = conditions(wanted).get(way.part)
    asked.pop(way.part, None)
    sifts = reduce(operator.and_, asked.values()) if asked else None
    rows: ResultIterator[LedgerRow] = way.index.query(
        way.partition(wanted), bound, filter_condition=sifts, page_size=count if sifts is None else _SIFTED,
        last_evaluated_key=key, scan_index_forward=way.forward,
    )  # fmt: skip
    return rows


def _encode(question: Filter, state: State | None, key: dict[str, Any] | None) -> str:
    body = {"q": question.words(), "in": state, "key": key}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def _decode(cursor: str, question: Filter) -> dict[str, Any]:
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if body["q"] == question.words() and _is_place(body, question):
            return dict(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, InvalidInput):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")


def _is_place(body: dict[str, Any], question: Filter) -> bool:
    """Whether the cursor is of this list. One of all devices may also stand at the beginning of a state."""
    walks = way_of(question) is None
    if body["key"] is None:
        return walks and State(body["in"]) in _ORDER
    key = {name: value["S"] for name, value in body["key"].items() if set(value) == {"S"}}
    if len(key) != len(body["key"]) or not all(isinstance(value, str) for value in key.values()):
        return False
    return is_within(key, replace(question, state=State(body["in"])) if walks else question)
