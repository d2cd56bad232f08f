"""The reference client against the protocol's test vectors, which clients in other languages use too."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from device.machine.events import Disconnect, ForgetRoute, ShowCode, StoreRoute
from device.machine.state import Location, Timer
from lobby.wire import Route
from tests.unit.device.machine_driver import PLAN, MachineDriver

VECTORS: Final = Path(__file__).parents[2] / "events" / "protocol_vectors.json"
CASES: Final[list[dict[str, Any]]] = json.loads(VECTORS.read_text())["cases"]


def route_of(fields: dict[str, Any] | None) -> Route | None:
    return None if fields is None else Route(**fields)


def driver_for(case: dict[str, Any]) -> MachineDriver:
    """Return a device that is connected where the case says, with its stored route. In the lobby, the wait after its
    fallback is over."""
    driver = MachineDriver(replace(PLAN, show_codes=True), route_of(case["stored"]))
    if case["at"] == "lobby" and case["stored"] is not None:
        driver.fall_back()
        deadlines = dict(driver.state.deadlines)
        deadlines.pop(Timer.REVISIT)
        driver.state = replace(driver.state, deadlines=deadlines, unconfirmed_route=route_of(case["ignored"]))
    else:
        driver.go_online()
    assert driver.state.location is Location(case["at"])
    return driver


def action_of(driver: MachineDriver, payload: bytes) -> str:
    driver.receive(payload)
    if driver.actions(ShowCode):
        return "code"
    if driver.actions(StoreRoute) and "standby_received" not in driver.logged:
        return "follow"
    if driver.actions(ForgetRoute) or driver.logged == ["reset_received"]:
        return "reset"
    return "repeated" if driver.actions(Disconnect) else "ignore"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_reference_client_follows_the_vectors(case: dict[str, Any]) -> None:
    assert action_of(driver_for(case), case["payload"].encode()) == case["action"]
