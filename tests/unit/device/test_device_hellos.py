"""The schedule of hellos: frequent at first, then rare, with jitter, and started again by each connection."""

from dataclasses import replace

import pytest

from device.machine.events import Publish, PublishAcknowledged
from device.machine.hello_schedule import HelloSchedule
from device.machine.plan import Timing
from lobby.wire import HELLO_TOPIC
from tests.unit.device.machine_driver import PLAN, MachineDriver

MINUTE = 60.0
HOUR = 60 * MINUTE
DEFAULTS = Timing().hellos


@pytest.mark.parametrize(
    ("online_for", "interval"),
    [
        (0, MINUTE),
        (10 * MINUTE - 1, MINUTE),
        (10 * MINUTE, 15 * MINUTE),
        (2 * HOUR - 1, 15 * MINUTE),
        (2 * HOUR, HOUR),
        (1e6, HOUR),
    ],
)
def test_hellos_come_every_minute_then_every_quarter_of_an_hour_then_every_hour(
    online_for: float, interval: float
) -> None:
    assert DEFAULTS.interval(online_for) == interval


@pytest.mark.parametrize("online_for", [0, HOUR, 3 * HOUR])
def test_each_interval_has_jitter_in_both_directions(online_for: float) -> None:
    interval = DEFAULTS.interval(online_for)
    bounds = [DEFAULTS.wait(online_for, choose) for choose in (lambda low, _: low, lambda _, high: high)]
    assert bounds == pytest.approx([0.9 * interval, 1.1 * interval])


def test_a_first_interval_above_the_later_ones_applies_throughout() -> None:
    schedule = HelloSchedule(2 * HOUR, 10 * MINUTE, 15 * MINUTE, 2 * HOUR, HOUR)
    assert {schedule.interval(at) for at in (0, HOUR, 3 * HOUR)} == {2 * HOUR}


def hellos_within(driver: MachineDriver, seconds: float) -> int:
    """Acknowledge every hello immediately for this time, and return their number."""
    until, count = driver.now + seconds, 0
    while driver.state.next_deadline is not None and driver.state.next_deadline <= until:
        driver.advance_time(driver.next_wait)
        for publish in driver.actions(Publish):
            count += publish.topic == HELLO_TOPIC
            driver.feed(PublishAcknowledged(publish.connection_id))
    driver.advance_time(until - driver.now)
    return count


def test_a_device_that_waits_for_a_day_sends_fewer_than_forty_hellos() -> None:
    driver = MachineDriver().go_online()
    assert 1 + hellos_within(driver, 24 * HOUR) < 40
    assert hellos_within(driver, 24 * HOUR) <= 24


def test_a_new_connection_starts_the_schedule_again() -> None:
    driver = MachineDriver().go_online()
    hellos_within(driver, 24 * HOUR)
    driver.fail().finish_backoff().go_online()
    assert hellos_within(driver, 10 * MINUTE) == 9


def test_the_first_interval_can_be_set() -> None:
    plan = replace(PLAN, timing=replace(PLAN.timing, hello_every=5))
    assert hellos_within(MachineDriver(plan).go_online(), MINUTE) == 10
