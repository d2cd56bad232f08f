"""The arithmetic of the comparison: the documented limits, the share of the rate, and the limits of the benchmark."""

from dataclasses import replace

import pytest

from tests.bench.campaign_comparison import Comparison, Way, share_of_rate
from tests.bench.documented_limits import dps_time, lobby_minutes

CAMPAIGN = Way(seconds=8.0, commands=1, moved=60, moved_once=60)
LOOP = Way(seconds=90.0, commands=61, further=30, left=30, moved=60, moved_once=60)


def test_the_limits_of_registrations_enrolments_and_identities() -> None:
    found = dps_time(10_000)
    assert (found.registrations, found.enrolments, found.identities, found.minutes) == (10.0, 10.0, 100.0, 100.0)
    group = dps_time(10_000, individual=False, units=20)
    assert (group.enrolments, group.identities, group.minutes) == (0.001, 5.0, 10.0)


@pytest.mark.parametrize(("devices", "units"), [(0, 1), (-1, 1), (1, 0)])
def test_no_devices_or_units_have_no_time(devices: int, units: int) -> None:
    with pytest.raises(ValueError, match="want at least one of each"):
        dps_time(devices, units=units)


def test_the_lobby_moves_devices_at_the_rate_of_a_target() -> None:
    assert lobby_minutes(5400, 9.0) == 10.0
    for devices, rate in ((0, 9.0), (1, 0.0)):
        with pytest.raises(ValueError, match="want more than none"):
            lobby_minutes(devices, rate)


@pytest.mark.parametrize(("seconds", "share"), [(10.0, 0.667), (6.667, 1.0), (0.0, 0.0)])
def test_the_share_of_the_rate(seconds: float, share: float) -> None:
    assert share_of_rate(60, 9.0, seconds) == share


@pytest.mark.parametrize(
    ("by_campaign", "by_loop", "is_within"),
    [
        (CAMPAIGN, LOOP, True),
        (replace(CAMPAIGN, moved=59), LOOP, False),
        (replace(CAMPAIGN, further=1), LOOP, False),
        (replace(CAMPAIGN, left=1), LOOP, False),
        (CAMPAIGN, replace(LOOP, moved_once=59), False),
    ],
)
def test_each_limit_decides_about_the_comparison(by_campaign: Way, by_loop: Way, *, is_within: bool) -> None:
    found = Comparison(60, 9.0, by_campaign, by_loop)
    assert found.is_within is is_within
    documented = found.as_json()["documented"]["large"]
    assert documented == {"devices": 10_000, "dps_minutes": 100.0, "dps_group_minutes": 10.0, "lobby_minutes": 18.52}
