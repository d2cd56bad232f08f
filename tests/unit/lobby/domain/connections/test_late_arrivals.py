"""Which devices are marked as awaited again, and when they are searched for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from lobby.domain.connections.late_arrivals import CHECKED_EVERY, LATE, MARKED_AT, is_check_due, is_marked_again
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from tests.unit.lobby.domain.sample_devices import A, T, commissioned

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TARGET = RegisteredTarget(A, "Here", "id", ("default",), "user:ann", T)


def test_only_a_commissioned_device_is_awaited() -> None:
    marked = {state for state in State if is_marked_again(replace(commissioned(), devstate=state), TARGET)}
    assert marked == {State.COMMISSIONED}


def test_the_devices_of_an_archived_target_stay_awaited_and_those_of_an_evacuated_one_do_not() -> None:
    assert is_marked_again(commissioned(), replace(TARGET, archivedat=T))
    assert not is_marked_again(commissioned(), replace(TARGET, evacuated_at=T))


@pytest.mark.parametrize(
    ("since", "due"), [(timedelta(), False), (CHECKED_EVERY - timedelta(seconds=1), False), (CHECKED_EVERY, True)]
)
def test_a_search_is_due_an_hour_after_the_last_complete_one(since: timedelta, due: bool) -> None:
    assert is_check_due(NOW - since, NOW) is due


def test_the_first_search_is_due() -> None:
    assert is_check_due(None, NOW)


def test_a_mark_has_been_delivered_or_dropped_before_the_next_one() -> None:
    """A request stays in its queue for an hour."""
    ages = (LATE, *MARKED_AT)
    assert all(later - earlier > timedelta(hours=1) for earlier, later in pairwise(ages))
