"""A target that devices cannot reach is evacuated on the local cloud: a device arrives in the standby, and returns. A
device that reaches neither target nor lobby does the same by itself.

The commands come from the runbook in docs/operate.md, as written, but with the target's key instead of its name.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.powered_device import PoweredDevice
from infra.local.synthesis import ROOT
from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, wait_for_event
from tests.e2e.lobbyctl_process import Lobbyctl

FIELDS = "standby { certificates placed prepared evacuatedAt away left campaign }"
SET = f"""
mutation($account: String!, $region: String!, $standby: TargetInput, $certificates: StandbyCertificates!) {{
  setStandby(account: $account, region: $region, standby: $standby, certificates: $certificates) {{ {FIELDS} }}
}}"""
TARGETS = f"{{ targets {{ account region {FIELDS} }} }}"


RUNBOOK = re.compile(r"^ +\$ lobbyctl (?P<command>.+)$", re.MULTILINE)


def runbook(target: Target) -> dict[str, list[str]]:
    """Return the commands of the runbook, by their first two words."""
    page = (ROOT / "docs" / "operate.md").read_text()
    section = page.partition("## A Region is down\n")[2].partition("\n## ")[0]
    words = [shlex.split(match["command"]) for match in RUNBOOK.finditer(section)]
    return {" ".join(each[:2]): [str(target) if word == "Dublin" else word for word in each] for each in words}


def place(target: Target) -> dict[str, str]:
    return {"account": target.account, "region": target.region}


def set_standby(deployed: Deployment, target: Target, standby: Target | None, certificates: str = "ACTIVE") -> None:
    other = place(standby) if standby else None
    deployed.api("admin").ask(SET, **place(target), standby=other, certificates=certificates)


def act(deployed: Deployment, operation: str, target: Target) -> dict[str, Any]:
    query = f"mutation($a: String!, $r: String!) {{ {operation}(account: $a, region: $r) {{ {FIELDS} }} }}"
    result: dict[str, Any] = deployed.api("admin").ask(query, a=target.account, r=target.region)[operation]
    return result


def standby_of(deployed: Deployment, target: Target) -> dict[str, Any]:
    listed = deployed.api("admin").ask(TARGETS)["targets"]
    return next(each["standby"] for each in listed if each["account"] == target.account) or {}


def wait_for(deployed: Deployment, target: Target, **counts: int) -> None:
    """Wait until the counts of the target's standby are these."""

    def look() -> bool:
        now = standby_of(deployed, target)
        return all(now.get(name) == count for name, count in counts.items())

    until(look, lambda: standby_of(deployed, target), every=0.5)


def wait_until_prepared(deployed: Deployment, target: Target) -> None:
    """Wait until all devices of the target are prepared, also those of other tests."""

    def look() -> bool:
        now = standby_of(deployed, target)
        return bool(now.get("placed")) and bool(now["placed"] == now["prepared"])

    until(look, lambda: standby_of(deployed, target), every=0.5)


def lose_connection(deployed: Deployment, certid: str, target: Target) -> None:
    """Cut a device off from the target, and stop the lane: nothing in the target answers."""
    act(deployed, "pauseTarget", target)
    deployed.client(target, "iot").update_certificate(certificateId=certid, newStatus="INACTIVE")


@pytest.fixture
def standby(deployed: Deployment, first: Target, second: Target) -> Iterator[Target]:
    yield second
    act(deployed, "resumeTarget", first)
    act(deployed, "returnTarget", first)
    wait_for(deployed, first, away=0)
    set_standby(deployed, first, None)


@pytest.mark.parametrize("certificates", ["ACTIVE"])
def test_a_device_of_an_unreachable_target_arrives_in_the_standby_and_returns(
    deployed: Deployment, fleet: Fleet, first: Target, standby: Target, certificates: str, tmp_path: Path
) -> None:
    lobbyctl, commands = Lobbyctl(deployed, tmp_path), runbook(first)
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    set_standby(deployed, first, standby, certificates)
    until(lambda: deployed.status(certid, standby) == certificates)
    lose_connection(deployed, certid, first)
    evacuated = lobbyctl(*commands["targets evacuate"], "--as", "admin")
    assert (evacuated.returncode, "has been evacuated since" in evacuated.stdout) == (0, True), evacuated.stderr
    wait_for_event(device, "fallback_to_lobby")
    wait_for_event(device, "arrived_at_target", generation=2)
    there = deployed.wait(certid, "arrived", targetaccount=standby.account)
    assert "evacuate" in events(there)
    assert there["historyIntact"]
    wait_for(deployed, first, left=0)
    assert "there, 0 left" in lobbyctl(*commands["targets list"]).stdout
    assert "evacuate-" in lobbyctl(*commands["campaigns list"]).stdout
    act(deployed, "resumeTarget", first)
    assert lobbyctl(*commands["targets check"]).returncode == 0
    assert lobbyctl(*commands["targets return"], "--as", "admin").returncode == 0
    wait_for_event(device, "arrived_at_target", generation=3)
    back = deployed.wait(certid, "arrived", targetaccount=first.account)
    assert "return" in events(back)
    wait_for(deployed, first, away=0)
    until(lambda: deployed.status(certid, standby) == certificates)
    deployed.release(certid)
    deployed.wait(certid, "inlobby", previousTargets=[])
    assert [deployed.status(certid, scope) for scope in (first, standby)] == ["INACTIVE", "INACTIVE"]


def _times(device: PoweredDevice, event: str) -> int:
    return sum(each["event"] == event for each in device.events())


def set_certificates(deployed: Deployment, certid: str, status: str, *places: Target) -> None:
    """Set the status of a device's certificate in these places, so that they refuse or accept the device."""
    for target in places:
        deployed.client(target, "iot").update_certificate(certificateId=certid, newStatus=status)


def test_a_device_that_reaches_neither_target_nor_lobby_goes_to_its_standby_and_returns(
    deployed: Deployment, fleet: Fleet, first: Target, standby: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths, "--standby-base", "3", "--standby-cap", "3"), certid_of(paths)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    wait_for_event(device, "arrived_at_target")  # it has subscribed: the announcement is sent only once
    set_standby(deployed, first, standby, "INACTIVE")
    until(lambda: deployed.status(certid, standby) == "INACTIVE" or None)
    set_standby(deployed, first, standby)
    until(lambda: deployed.status(certid, standby) == "ACTIVE" or None)
    wait_until_prepared(deployed, first)
    wait_for_event(device, "standby_announced")
    wait_for_event(device, "standby_received")
    until(lambda: _times(device, "arrived_at_target") > 1 or None, device.last_output)
    set_certificates(deployed, certid, "INACTIVE", first, deployed.lobby)
    wait_for_event(device, "fallback_to_standby")
    wait_for_event(device, "arrived_at_standby")
    visiting = deployed.wait(certid, "commissioned", targetaccount=first.account)
    assert "standby" in events(visiting)
    wait_for_event(device, "leaving_standby")
    until(lambda: _times(device, "arrived_at_standby") > 1 or None, device.last_output)
    arrivals = _times(device, "arrived_at_target")
    set_certificates(deployed, certid, "ACTIVE", first, deployed.lobby)
    until(lambda: _times(device, "arrived_at_target") > arrivals or None, device.last_output)
    back = deployed.wait(certid, "arrived", targetaccount=first.account)
    assert (back["historyIntact"], events(back)[-1]) == (True, "arrive")
    assert "evacuate" not in events(back)
