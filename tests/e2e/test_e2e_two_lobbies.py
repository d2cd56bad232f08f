"""Two lobbies of one account share a target account and Region: each onboards its devices there, and destroying one of
them does not affect the other."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from infra.local.api import Api
from infra.local.lobby_file import NAME, LobbyFile
from infra.local.powered_device import PoweredDevice
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.claiming_device import ClaimConnection, new_key, request_of, stored
from tests.e2e.deployment import CLAIM, Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of
from tests.e2e.lobbyctl_process import Lobbyctl
from tests.e2e.staging_lobby import ID, STATE, SecondLobby, wait_for_state

ADD = """mutation($csr: String!) {
  addClaimCertificate(enrolment: "claimed", csr: $csr) { certificateId certificatePem }
}"""
RELEASE = "mutation($id: ID!) { releaseDevice(certid: $id) { forgotten } }"


@pytest.fixture
def second_lobby(deployed: Deployment, tmp_path: Path) -> Iterator[SecondLobby]:
    lobby = SecondLobby(deployed, tmp_path / "staging")
    lobby.run("deploy")
    yield lobby
    lobby.run("destroy")


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """What a test has started and not stopped is stopped after it."""
    with ExitStack() as started:
        yield started


def onboard(running: ExitStack, api: Api, file: LobbyFile, paths: DevicePaths, state: Path, target: Target) -> None:
    """Power a device on, claim it when it waits, and return when it has arrived."""
    options = ("--retry-base", "0.5", "--retry-cap", "1", "--settle-after", "0.5")
    powered, certid = PoweredDevice(file, paths, state, options), certid_of(paths)
    running.callback(powered.stop)
    wait_for_state(api, certid, "inlobby")
    api.ask(CLAIM, id=certid, target={"account": target.account, "region": target.region})
    wait_for_state(api, certid, "arrived")


def join_by_claim(lobby: SecondLobby, directory: Path) -> list[str]:
    """Have a device join by claim. Return the fingerprints of the claim certificate and of the device's."""
    with closing(Api(lobby.file, lobby.file.operator("admin"))) as admin:
        admin.ask('mutation { createEnrolment(name: "claimed", door: "claim", limit: 1) { name } }')
        key = new_key()
        added = admin.ask(ADD, csr=request_of(key, "claim"))["addClaimCertificate"]
    with closing(ClaimConnection(lobby.file, stored(directory, "claim", key, added["certificatePem"]))) as connection:
        pending = connection.certificate("meter-1")
        # The hook must answer in time, also when its Lambda starts. Otherwise AWS IoT rejects the device, which tries
        # again.
        until(lambda: connection.provision(pending, "meter-1")[0] == "accepted")
    return [added["certificateId"], pending.certid]


def templates(iot: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = iot.list_provisioning_templates()["templates"]
    return found


@pytest.mark.full
def test_two_lobbies_share_a_target_and_one_is_destroyed(
    deployed: Deployment,
    fleet: Fleet,
    first: Target,
    second_lobby: SecondLobby,
    running: ExitStack,
    tmp_path: Path,
) -> None:
    ours, theirs = fleet.make(), second_lobby.make_device()
    api = running.enter_context(closing(Api(second_lobby.file, second_lobby.file.operator("operator"))))
    fleet.power_on(ours)
    deployed.wait(certid_of(ours), "inlobby")
    deployed.claim(certid_of(ours), first)
    deployed.wait(certid_of(ours), "arrived")
    onboard(running, api, second_lobby.file, theirs, tmp_path / "device", first)

    iot = deployed.client(first, "iot")
    claims = {name: iot.describe_thing(thingName=name)["attributes"]["claim"] for name in map(name_of, (ours, theirs))}
    assert f":{deployed.lobby}:" in claims[name_of(ours)]
    assert f":{second_lobby.lobby}/{ID}:" in claims[name_of(theirs)]
    assert deployed.device(certid_of(theirs)) is None
    assert api.ask(STATE, id=certid_of(ours))["device"] is None

    lobbyctl = Lobbyctl(deployed, tmp_path)
    lobbyctl.environment |= {"LOBBYCTL_LOBBY": str(second_lobby.state / NAME), "LOBBY_ID": ID}
    [checked] = lobbyctl.records("targets", "check", str(first))
    assert checked["ok"], checked
    listed = [each["certid"] for each in lobbyctl.records("devices", "list", "--all")]
    assert certid_of(theirs) in listed  # next to devices of other tests
    assert certid_of(ours) not in listed

    claimed = join_by_claim(second_lobby, tmp_path)
    home = deployed.client(second_lobby.lobby, "iot")
    assert [each["templateName"] for each in templates(home)] == ["staging-device-lobby"]

    running.close()
    second_lobby.run("destroy")
    assert [deployed.status(certid, second_lobby.lobby) for certid in claimed] == [None, None]
    assert (templates(home), home.list_things()["things"], home.list_policies()["policies"]) == ([], [], [])
    assert deployed.status(certid_of(theirs), first) is None
    assert deployed.status(certid_of(theirs), second_lobby.lobby) is None
    assert deployed.status(certid_of(ours), first) == "ACTIVE"
    another = fleet.make()
    fleet.power_on(another)
    deployed.wait(certid_of(another), "inlobby")
    deployed.claim(certid_of(another), first)
    deployed.wait(certid_of(another), "arrived")
