"""The deployment is stopped or killed and starts again: the ledger is kept, and devices reconnect. The module also
tests the command line that starts and stops the deployment.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.lobby_file import LobbyFile
from infra.local.synthesis import ROOT
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.connections import connect_admitted, open_tls
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event, wait_for_v01

pytestmark = pytest.mark.full


@contextmanager
def _up(state: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "infra.local", "up", "--state", str(state)]
    with (state / "up.log").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # no effect if it has ended
        try:
            process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _output(state: Path) -> str:
    return (state / "up.log").read_text()


def test_a_second_deployment_of_the_same_state_is_refused(deployed: Deployment) -> None:
    with _up(deployed.state) as second:
        assert second.wait(TIMEOUT_SECONDS) == 1
    assert "STATE_IN_USE" in _output(deployed.state)
    assert deployed.target_accounts()


def test_waiting_devices_are_kept_by_a_restart_and_arrive(deployed: Deployment, fleet: Fleet, first: Target) -> None:
    waiting, claimed, old = fleet.make(), fleet.make(), fleet.make()
    device, before = fleet.power_on(waiting), certid_of(waiting)
    v01 = fleet.power_on_v01(old)
    deployed.wait(before, "inlobby")
    deployed.wait(certid_of(old), "inlobby")
    deployed.claim(certid_of(claimed))
    history = deployed.existing(before)["history"]
    deployed.down()
    try:
        wait_for_event(device, "connection_lost")
        with _up(deployed.state) as up:
            until(
                lambda: _output(deployed.state).count("Device Lobby is up") or up.poll(),
                lambda: _output(deployed.state),
            )
            assert up.poll() is None, _output(deployed.state)
            deployed.use(LobbyFile.read(deployed.state))
            assert deployed.existing(before)["history"] == history
            assert deployed.existing(certid_of(claimed))["devstate"] == "expected"
            deployed.claim(before)
            assert events(deployed.wait(before, "arrived")) == ["admit", "hello", "claim", "commission", "arrive"]
            deployed.claim(certid_of(old))
            deployed.wait(certid_of(old), "arrived")
            up.send_signal(signal.SIGINT)
            assert up.wait(TIMEOUT_SECONDS) == 0, _output(deployed.state)
        assert "the ledger is kept" in _output(deployed.state)
        assert not (deployed.state / "lobby.json").exists()
    finally:
        deployed.up()
    assert wait_for_event(device, "alive_sent")["place"] == "target"
    wait_for_v01(v01, "in target")
    fleet.power_on(claimed)
    assert deployed.wait(certid_of(claimed), "arrived")["historyIntact"]


def test_a_killed_emulator_keeps_the_ledger(deployed: Deployment, fleet: Fleet, first: Target) -> None:
    waiting, late, revoked = fleet.make(), fleet.make(), fleet.make()
    device, certid = fleet.power_on(waiting), certid_of(waiting)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid_of(late))
    _revoke(deployed, revoked, first)
    deployed.wait_until_saved()
    deployed.claim(certid)
    deployed.kill()
    deployed.emulator.start()
    deployed.sign_out()
    row = deployed.wait(certid, "commissioned", "arrived", "failed")
    assert events(row)[:3] == ["admit", "hello", "claim"]
    if row["devstate"] == "failed" or deployed.status(certid, first) is None:
        # The kill loses the last second of all state except the ledger: the commissioner's session in the target, or
        # its registrations there. An operator sees the failure and retries.
        deployed.retry(certid)
    assert deployed.wait(certid, "arrived")["historyIntact"]
    wait_for_event(device, "arrived_at_target")
    fleet.power_on(late)
    assert deployed.wait(certid_of(late), "arrived")["historyIntact"]
    assert deployed.existing(certid_of(revoked))["devstate"] == "revoked"
    for scope in (deployed.lobby, first):
        assert deployed.status(certid_of(revoked), scope) == "INACTIVE"
        with open_tls(deployed, revoked.chain, revoked.key, scope) as back:
            assert back.connect(name_of(revoked)) == HUNG_UP


def _revoke(deployed: Deployment, paths: DevicePaths, target: Target) -> None:
    """Commission a device in `target` and revoke it."""
    connect_admitted(deployed, paths.chain, paths.key, name_of(paths)).close()
    deployed.claim(certid_of(paths), target)
    deployed.wait(certid_of(paths), "commissioned")
    deployed.revoke(certid_of(paths))
    for scope in (deployed.lobby, target):
        until(lambda: deployed.status(certid_of(paths), scope) == "INACTIVE")  # noqa: B023  # called at once
