"""Hours of brokers that are no good: the device knocks at a bearable pace, at each door in turn, and never gives up.

`python -m tests.bench.device_faults` does the same for days, and prints the figures.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.machine.plan import Plan
from tests.unit.device.bad_brokers import CIRCLES, REFUSING
from tests.unit.device.endurance import (
    DOORS,
    FIELD,
    HOLDS,
    LONGEST,
    PLAN_OF_THE_FIELD,
    SHARE,
    TARGET,
    anything,
    back_after,
    bad_lobbies,
    bad_target,
    circle,
    pace,
)
from tests.unit.device.walk import LOBBY, THING
from tests.unit.device.world import Saying, World


@pytest.mark.parametrize("name", REFUSING)
def test_lobbies_that_are_no_good_are_asked_in_turn_for_ever_and_never_too_often(name: str) -> None:
    seen = bad_lobbies(name, 2, hours=3)
    assert seen.busiest <= 2 * SHARE
    assert seen.longest <= LONGEST
    if name not in HOLDS:
        assert min(seen.asked[door] for door in DOORS[:2]) > 0.4 * seen.attempts


@pytest.mark.parametrize("name", REFUSING)
def test_a_lobby_that_is_mended_after_hours_is_found_within_minutes(name: str) -> None:
    world = World({LOBBY: REFUSING[name]()}, Plan(THING, (LOBBY,), FIELD))
    assert back_after(world, hours=2) < 3 * 60


@pytest.mark.parametrize("name", REFUSING)
def test_a_target_that_is_no_good_is_left_for_the_lobby_which_may_know_better(name: str) -> None:
    seen = bad_target(name, hours=3)
    assert seen.busiest <= SHARE
    assert seen.longest <= FIELD.revisit_cap + FIELD.retry_cap  # connected to a lobby that knows nothing better
    if name not in HOLDS:
        assert seen.world.counts["fallback_to_lobby"] > 2
        assert seen.world.counts["hello_sent"] > 40


@pytest.mark.parametrize("name", REFUSING)
def test_a_target_that_is_mended_is_taken_up_again(name: str) -> None:
    world = World({LOBBY: Saying(), TARGET: REFUSING[name]()}, PLAN_OF_THE_FIELD)
    assert back_after(world, hours=2) < FIELD.revisit_cap + 5 * 60


@pytest.mark.parametrize("name", CIRCLES)
def test_who_is_led_round_in_circles_goes_ever_more_slowly_and_spares_the_disk(name: str) -> None:
    seen = circle(name, hours=3)
    assert seen.busiest <= 1.1 * SHARE
    assert seen.writes <= 2 * SHARE
    assert seen.lines <= 20 * SHARE


@pytest.mark.parametrize("name", CIRCLES)
def test_who_was_led_round_in_circles_serves_when_the_cloud_is_of_one_mind(name: str) -> None:
    lobby, target = CIRCLES[name]
    assert back_after(World({LOBBY: lobby(), TARGET: target()}, PLAN_OF_THE_FIELD), hours=1) < 5 * 60


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**9))
def test_brokers_that_do_whatever_they_please_are_outlived(seed: int) -> None:
    assert pace(anything(seed), hours=1).busiest <= 10 * SHARE
    assert back_after(anything(seed), hours=1) < FIELD.revisit_cap + 10 * 60
