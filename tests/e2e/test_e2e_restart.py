"""The deployment goes down and comes up again, in order or not: the ledger is kept, and devices find back.

Here too: the command line that people start and stop it with.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.lobby_file import LobbyFile
from infra.local.synthesis import ROOT
from lobby.names import Target
from pki.devices import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.doors import admitted, dial
from tests.e2e.workbench import Workbench, certid_of, does, name_of, says


@contextmanager
def _up(state: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "infra.local", "up", "--state", str(state)]
    with (state / "up.log").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # no effect on one that has ended
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _said(state: Path) -> str:
    return (state / "up.log").read_text()


def test_a_second_deployment_of_the_same_state_is_refused(deployed: Deployment) -> None:
    with _up(deployed.state) as second:
        assert second.wait(60) == 1
    assert "STATE_IN_USE" in _said(deployed.state)
    assert deployed.known_targets()


def test_what_waited_before_a_restart_is_there_after_it_and_arrives(
    deployed: Deployment, bench: Workbench, first: Target
) -> None:
    waiting, claimed, old = bench.make(), bench.make(), bench.make()
    device, before = bench.power(waiting), certid_of(waiting)
    v01 = bench.power_v01(old)
    deployed.wait(before, "inlobby")
    deployed.wait(certid_of(old), "inlobby")
    deployed.claim(certid_of(claimed))
    history = deployed.known(before)["history"]
    deployed.down()
    try:
        says(device, "connection_lost")
        with _up(deployed.state) as up:
            until(lambda: _said(deployed.state).count("Device Lobby is up") or up.poll(), lambda: _said(deployed.state))
            assert up.poll() is None, _said(deployed.state)
            deployed.adopt(LobbyFile.read(deployed.state))
            assert deployed.known(before)["history"] == history
            assert deployed.known(certid_of(claimed))["devstate"] == "expected"
            deployed.claim(before)
            assert events(deployed.wait(before, "arrived")) == ["admit", "hello", "claim", "commission", "arrive"]
            deployed.claim(certid_of(old))
            deployed.wait(certid_of(old), "arrived")
            up.send_signal(signal.SIGINT)
            assert up.wait(60) == 0, _said(deployed.state)
        assert "the ledger is kept" in _said(deployed.state)
        assert not (deployed.state / "lobby.json").exists()
    finally:
        deployed.up()
    assert says(device, "alive_sent")["place"] == "target"
    does(v01, "in target")
    bench.power(claimed)
    assert deployed.wait(certid_of(claimed), "arrived")["historyIntact"]


def test_a_cloud_that_is_killed_in_the_middle_comes_back_with_its_ledger(
    deployed: Deployment, bench: Workbench, first: Target
) -> None:
    waiting, late, banned = bench.make(), bench.make(), bench.make()
    device, certid = bench.power(waiting), certid_of(waiting)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid_of(late))
    _ban(deployed, banned, first)
    deployed.saved()
    deployed.claim(certid)
    deployed.kill()
    deployed.emulator.start()
    deployed.sign_out()
    found = deployed.wait(certid, "commissioned", "arrived", "failed")
    assert events(found)[:3] == ["admit", "hello", "claim"]
    if found["devstate"] == "failed" or deployed.status(certid, first) is None:
        # The kill took the last second of all but the ledger: the commissioner's session in the target, which it then
        # was told is unknown, or what it had registered there. An operator sees that, and has it done again.
        deployed.retry(certid)
    assert deployed.wait(certid, "arrived")["historyIntact"]
    says(device, "arrived_at_target")
    bench.power(late)
    assert deployed.wait(certid_of(late), "arrived")["historyIntact"]
    assert deployed.known(certid_of(banned))["devstate"] == "revoked"
    for scope in (deployed.lobby, first):
        assert deployed.status(certid_of(banned), scope) == "INACTIVE"
        with dial(deployed, banned.chain, banned.key, scope) as back:
            assert back.connect(name_of(banned)) == HUNG_UP


def _ban(deployed: Deployment, paths: DevicePaths, target: Target) -> None:
    """A device that was in `target`, and is revoked."""
    admitted(deployed, paths.chain, paths.key, name_of(paths)).close()
    deployed.claim(certid_of(paths), target)
    deployed.wait(certid_of(paths), "commissioned")
    deployed.revoke(certid_of(paths))
    for scope in (deployed.lobby, target):
        until(lambda: deployed.status(certid_of(paths), scope) == "INACTIVE")  # noqa: B023  # called at once
