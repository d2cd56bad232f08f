"""Device faults in the complete lobby: power cuts, a corrupt route file, and a target that sends the route of another
target.

`python -m tests.bench.device_faults` covers the faults of the client itself exhaustively.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event
from tests.unit.device.simulated_disk import CutPoint

_ROOT = Path(__file__).parents[2]
_WRITE, _RENAME = 5, 8
"""Numbers of the client's file-system calls, counted from the first power-on."""


def _cut(deployed: Deployment, paths: DevicePaths, state: Path, number: int, cut_point: CutPoint) -> int:
    """Return the exit status of a client that is killed at this call."""
    file = deployed.file
    options = {
        "cert": paths.chain,
        "key": paths.key,
        "ca": file.server_ca_path,
        "state-dir": state / "kept",
        "lobby": f"{file.lobby_endpoint}:{file.mqtt_port}",
        "retry-base": 0.5,
        "retry-cap": 1,
        "hello-every": 2,
    }
    command = [sys.executable, "-m", "tests.bench.device_faults.kill_points", str(number), cut_point, "run"]
    arguments = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(
        [*command, *arguments],
        cwd=_ROOT,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        start_new_session=True,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize(("number", "cut_point"), [(_WRITE, "half"), (_RENAME, "after")], ids=["write", "rename"])
def test_a_device_arrives_after_a_power_cut_while_storing_its_route(
    deployed: Deployment, fleet: Fleet, tmp_path: Path, number: int, cut_point: CutPoint
) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    deployed.claim(certid)
    state = tmp_path / "devices" / name_of(paths)
    assert _cut(deployed, paths, state, number, cut_point) == -signal.SIGKILL
    files = sorted(path.name for path in (state / "kept").iterdir())
    assert files == (["route.json.new"] if number == _WRITE else ["route.json"])
    device = fleet.power_on(paths)
    wait_for_event(device, "alive_sent")
    assert device.first("route_unreadable") is None
    arrived = deployed.wait(certid, "arrived")
    assert arrived["historyIntact"]


def test_a_device_with_a_corrupt_route_file_onboards_again(deployed: Deployment, fleet: Fleet, tmp_path: Path) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    deployed.claim(certid)
    before = fleet.power_on(paths)
    wait_for_event(before, "alive_sent")
    deployed.wait(certid, "arrived")
    before.kill()
    fleet.powered.remove(before)
    (tmp_path / "devices" / name_of(paths) / "kept" / "route.json").write_bytes(os.urandom(300))
    device = fleet.power_on(paths)
    assert "set aside" in str(wait_for_event(device, "route_unreadable")["detail"])
    assert wait_for_event(device, "starting")["place"] == "lobby"
    wait_for_event(device, "alive_sent")


def test_a_target_can_change_the_config_and_cannot_move_the_device(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    thing, certid = name_of(paths), certid_of(paths)
    deployed.claim(certid, first)
    device = fleet.power_on(paths)
    wait_for_event(device, "alive_sent")
    deployed.wait(certid, "arrived")
    elsewhere = {"iotep": deployed.layout.endpoint_address(second), "config": "x", "generation": 99}
    deployed.publish(first, thing, elsewhere)
    assert "only a lobby moves a device" in str(wait_for_event(device, "message_ignored")["reason"])
    here = {"iotep": deployed.layout.endpoint_address(first), "config": {"interval": 5}, "generation": 2}
    deployed.publish(first, thing, here)
    wait_for_event(device, "route_stored")
    wait_for_event(device, "arrived_at_target", generation=2)
    until(lambda: device.first("alive_sent", endpoint=str(device.events()[-1].get("endpoint"))), device.last_output)
    assert not [event for event in device.events() if event.get("endpoint", "").startswith(elsewhere["iotep"])][1:]
