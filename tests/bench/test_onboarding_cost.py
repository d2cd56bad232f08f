"""The requests and units of one onboarding, as `python -m tests.bench.onboarding_cost` counts and prices them."""

import pytest

from tests.bench.onboarding_count import WRITE_UNIT, Schema, count

AT_MOST: dict[str, float] = {
    "write_units": 61,
    "read_units": 12,
    "puts": 2,
    "registry": 5,
    "events": 1,
    "runs": 12,
    "queue_requests": 6,
    "fifo_requests": 3,
    "log_lines": 4,
}
"""Of the write units, two are of the lease in the queue, two of the lane's lease, two of the connections and
three of the activity log."""
LEDGER = "device-lobby-ledger"
ROW = {"certid": "ab" * 32, "devstate": "inlobby", "enteredat": "2026-11-29T12:00:00.000Z", "version": "1"}


@pytest.mark.slow
def test_an_onboarding_stays_within_its_requests_and_units() -> None:
    total = count()["total"]
    assert {name: total[name] for name, most in AT_MOST.items() if total[name] > most} == {}


def row(**changes: str | None) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in {**ROW, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, row(), 1 + 1),
        (row(), row(lastseen="now"), 1),
        (row(), row(version="2"), 1 + 1),
        (row(), row(devstate="claimed"), 1 + 2),
        (row(), row(devstate="claimed", target="T"), 1 + 2 + 1),
        (row(turn="commissioner"), row(), 1 + 1 + 1),
        (row(), row(message="x" * WRITE_UNIT), 2),
        (row(message="x" * WRITE_UNIT), row(), 2),
        (row(), None, 1 + 1),
    ],
    ids=["new", "not projected", "projected", "key", "second index", "left index", "larger", "smaller", "removed"],
)
def test_a_write_is_billed_with_the_index_entries_that_it_changes(
    before: dict[str, dict[str, str]] | None, after: dict[str, dict[str, str]] | None, units: int
) -> None:
    assert Schema().write_units(LEDGER, before, after, transactional=False) == units


def test_a_transaction_writes_the_item_twice_and_the_indexes_once() -> None:
    assert Schema().write_units(LEDGER, row(), row(devstate="claimed"), transactional=True) == 2 + 2
