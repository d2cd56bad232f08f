"""Questions about many devices, each answered by queries of an index: never by a scan.

A page costs one query, save where a list of all devices passes from one state to the next. A cursor is the
place where the last page ended; it carries the question's name, so that it cannot be used for another.
Index reads are eventually consistent: a device may show under its former state for some milliseconds.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

from pynamodb.expressions.condition import Condition
from pynamodb.pagination import ResultIterator

from lobby.errors import InvalidInput
from lobby.ledger.device import Device
from lobby.ledger.models import NAME_HEAD, LedgerRow, device_of
from lobby.ledger.states import State
from lobby.names import Target, shown

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100
_SIFTED: Final = 500
"""How many entries one query looks at where a filter sifts them: a page may come back short, with a cursor."""
_KEYS: Final = {
    "state": ("certid", "devstate", "enteredat"),
    "target": ("certid", "target", "enteredat"),
    "name": ("certid", "namehead", "devicename"),
}
_ORDER: Final = (
    State.INLOBBY, State.KNOCKING, State.FAILED, State.CLAIMED, State.COMMISSIONED,
    State.EXPECTED, State.ARRIVED, State.REFUSED, State.REVOKED,
)  # fmt: skip
"""The order in which a list of all devices goes through the states: who needs somebody comes first."""


@dataclass(frozen=True)
class Filter:
    """Which devices: of a state, claimed for a target, with a name that begins so; all that are given hold."""

    state: State | None = None
    target: Target | None = None
    name_prefix: str | None = None

    def __post_init__(self) -> None:
        prefix = self.name_prefix
        if prefix is not None and not NAME_HEAD <= len(prefix) <= 128:
            raise InvalidInput("INVALID_PREFIX", f"got {shown(prefix)}, want {NAME_HEAD} to 128 characters of a name")


@dataclass(frozen=True)
class Page:
    """Some devices, and the cursor of the rest (None: there is no rest)."""

    devices: tuple[Device, ...]
    cursor: str | None


def devices(wanted: Filter, count: int = DEFAULT_PAGE, cursor: str | None = None) -> Page:
    """One page. Raises `InvalidInput`: INVALID_COUNT, INVALID_CURSOR or INVALID_PREFIX."""
    if not 1 <= count <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_PAGE}")
    place = _decode(cursor, wanted) if cursor else None
    if wanted != Filter():
        return _page(wanted, count, place, wanted)
    return _all_states(count, place)


def _all_states(count: int, place: dict[str, Any] | None) -> Page:
    found: list[Device] = []
    start = _ORDER.index(State(place["in"])) if place else 0
    for state in _ORDER[start:]:
        page = _page(
            Filter(state=state), count - len(found), place if place and place["in"] == state else None, Filter()
        )
        found += page.devices
        if page.cursor is not None:
            return Page(tuple(found), page.cursor)
        if len(found) == count and state is not _ORDER[-1]:
            return Page(tuple(found), _encode(Filter(), _ORDER[_ORDER.index(state) + 1], None))
    return Page(tuple(found), None)


def _page(wanted: Filter, count: int, place: dict[str, Any] | None, question: Filter) -> Page:
    index, rows = _query(wanted, count, place["key"] if place else None)
    answer: dict[str, Any] = next(rows.page_iter)
    items, key = answer["Items"], answer.get("LastEvaluatedKey")
    if len(items) > count:
        items = items[:count]
        key = {name: items[-1][name] for name in _KEYS[index]}
    found = tuple(device_of(LedgerRow.from_raw_data(item)) for item in items)
    return Page(found, _encode(question, wanted.state, key) if key else None)


def _query(wanted: Filter, count: int, key: dict[str, Any] | None) -> tuple[str, ResultIterator[LedgerRow]]:
    """The index that answers, and the query; only its first page is ever asked for."""
    page: dict[str, Any] = {"page_size": count, "last_evaluated_key": key, "scan_index_forward": False}
    of_state: Condition | None = LedgerRow.devstate == wanted.state.value if wanted.state else None
    if wanted.name_prefix:
        kept = of_state
        if wanted.target:
            of_target: Condition = LedgerRow.target == str(wanted.target)
            kept = of_target & of_state if of_state is not None else of_target
        page |= {"scan_index_forward": True, "page_size": count if kept is None else _SIFTED}
        begins = LedgerRow.devicename.startswith(wanted.name_prefix)
        return "name", LedgerRow.by_name.query(wanted.name_prefix[:NAME_HEAD], begins, filter_condition=kept, **page)
    if wanted.target:
        page["page_size"] = count if of_state is None else _SIFTED
        return "target", LedgerRow.by_target.query(str(wanted.target), filter_condition=of_state, **page)
    if wanted.state is None:
        raise AssertionError("an empty filter goes through the states")
    return "state", LedgerRow.by_state.query(wanted.state.value, **page)


def _encode(question: Filter, state: State | None, key: dict[str, Any] | None) -> str:
    body = {"q": _name_of(question), "in": state, "key": key}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def _decode(cursor: str, question: Filter) -> dict[str, Any]:
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if body["q"] == _name_of(question) and _is_place(body, question):
            return dict(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")


def _is_place(body: dict[str, Any], question: Filter) -> bool:
    """Whether the cursor is of this list. DynamoDB refuses a start key of another shape, or outside the query."""
    wanted = question if question != Filter() else Filter(state=State(body["in"]))
    if body["key"] is None:
        return question == Filter()
    key = {name: value["S"] for name, value in body["key"].items() if set(value) == {"S"}}
    if len(key) != len(body["key"]) or not all(isinstance(value, str) for value in key.values()):
        return False
    if wanted.name_prefix:
        within = key["namehead"] == wanted.name_prefix[:NAME_HEAD] and key["devicename"].startswith(wanted.name_prefix)
        return within and set(key) == set(_KEYS["name"])
    if wanted.target:
        return key["target"] == str(wanted.target) and set(key) == set(_KEYS["target"])
    return key["devstate"] == wanted.state and set(key) == set(_KEYS["state"])


def _name_of(question: Filter) -> str:
    return f"{question.state or ''}|{question.target or ''}|{question.name_prefix or ''}"
