"""Who has been where they are for too long: what the sweeper asks, a bounded part at a time, oldest first.

Each answer is one query of an index that holds those only, or begins with them; none looks at the whole ledger.
Moments are as `store.timestamp` writes them. Index reads are eventually consistent: whoever acts upon one looks again.
"""

from dataclasses import dataclass
from typing import Any, Final

from pynamodb.pagination import ResultIterator

from lobby.domain.states import State
from lobby.ledger.models import COMMISSIONER, LedgerRow
from lobby.names import Fingerprint

StartKey = dict[str, Any]
"""Where a query stopped, as DynamoDB tells it."""


@dataclass(frozen=True)
class OverdueRow:
    """A device in an index."""

    certid: Fingerprint
    devstate: State
    enteredat: str
    reason: str | None = None

    @property
    def by_state_key(self) -> "StartKey":
        """Just behind it among those of its state."""
        return self._behind("devstate", self.devstate.value)

    @property
    def by_turn_key(self) -> "StartKey":
        """Just behind it among those whose turn it is."""
        return self._behind("turn", COMMISSIONER)

    def _behind(self, key: str, value: str) -> "StartKey":
        keys = {"certid": self.certid, "enteredat": self.enteredat, key: value}
        return {name: {"S": text} for name, text in keys.items()}


@dataclass(frozen=True)
class OverduePage:
    """Some of them, and where to go on (None: that was the end)."""

    rows: tuple[OverdueRow, ...]
    next_key: StartKey | None


_EPOCH: Final = "1970-01-01T00:00:00.000Z"


def unserved(before: str, count: int, start_key: StartKey | None) -> OverduePage:
    """Rows whose turn it is, in their state since before a moment."""
    rows = LedgerRow.by_turn.query(
        COMMISSIONER, LedgerRow.enteredat < before, page_size=count, limit=count, last_evaluated_key=start_key
    )
    return _part(rows)


def entered(state: State, since: str, until: str, count: int, start_key: StartKey | None = None) -> OverduePage:
    """Devices that are in a state which they entered from `since` on, and until before `until`."""
    rows = LedgerRow.by_state.query(
        state.value,
        LedgerRow.enteredat.between(since or _EPOCH, until),
        page_size=count,
        limit=count,
        last_evaluated_key=start_key,
    )
    return _part(rows)


def _part(rows: ResultIterator[LedgerRow]) -> OverduePage:
    found = tuple(
        OverdueRow(Fingerprint(row.certid), State(row.devstate), row.enteredat, getattr(row, "reason", None))
        for row in rows
    )
    return OverduePage(found, rows.last_evaluated_key)
