"""The budgets of claims: times relative to the target's rate, throttled calls, single claims."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bench.lanes.__main__ import is_within
from tests.bench.lanes.measurement import Figures, last_after

GOOD = Figures(
    devices=1000,
    both_devices=240,
    rate=9.0,
    commissioned=1240,
    failed=0,
    seconds=116.0,
    rate_limit=112.0,
    quota_limit=100.0,
    both_seconds=13.9,
    both_limit=13.3,
    throttled=60,
    billed_seconds=150.0,
    cold_ms=900,
    idle_ms=60,
    singles=20,
    single_same_ms=110,
    single_other_ms=70,
    single_slowest_ms=300,
)


@pytest.mark.parametrize(
    ("change", "goal"),
    [
        ({}, True),
        ({"seconds": None}, False),
        ({"seconds": 118.0}, False),
        ({"both_seconds": 14.1}, False),
        ({"both_devices": 0, "both_seconds": None, "throttled": 40}, True),
        ({"failed": 1}, False),
        ({"throttled": 70}, False),
        ({"single_same_ms": 121}, False),
        ({"single_other_ms": 121}, False),
    ],
    ids=str,
)
def test_the_goal_is_to_meet_all_budgets(change: dict[str, Any], goal: bool) -> None:
    assert is_within(replace(GOOD, **change)) is goal


def test_a_bulk_claim_ends_when_the_ledger_records_the_last_device() -> None:
    began = datetime(2026, 11, 30, tzinfo=UTC)
    assert last_after(began, [began + timedelta(seconds=each) for each in (3, 12.34, 5)]) == 12.3
