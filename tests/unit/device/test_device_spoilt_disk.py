"""A disk that is spoilt, shut, full or broken: it is told once, and the device serves where it belongs all the same."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.storage import Storage
from tests.unit.device.platter import Platter
from tests.unit.device.refusals import CALLS, ERRORS, Refusals
from tests.unit.device.refused_disk import NEWS, spoilt_stay, stay, world
from tests.unit.device.spoilt import SPOILT, Spoilt
from tests.unit.device.walk import ROUTE
from tests.unit.device.world import STATE


@pytest.fixture
def room() -> Iterator[Path]:
    """One that everybody may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.parametrize("case", SPOILT, ids=lambda case: case.name)
def test_what_is_spoilt_is_told_once_and_keeps_no_device_from_its_target(case: Spoilt, room: Path) -> None:
    passed = spoilt_stay(case, room)
    assert passed.told.count("route_unreadable") == case.tells
    assert passed.told.count("route_not_stored") == (not case.mends)
    if case.mends:
        assert passed.kept.route == NEWS


@pytest.mark.parametrize(
    ("call", "error"), [*((call, "EIO") for call in CALLS), *(("open", one) for one in ERRORS if one != "EIO")]
)
def test_a_call_that_is_always_refused_keeps_no_device_from_its_target(call: str, error: str) -> None:
    platter = Platter({"device": {"state": {}}})
    Storage(STATE, platter).store(ROUTE)
    refusals = Refusals([call], error, real=platter)
    for _ in range(2):
        passed = stay(STATE, refusals.calls)
        assert passed.arrived_after < 60
        assert passed.told.count("route_unreadable") <= 1
        assert passed.told.count("route_not_stored") <= 1
    refusals.mend()
    there = world()
    there.live_for(600, refusals.calls)
    assert Storage(STATE, platter).load().route == NEWS


def test_a_disk_that_takes_nothing_at_all_is_tried_again_until_it_does() -> None:
    refusals = Refusals(CALLS, "EIO", real=Platter({"device": {}}))
    there = world()
    there.arrange(3600, refusals.mend)
    there.live_for(2 * 3600, refusals.calls)
    told = [event for _, event, _ in there.log if event.startswith("route_") and event != "route_received"]
    assert told == ["route_unreadable", "route_not_stored", "route_stored"]
    stored = next(at for at, event, _ in there.log if event == "route_stored")
    assert stored - (1000 + 3600) <= there.plan.timing.store_every + 1
