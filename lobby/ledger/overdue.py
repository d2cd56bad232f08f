"""Who has been where they are for too long: what the sweeper asks, a bounded part at a time, oldest first.

Each answer is one query of an index that holds those only, or begins with them; none looks at the whole ledger.
Moments are as `store.stamp` writes them. Index reads are eventually consistent: whoever acts upon one looks again.
"""

from dataclasses import dataclass
from typing import Any, Final

from pynamodb.pagination import ResultIterator

from lobby.domain.states import State
from lobby.ledger.models import COMMISSIONER, LedgerRow
from lobby.names import Fingerprint

Place = dict[str, Any]
"""Where a query stopped, as DynamoDB tells it."""


@dataclass(frozen=True)
class Found:
    """A device in an index."""

    certid: Fingerprint
    devstate: State
    enteredat: str
    reason: str | None = None

    @property
    def in_state(self) -> "Place":
        """Just behind it among those of its state."""
        return self._behind("devstate", self.devstate.value)

    @property
    def in_turn(self) -> "Place":
        """Just behind it among those whose turn it is."""
        return self._behind("turn", COMMISSIONER)

    def _behind(self, key: str, value: str) -> "Place":
        keys = {"certid": self.certid, "enteredat": self.enteredat, key: value}
        return {name: {"S": text} for name, text in keys.items()}


@dataclass(frozen=True)
class Part:
    """Some of them, and where to go on (None: that was the end)."""

    found: tuple[Found, ...]
    place: Place | None


_EPOCH: Final = "1970-01-01T00:00:00.000Z"


def unserved(before: str, count: int, place: Place | None) -> Part:
    """Rows whose turn it is, in their state since before a moment."""
    rows = LedgerRow.by_turn.query(
        COMMISSIONER, LedgerRow.enteredat < before, page_size=count, limit=count, last_evaluated_key=place
    )
    return _part(rows)


def entered(state: State, since: str, until: str, count: int, place: Place | None = None) -> Part:
    """Devices that are in a state which they entered from `since` on, and until before `until`."""
    rows = LedgerRow.by_state.query(
        state.value,
        LedgerRow.enteredat.between(since or _EPOCH, until),
        page_size=count,
        limit=count,
        last_evaluated_key=place,
    )
    return _part(rows)


def _part(rows: ResultIterator[LedgerRow]) -> Part:
    found = tuple(
        Found(Fingerprint(row.certid), State(row.devstate), row.enteredat, getattr(row, "reason", None)) for row in rows
    )
    return Part(found, rows.last_evaluated_key)
