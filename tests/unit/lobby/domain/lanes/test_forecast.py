"""The forecast of a waiting device: when it will be commissioned, and the cause of the wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lobby.domain.device import Priority
from lobby.domain.lanes.forecast import Backlog, devices_before, forecast
from lobby.domain.lanes.lane import LOBBY
from lobby.domain.lanes.lane_state import LaneState

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FIRST, MIDDLE, LAST = "2026-11-29T10:00:00.000Z", "2026-11-29T10:30:00.000Z", "2026-11-29T11:00:00.000Z"
BACKLOG = Backlog(1001, FIRST, LAST)
OPEN = LaneState(LOBBY)


@pytest.mark.parametrize(
    ("since", "before"),
    [(FIRST, 0), (MIDDLE, 500), (LAST, 1000), ("2026-11-29T09:00:00.000Z", 0), ("2026-11-29T12:00:00.000Z", 1000)],
)
def test_the_position_of_a_bulk_claim_follows_from_its_time(since: str, before: int) -> None:
    assert devices_before(since, Priority.BULK, BACKLOG) == before


def test_a_single_claim_is_next_and_an_unknown_backlog_is_empty() -> None:
    assert devices_before(LAST, Priority.SINGLE, BACKLOG) == 0
    assert devices_before(LAST, Priority.BULK, Backlog(7)) == 0
    assert devices_before(FIRST, Priority.BULK, Backlog(7, FIRST, FIRST)) == 6


def test_the_time_follows_from_the_pace_and_the_words_name_the_quota() -> None:
    found = forecast(899, OPEN, 9.0, NOW)
    assert found.expected_at == NOW + timedelta(seconds=100)
    assert "899 devices before it at 9 per second" in found.waits_for
    assert "RegisterCertificateWithoutCA" in found.waits_for
    slow = forecast(899, replace(OPEN, pace=3.0), 9.0, NOW)
    assert slow.expected_at == NOW + timedelta(seconds=300)
    assert "below 9 since AWS throttled calls or the rate was raised" in slow.waits_for


def test_a_closed_lane_has_a_reason_and_no_time() -> None:
    paused = forecast(5, replace(OPEN, paused_by="user:ann", paused_at=FIRST), 9.0, NOW)
    silent = forecast(5, replace(OPEN, silent_since=FIRST), 9.0, NOW)
    assert (paused.expected_at, silent.expected_at) == (None, None)
    assert "paused by user:ann" in paused.waits_for
    assert f"not answered since {FIRST}" in silent.waits_for
