"""Corrupt, full, forbidden or failing disks: the problem is logged once, and the device works in its target anyway."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.storage import Storage
from tests.unit.device.corrupt_storage import CORRUPTIONS, Corruption
from tests.unit.device.failing_disk import (
    CALLS,
    ERRNOS,
    NEWER_ROUTE,
    FailingCalls,
    newer_route_network,
    run_device,
    run_with_corruption,
)
from tests.unit.device.machine_driver import ROUTE
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import STATE_DIR


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own may not be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("case", CORRUPTIONS, ids=lambda case: case.name)
def test_corrupt_storage_is_logged_once_and_the_device_reaches_its_target(
    case: Corruption, public_folder: Path
) -> None:
    result = run_with_corruption(case, public_folder)
    assert result.disk_events.count("route_unreadable") == case.logged
    assert result.disk_events.count("route_not_stored") == (not case.storable)
    if case.storable:
        assert result.stored.route == NEWER_ROUTE


@pytest.mark.parametrize(
    ("call", "error"), [*((call, "EIO") for call in CALLS), *(("open", error) for error in ERRNOS if error != "EIO")]
)
def test_the_device_reaches_its_target_when_a_call_always_fails(call: str, error: str) -> None:
    disk = SimulatedDisk({"device": {"state": {}}})
    Storage(STATE_DIR, disk).store(ROUTE)
    failing_calls = FailingCalls([call], error, real=disk)
    for _ in range(2):
        result = run_device(STATE_DIR, failing_calls.calls)
        assert result.arrived_after < 60
        assert result.disk_events.count("route_unreadable") <= 1
        assert result.disk_events.count("route_not_stored") <= 1
    failing_calls.repair()
    network = newer_route_network()
    network.run_for(600, failing_calls.calls)
    assert Storage(STATE_DIR, disk).load().route == NEWER_ROUTE


def test_a_failing_disk_is_retried_until_it_works() -> None:
    failing_calls = FailingCalls(CALLS, "EIO", real=SimulatedDisk({"device": {}}))
    network = newer_route_network()
    network.schedule(3600, failing_calls.repair)
    network.run_for(2 * 3600, failing_calls.calls)
    logged = [event for _, event, _ in network.log if event.startswith("route_") and event != "route_received"]
    assert logged == ["route_unreadable", "route_not_stored", "route_stored"]
    stored = next(at for at, event, _ in network.log if event == "route_stored")
    assert stored - (1000 + 3600) <= network.plan.timing.store_every + 1
