"""Lists of devices, page by page. A page is read with queries of an index, never a scan.

A cursor contains where the next page begins, in which index, the filter, and the order, so that it is rejected with
another filter or order. Lists by the start of a name or fingerprint are sorted by name or fingerprint, lists by renewal
by its deadline, and all others by the time at which the devices entered their state. A list by renewal and by name or
fingerprint has the order of the index that answers it. Index reads are eventually consistent: for some milliseconds, a
device can appear with its former state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.ledger.lists import cursors
from lobby.ledger.lists.device_filter import Filter
from lobby.ledger.lists.index_plan import IndexPlan, ListPosition, candidates
from lobby.ledger.lists.page_reads import read_page
from lobby.ledger.lists.selectivity import choose

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "Filter", "Page", "devices"]

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100


@dataclass(frozen=True)
class Page:
    """A page of devices, and the cursor of the next page (None: this is the last)."""

    devices: tuple[Device, ...]
    cursor: str | None


def require_count(count: int) -> None:
    """Raise `InvalidInput` INVALID_COUNT for a page of no devices or of too many."""
    if not 1 <= count <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_PAGE}")


def devices(
    wanted: Filter, count: int = DEFAULT_PAGE, cursor: str | None = None, *, oldest_first: bool = False
) -> Page:
    """Return a page of devices. Raise `InvalidInput` INVALID_COUNT or INVALID_CURSOR."""
    require_count(count)
    order = {"order": "oldest"} if oldest_first else {}
    plan, start = _decode(cursor, wanted, order) if cursor else (choose(wanted), None)
    found, position = read_page(plan, wanted, count, start, oldest_first=oldest_first)
    return Page(tuple(found), _encode(wanted, plan, position, order) if position else None)


def _encode(wanted: Filter, plan: IndexPlan, position: ListPosition, order: Mapping[str, str]) -> str:
    return cursors.encode(
        {"q": wanted.as_list(), "index": plan.name, "value": position.value, "after": dict(position.after), **order}
    )


def _decode(cursor: str, wanted: Filter, order: Mapping[str, str]) -> tuple[IndexPlan, ListPosition]:
    def position_of(body: Any) -> tuple[IndexPlan, ListPosition] | None:
        is_whole = set(body) == {"q", "index", "value", "after", *order}
        if not (is_whole and body["q"] == wanted.as_list() and order.items() <= body.items()):
            return None
        plan = {each.name: each for each in candidates(wanted)}[body["index"]]
        position = ListPosition(body["value"], body["after"])
        return (plan, position) if _is_text(position) and plan.allows(wanted, position) else None

    return cursors.decode(cursor, position_of)


def _is_text(position: ListPosition) -> bool:
    return all(isinstance(text, str | None) for text in position.after.values()) and isinstance(position.value, str)
