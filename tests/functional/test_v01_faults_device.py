"""Faults of the device client of aws-device-lobby v0.1, each reproduced there: one test each, with the fault's name."""

from pathlib import Path

import pytest

from device.storage import Storage
from lobby.wire import Route
from tests.unit.device.machine_driver import ROUTE, MachineDriver


def test_fault_the_device_retries_every_five_seconds_forever() -> None:
    driver, waits = MachineDriver(), []
    for _ in range(12):
        waits.append(driver.fail().next_wait)
        driver.advance_time(driver.next_wait)
    assert waits == sorted(waits)
    assert waits[0] < 5 < waits[-1]
    assert waits[-1] == waits[-2] == driver.plan.timing.retry_cap


def test_fault_the_device_never_falls_back_to_the_lobby() -> None:
    driver = MachineDriver(route=ROUTE).fall_back()
    assert driver.state.endpoint is not None
    assert driver.state.endpoint.host == driver.plan.lobbies[0].host


@pytest.mark.parametrize("torn", [b"", b"{", b'{"iotep": "a"}', b"\x00" * 100, b"null", b"[]"])
def test_fault_a_truncated_config_file_stops_the_device_permanently(tmp_path: Path, torn: bytes) -> None:
    storage = Storage(tmp_path)
    storage.store(Route("a.example"))
    storage.route_file.write_bytes(torn)
    loaded = storage.load()
    assert loaded.route is None
    assert loaded.error
    storage.store(Route("b.example"))
    assert storage.load().route == Route("b.example")


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"null", b"7", b"[]", b'"x"', b"{}", b'{"iotep": 7}', b'{"config": 1}', b"[" * 10_000]
)
def test_fault_any_unexpected_message_kills_the_device(payload: bytes) -> None:
    driver = MachineDriver().go_online()
    assert driver.receive(payload).logged == ["message_ignored"]
    assert driver.state.route is None
