"""Devices that have been in a state for too long, oldest first, a bounded page at a time; for the sweeper.

Each function is one query of an index; none reads the whole ledger. Times are formatted by `clock.timestamp`. Index
reads are eventually consistent, so a caller reads the row again before it changes anything.
"""

from dataclasses import dataclass
from typing import Any, Final

from pynamodb.pagination import ResultIterator

from lobby.domain.states import State
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, Region

StartKey = dict[str, Any]
"""The exclusive start key of a DynamoDB query."""
_EPOCH: Final = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class OverdueRow:
    """A device, with the attributes that the index projects."""

    certid: Fingerprint
    devstate: State
    enteredat: str
    reason: str | None = None
    lobbyregion: Region | None = None

    @property
    def by_state_key(self) -> "StartKey":
        """Return the start key of the rows after this one in `by-state`."""
        return self._start_key("devstate", self.devstate.value)

    def _start_key(self, key: str, value: str) -> "StartKey":
        keys = {"certid": self.certid, "enteredat": self.enteredat, key: value}
        return {name: {"S": text} for name, text in keys.items()}


@dataclass(frozen=True)
class OverduePage:
    """A page of rows, and the start key of the next page (None: this is the last)."""

    rows: tuple[OverdueRow, ...]
    next_key: StartKey | None


def entered(state: State, since: str, until: str, count: int, start_key: StartKey | None = None) -> OverduePage:
    """Return devices in `state` that entered it from `since` until before `until`."""
    rows = LedgerRow.by_state.query(
        state.value,
        LedgerRow.enteredat.between(since or _EPOCH, until),
        page_size=count,
        limit=count,
        last_evaluated_key=start_key,
    )
    return _page(rows)


def _page(rows: ResultIterator[LedgerRow]) -> OverduePage:
    page = tuple(
        OverdueRow(
            Fingerprint(row.certid),
            State(row.devstate),
            row.enteredat,
            getattr(row, "reason", None),
            getattr(row, "lobbyregion", None),
        )
        for row in rows
    )
    return OverduePage(page, rows.last_evaluated_key)
