"""Writes and reads the activity log.

A page is one query of one partition, or a few if other conditions exclude many entries.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lobby.domain.events.activity import Activity, ActivityFilter, partitions_of
from lobby.ledger.activity.activity_rows import ActivityRow, activity_of, row_of
from lobby.ledger.lists.cursors import require_place

MAX_PAGE: Final = 100
_QUERIES: Final = 5
"""The maximum number of queries for one page. The page can then have fewer entries than requested, although more
exist."""
_SEARCHED: Final = 500
"""Entries that a query reads if only a part of its partition may match. Large, because a campaign can write thousands
of entries in a row."""
_FIRST, _LAST = "0", "9999~"
"""Before and after every time."""


class ActivityLog:
    """The log of all devices."""

    def record(self, activities: Iterable[Activity]) -> None:
        """Write entries; writing one again changes nothing. Raise `PutError` or `ClientError`."""
        rows = [row_of(activity, partition) for activity in activities for partition in partitions_of(activity)]
        if rows:
            with ActivityRow.batch_write() as batch:
                for row in rows:
                    batch.save(row)

    def page(
        self, wanted: ActivityFilter, count: int, before: str | None = None
    ) -> tuple[Sequence[Activity], str | None]:
        """Return up to `count` entries, the newest first. If there may be more, also return the place of the last entry
        that was read, for use as `before`. Raise `InvalidInput` INVALID_CURSOR."""
        found: list[Activity] = []
        upper = min(require_place(before) if before else _LAST, wanted.until or _LAST)
        size = max(count, _SEARCHED) if wanted.is_partial else count
        for _ in range(_QUERIES):
            rows = self._older(wanted, upper, size)
            for row in rows:
                activity = activity_of(row)
                if wanted.matches(activity):
                    found.append(activity)
                if len(found) == count:
                    return found, row.place
            if len(rows) < size:
                return found, None
            upper = rows[-1].place
        return found, upper

    @staticmethod
    def _older(wanted: ActivityFilter, upper: str, count: int) -> list[ActivityRow]:
        """Return up to `count` rows whose place is below `upper`, the newest first."""
        place: Any = ActivityRow.place
        lower = wanted.since or _FIRST
        if upper < lower:  # the cursor of a query with another period
            return []
        # `between` includes its upper end, so `upper` itself is read again and left out.
        condition = place.between(lower, upper)
        rows = ActivityRow.query(wanted.partition, condition, limit=count + 1, scan_index_forward=False)
        return [row for row in rows if row.place < upper][:count]
